import { isIsoDate, isIsoTime, isIsoTimestamp, isoTimestampMs } from './iso-time.js';

export interface Violation {
  readonly rule: string;
  readonly field: string;
  readonly value: unknown;
  readonly message: string;
}

export const logicalTypes = ['string', 'integer', 'number', 'boolean', 'date', 'timestamp', 'time', 'array', 'object'] as const;
export type LogicalType = (typeof logicalTypes)[number];

/** Judges one value that is present, not null and of the property’s logical type. */
export type Check = (value: unknown) => Violation | undefined;

/** A check, or what the contract should have said instead. */
type Compiled = Check | { readonly expects: string };

type CompileOption = (bound: unknown, field: string, type: LogicalType) => Compiled;

const isSize = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isFiniteNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** How values of an ordered type are laid on a line; undefined for what is not of that type. */
const placeOf: Partial<Record<LogicalType, { readonly of: (value: unknown) => number | string | undefined; readonly expects: string }>> = {
  integer: { of: (value) => (isFiniteNumber(value) ? value : undefined), expects: 'a number' },
  number: { of: (value) => (isFiniteNumber(value) ? value : undefined), expects: 'a number' },
  date: { of: (value) => (isIsoDate(value) ? value : undefined), expects: 'an ISO 8601 date' },
  timestamp: { of: (value) => (isIsoTimestamp(value) ? isoTimestampMs(value) : undefined), expects: 'an ISO 8601 timestamp' },
  time: { of: (value) => (isIsoTime(value) ? value : undefined), expects: 'an ISO 8601 time of day' },
};

const ordered = (rule: string, breaks: (place: number | string, bound: number | string) => boolean, word: string): CompileOption => (bound, field, type) => {
  const line = placeOf[type];
  const limit = line?.of(bound);
  if (line === undefined || limit === undefined) return { expects: line?.expects ?? 'absent' };
  const { of } = line;
  return (value) => {
    const place = of(value);
    return place !== undefined && breaks(place, limit) ? { rule, field, value, message: `${field} ${String(value)} is ${word} ${String(bound)}` } : undefined;
  };
};

const sized = (rule: string, sizeOf: (value: unknown) => number | undefined, breaks: (size: number, bound: number) => boolean, sentence: string): CompileOption => (bound, field) => {
  if (!isSize(bound)) return { expects: 'a size' };
  return (value) => {
    const size = sizeOf(value);
    return size !== undefined && breaks(size, bound) ? { rule, field, value, message: `${field} ${sentence} ${bound}` } : undefined;
  };
};

const lengthOf = (value: unknown): number | undefined => (typeof value === 'string' ? value.length : undefined);
const itemsOf = (value: unknown): number | undefined => (Array.isArray(value) ? value.length : undefined);
const membersOf = (value: unknown): number | undefined => (typeof value === 'object' && value !== null ? Object.keys(value).length : undefined);
const below = (a: number | string, b: number | string): boolean => a < b;
const above = (a: number | string, b: number | string): boolean => a > b;

const multipleOf: CompileOption = (by, field) => {
  if (!isFiniteNumber(by) || by <= 0) return { expects: 'a number above 0' };
  return (value) => {
    if (typeof value !== 'number') return undefined;
    const times = value / by;
    // Decimal steps such as 0.1 have no exact binary form.
    const whole = Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times));
    return whole ? undefined : { rule: 'multipleOf', field, value, message: `${field} ${value} is no multiple of ${by}` };
  };
};

/** The pattern of an option or a quality rule. It may match anywhere, as JSON Schema has it; anchor it with ^ and $. */
export const matchesPattern: CompileOption = (text, field) => {
  let pattern: RegExp;
  try {
    pattern = new RegExp(typeof text === 'string' ? text : '(', 'u');
  } catch {
    return { expects: 'a regular expression' };
  }
  return (value) => (typeof value === 'string' && !pattern.test(value) ? { rule: 'pattern', field, value, message: `${field} ${JSON.stringify(value)} does not match ${String(text)}` } : undefined);
};

const uniqueItems: CompileOption = (wanted, field) => {
  if (typeof wanted !== 'boolean') return { expects: 'true or false' };
  return (value) => {
    if (!wanted || !Array.isArray(value)) return undefined;
    const distinct = new Set(value.map((item) => JSON.stringify(item)));
    return distinct.size === value.length ? undefined : { rule: 'uniqueItems', field, value, message: `${field} holds an item twice` };
  };
};

const orderedTypes: readonly LogicalType[] = ['integer', 'number', 'date', 'timestamp', 'time'];
const numberTypes: readonly LogicalType[] = ['integer', 'number'];

/** ODCS 3.1 logicalTypeOptions that can be judged record by record, and the logical types they belong to. */
export const propertyOptions: Readonly<Record<string, { readonly types: readonly LogicalType[]; readonly compile: CompileOption }>> = {
  minimum: { types: orderedTypes, compile: ordered('minimum', below, 'below') },
  maximum: { types: orderedTypes, compile: ordered('maximum', above, 'above') },
  exclusiveMinimum: { types: orderedTypes, compile: ordered('exclusiveMinimum', (a, b) => a <= b, 'not above') },
  exclusiveMaximum: { types: orderedTypes, compile: ordered('exclusiveMaximum', (a, b) => a >= b, 'not below') },
  multipleOf: { types: numberTypes, compile: multipleOf },
  minLength: { types: ['string'], compile: sized('minLength', lengthOf, below, 'is shorter than') },
  maxLength: { types: ['string'], compile: sized('maxLength', lengthOf, above, 'is longer than') },
  pattern: { types: ['string'], compile: matchesPattern },
  minItems: { types: ['array'], compile: sized('minItems', itemsOf, below, 'has fewer items than') },
  maxItems: { types: ['array'], compile: sized('maxItems', itemsOf, above, 'has more items than') },
  uniqueItems: { types: ['array'], compile: uniqueItems },
  minProperties: { types: ['object'], compile: sized('minProperties', membersOf, below, 'has fewer members than') },
  maxProperties: { types: ['object'], compile: sized('maxProperties', membersOf, above, 'has more members than') },
};

/** Hints on storage and reading that say nothing about a JSON value’s validity. */
export const hints: ReadonlySet<string> = new Set(['format', 'timezone', 'defaultTimezone']);
