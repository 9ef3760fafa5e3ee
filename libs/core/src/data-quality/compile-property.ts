import type { Mistake } from '@millrace/contracts';
import type { ContractProperty } from './contract-document.js';

export interface Violation {
  readonly rule: string;
  readonly field: string;
  readonly value: unknown;
  readonly message: string;
}

export const logicalTypes = ['string', 'integer', 'number', 'boolean', 'date', 'timestamp', 'array', 'object'] as const;
export type LogicalType = (typeof logicalTypes)[number];

/** Judges one value that is present and not null. */
type Check = (value: unknown) => Violation | undefined;

export interface CompiledProperty {
  readonly name: string;
  readonly logicalType: LogicalType;
  readonly required: boolean;
  readonly checks: readonly Check[];
}

const isoDate = /^\d{4}-\d\d-\d\d$/;

const typeTests: Readonly<Record<LogicalType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => typeof value === 'number' && Number.isInteger(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  date: (value) => typeof value === 'string' && isoDate.test(value) && !Number.isNaN(Date.parse(value)),
  timestamp: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  array: Array.isArray,
  object: (value) => typeof value === 'object' && !Array.isArray(value),
};

interface Option {
  readonly fits: (bound: unknown) => boolean;
  readonly expects: string;
  readonly check: (bound: never, field: string) => Check;
}

const bound = (rule: string, field: string, breaks: (value: number) => boolean, sentence: (value: number) => string): Check => (value) =>
  typeof value === 'number' && breaks(value) ? { rule, field, value, message: sentence(value) } : undefined;
const length = (rule: string, field: string, breaks: (size: number) => boolean, sentence: string): Check => (value) =>
  typeof value === 'string' && breaks(value.length) ? { rule, field, value, message: `${field} ${sentence}` } : undefined;
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isSize = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0;

/** ODCS logicalTypeOptions that can be judged record by record. */
const options: Readonly<Record<string, Option>> = {
  minimum: { fits: isNumber, expects: 'a number', check: (min: number, field: string) => bound('minimum', field, (value) => value < min, (value) => `${field} ${value} is below ${min}`) },
  maximum: { fits: isNumber, expects: 'a number', check: (max: number, field: string) => bound('maximum', field, (value) => value > max, (value) => `${field} ${value} is above ${max}`) },
  exclusiveMinimum: { fits: isNumber, expects: 'a number', check: (min: number, field: string) => bound('exclusiveMinimum', field, (value) => value <= min, (value) => `${field} ${value} is not above ${min}`) },
  exclusiveMaximum: { fits: isNumber, expects: 'a number', check: (max: number, field: string) => bound('exclusiveMaximum', field, (value) => value >= max, (value) => `${field} ${value} is not below ${max}`) },
  minLength: { fits: isSize, expects: 'a length', check: (min: number, field: string) => length('minLength', field, (size) => size < min, `is shorter than ${min}`) },
  maxLength: { fits: isSize, expects: 'a length', check: (max: number, field: string) => length('maxLength', field, (size) => size > max, `is longer than ${max}`) },
  pattern: {
    fits: (text) => typeof text === 'string' && isPattern(text),
    expects: 'a regular expression',
    check: (text: string, field: string) => {
      const pattern = new RegExp(text, 'u');
      return (value) => (typeof value === 'string' && !pattern.test(value) ? { rule: 'pattern', field, value, message: `${field} ${JSON.stringify(value)} does not match ${text}` } : undefined);
    },
  },
};

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

function typeCheck(type: LogicalType, field: string): Check {
  const test = typeTests[type];
  return (value) => (test(value) ? undefined : { rule: 'logicalType', field, value, message: `${field} ${JSON.stringify(value)} is no ${type}` });
}

function validValuesCheck(values: readonly unknown[], field: string): Check {
  const allowed = new Set(values);
  return (value) => (allowed.has(value) ? undefined : { rule: 'validValues', field, value, message: `${field} ${JSON.stringify(value)} is none of ${values.slice(0, 8).join(', ')}${values.length > 8 ? ', …' : ''}` });
}

/** Compiles one property to closures; mistakes are added to `mistakes` with JSON pointers below `path`. */
export function compileProperty(property: ContractProperty, path: string, mistakes: Mistake[]): CompiledProperty {
  const { name } = property;
  const logicalType = logicalTypes.find((type) => type === (property.logicalType ?? 'string'));
  if (logicalType === undefined) mistakes.push({ path: `${path}/logicalType`, message: `${String(property.logicalType)} is none of ${logicalTypes.join(', ')}` });
  const checks: Check[] = [];
  for (const [key, value] of Object.entries(property.logicalTypeOptions ?? {})) {
    if (key === 'format') continue;
    const option = options[key];
    if (option === undefined) mistakes.push({ path: `${path}/logicalTypeOptions/${key}`, message: `${key} is not known; known are ${Object.keys(options).join(', ')}` });
    else if (!option.fits(value)) mistakes.push({ path: `${path}/logicalTypeOptions/${key}`, message: `must be ${option.expects}` });
    else checks.push(option.check(value as never, name));
  }
  let required = property.required ?? false;
  property.quality?.forEach((rule, index) => {
    const values = rule.arguments?.['validValues'];
    const metric = rule.metric ?? rule.rule;
    // Rules of other engines (sql, text, custom) are the producers’ own; a library rule must be one we keep.
    if (rule.type !== undefined && rule.type !== 'library') return;
    if (metric === 'invalidValues' && Array.isArray(values)) checks.push(validValuesCheck(values, name));
    else if (metric === 'nullValues' && rule.mustBe === 0) required = true;
    else mistakes.push({ path: `${path}/quality/${index}`, message: `${String(metric)} cannot be judged record by record; known are invalidValues with validValues, and nullValues mustBe 0` });
  });
  const type = logicalType ?? 'string';
  return { name, logicalType: type, required: required || property.primaryKey === true, checks: [typeCheck(type, name), ...checks] };
}
