import type { ContractProperty } from './contract-document.js';
import type { Violation } from './property-options.js';

/** What a broken rule is a sign of. */
export type FaultKind =
  | 'type' | 'unit' | 'null burst' | 'new category' | 'range' | 'duplicate key' | 'stale clock' | 'truncated text' | 'swapped columns' | 'encoding' | 'volume drop' | 'late feed'
  | 'text form' | 'unknown column' | 'volume rise' | 'distribution' | 'invalid values';

/** UTF-8 read as Latin-1 or Windows-1252, replacement characters, and control characters that no text has. */
export const misreadText = /[\uFFFD\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]|[\u00C2\u00C3\u00C4\u00C5\u00C8\u00D0\u00D1\u00D8\u00D9\u00E2\u00E3][\u0080-\u00BF\u0152\u0153\u0160\u0161\u0178\u017D\u017E\u0192\u02C6\u02DC\u2013\u2014\u2018-\u201E\u2020-\u2022\u2026\u2030\u2039\u203A\u20AC\u2122]/u;

/** The same as a pattern that an admitted text matches. */
export const cleanTextPattern = `^(?![\\s\\S]*(?:${misreadText.source}))`;

const factors = [1_000, 1e6];

const optionOf = (property: ContractProperty | undefined, name: string): unknown => property?.logicalTypeOptions?.[name];

/** A value out of range whose thousandth, or thousandfold, is in range comes from another unit. */
function rangeKind(value: unknown, property: ContractProperty | undefined): FaultKind {
  const [low, high] = [optionOf(property, 'minimum'), optionOf(property, 'maximum')];
  if (typeof value !== 'number' || typeof high !== 'number' || value === 0) return typeof value === 'string' ? 'stale clock' : 'range';
  const inside = (x: number): boolean => x <= high && (typeof low !== 'number' || x >= low);
  return Math.abs(value) > 2 * Math.max(Math.abs(high), typeof low === 'number' ? Math.abs(low) : 0) && factors.some((factor) => inside(value / factor)) ? 'unit' : 'range';
}

function textKind(value: unknown, property: ContractProperty | undefined): FaultKind {
  if (typeof value !== 'string') return 'text form';
  if (misreadText.test(value)) return 'encoding';
  const least = optionOf(property, 'minLength');
  return typeof least === 'number' && value.length < least ? 'truncated text' : 'text form';
}

function categoryKind(value: unknown, property: ContractProperty | undefined): FaultKind {
  if (typeof value !== 'string') return 'new category';
  if (misreadText.test(value)) return 'encoding';
  const names = property?.quality?.flatMap(({ arguments: given }) => (Array.isArray(given?.['validValues']) ? (given['validValues'] as unknown[]) : [])) ?? [];
  return value.length > 0 && names.some((name) => typeof name === 'string' && name !== value && name.startsWith(value)) ? 'truncated text' : 'new category';
}

/** What a violation of one record points at. A guess by its value; the violation itself is certain. */
export function faultKindOf({ rule, value }: Violation, property: ContractProperty | undefined): FaultKind {
  switch (rule) {
    case 'logicalType': return typeof value === 'string' && misreadText.test(value) ? 'encoding' : 'type';
    case 'required': case 'missingValues': return 'null burst';
    case 'minimum': case 'maximum': case 'exclusiveMinimum': case 'exclusiveMaximum': return rangeKind(value, property);
    case 'validValues': return categoryKind(value, property);
    case 'minLength': return 'truncated text';
    case 'pattern': case 'maxLength': return textKind(value, property);
    case 'unknown-field': return 'unknown column';
    default: return 'invalid values';
  }
}
