import type { Mistake } from '@millrace/contracts';
import type { ContractProperty, ContractQualityRule } from './contract-document.js';
import { datasetRuleOf, type DatasetRule } from './dataset-rules.js';
import { isIsoDate, isIsoTime, isIsoTimestamp } from './iso-time.js';
import { hints, logicalTypes, matchesPattern, propertyOptions, type Check, type LogicalType } from './property-options.js';

export interface CompiledProperty {
  readonly name: string;
  readonly logicalType: LogicalType;
  readonly required: boolean;
  readonly checks: readonly Check[];
  /** Rules that no single record can break. */
  readonly datasetRules: readonly DatasetRule[];
}

const typeTests: Readonly<Record<LogicalType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => typeof value === 'number' && Number.isInteger(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  date: isIsoDate,
  timestamp: isIsoTimestamp,
  time: isIsoTime,
  array: Array.isArray,
  object: (value) => typeof value === 'object' && !Array.isArray(value),
};

const temporal: ReadonlySet<LogicalType> = new Set(['date', 'timestamp', 'time']);

/** Dates and times with a `format` of their own are only asked to be text: other formats than ISO 8601 are not read. */
function typeCheck(type: LogicalType, field: string, ownFormat: boolean): Check {
  const test = typeTests[ownFormat && temporal.has(type) ? 'string' : type];
  return (value) => (test(value) ? undefined : { rule: 'logicalType', field, value, message: `${field} ${JSON.stringify(value)} is no ${type}` });
}

function shown(values: readonly unknown[]): string {
  return `${values.slice(0, 8).join(', ')}${values.length > 8 ? ', …' : ''}`;
}

function validValuesCheck(values: readonly unknown[], field: string): Check {
  const allowed = new Set(values);
  return (value) => (allowed.has(value) ? undefined : { rule: 'validValues', field, value, message: `${field} ${JSON.stringify(value)} is none of ${shown(values)}` });
}

function missingValuesCheck(values: readonly unknown[], field: string): Check {
  const missing = new Set(values);
  return (value) => (missing.has(value) ? { rule: 'missingValues', field, value, message: `${field} ${JSON.stringify(value)} stands for a missing value` } : undefined);
}

function optionChecks(property: ContractProperty, type: LogicalType | undefined, path: string, mistakes: Mistake[]): Check[] {
  const checks: Check[] = [];
  for (const [key, value] of Object.entries(property.logicalTypeOptions ?? {})) {
    if (hints.has(key)) continue;
    const place = `${path}/logicalTypeOptions/${key}`;
    const option = Object.hasOwn(propertyOptions, key) ? propertyOptions[key] : undefined;
    if (option === undefined) {
      mistakes.push({ path: place, message: `${key} is not known; known are ${Object.keys(propertyOptions).join(', ')}` });
      continue;
    }
    // The unknown type is a mistake of its own.
    if (type === undefined) continue;
    if (!option.types.includes(type)) {
      mistakes.push({ path: place, message: `${key} says nothing about a ${type}; it is for ${option.types.join(', ')}` });
      continue;
    }
    const check = option.compile(value, property.name, type);
    if (typeof check === 'function') checks.push(check);
    else mistakes.push({ path: place, message: `must be ${check.expects}` });
  }
  return checks;
}

interface QualityChecks {
  readonly checks: readonly Check[];
  readonly required: boolean;
  readonly datasetRules: readonly DatasetRule[];
}

/** Rules that one record can break, and rules on all records together. Rules of other engines (sql, text, custom) are the producers’ own. */
function qualityChecks(property: ContractProperty, type: LogicalType, path: string, mistakes: Mistake[]): QualityChecks {
  const checks: Check[] = [];
  const datasetRules: DatasetRule[] = [];
  let required = false;
  property.quality?.forEach((rule, index) => {
    if (rule.type !== undefined && rule.type !== 'library' && rule.engine !== 'millrace') return;
    const metric = rule.metric ?? rule.rule;
    const { validValues, missingValues, pattern } = rule.arguments ?? {};
    const place = `${path}/quality/${index}`;
    const strict = rule.mustBe === 0 || !tolerates(rule);
    if (metric === 'invalidValues' && Array.isArray(validValues) && strict) checks.push(validValuesCheck(validValues, property.name));
    else if (metric === 'invalidValues' && pattern !== undefined && strict) {
      const check = matchesPattern(pattern, property.name, type);
      if (typeof check === 'function') checks.push(check);
      else mistakes.push({ path: `${place}/arguments/pattern`, message: `must be ${check.expects}` });
    } else if (metric === 'missingValues' && Array.isArray(missingValues) && rule.mustBe === 0) {
      checks.push(missingValuesCheck(missingValues, property.name));
      required ||= missingValues.includes(null);
    } else if (metric === 'nullValues' && rule.mustBe === 0) required = true;
    else {
      const compiled = datasetRuleOf(rule, [property.name]);
      if (typeof compiled === 'string') mistakes.push({ path: place, message: compiled });
      else datasetRules.push(compiled);
    }
  });
  return { checks, required, datasetRules };
}

/** Rules without a limit, as they were written before ODCS 3.1, mean: none at all. */
const tolerates = ({ mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, mustBeLessOrEqualTo, mustBeBetween }: ContractQualityRule): boolean =>
  [mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, mustBeLessOrEqualTo, mustBeBetween].some((limit) => limit !== undefined);

/** Compiles one property to closures; mistakes are added to `mistakes` with JSON pointers below `path`. */
export function compileProperty(property: ContractProperty, path: string, mistakes: Mistake[]): CompiledProperty {
  const { name } = property;
  const known = logicalTypes.find((type) => type === (property.logicalType ?? 'string'));
  if (known === undefined) mistakes.push({ path: `${path}/logicalType`, message: `${String(property.logicalType)} is none of ${logicalTypes.join(', ')}` });
  const options = optionChecks(property, known, path, mistakes);
  const logicalType = known ?? 'string';
  const quality = qualityChecks(property, logicalType, path, mistakes);
  const ownFormat = property.logicalTypeOptions?.['format'] !== undefined;
  return {
    name,
    logicalType,
    required: (property.required ?? false) || property.primaryKey === true || quality.required,
    checks: [typeCheck(logicalType, name, ownFormat), ...options, ...quality.checks],
    datasetRules: quality.datasetRules,
  };
}
