import type { ContractDocument, ContractQualityRule } from './contract-document.js';

const libraryMetrics = ['nullValues', 'missingValues', 'invalidValues', 'duplicateValues', 'rowCount'] as const;
/** Ours, as ODCS rules of type custom and engine millrace: ODCS has no metric for them. */
const ownMetrics = ['median', 'commonestLengthShare', 'longestRun'] as const;
export type DatasetMetric = (typeof libraryMetrics)[number] | (typeof ownMetrics)[number] | 'latency';

/** A limit on what all records together show. */
export interface DatasetRule {
  readonly metric: DatasetMetric;
  /** Columns that it is about; none for a count of rows. */
  readonly columns: readonly string[];
  /** Rows, percent of the rows that have a value to look at, milliseconds, or the column’s own unit. */
  readonly unit: 'rows' | 'percent' | 'ms' | 'own';
  readonly low: number;
  readonly high: number;
  /** Whether the limits themselves are allowed. */
  readonly inclusive: boolean;
  readonly validValues: ReadonlySet<unknown> | null;
  readonly missingValues: ReadonlySet<unknown> | null;
  readonly pattern: RegExp | null;
  /** A count of rows is held in each complete window of so many milliseconds of event time. */
  readonly windowMs: number | null;
}

const durationPattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/u;

/** Milliseconds of an ISO 8601 duration of days, hours, minutes and seconds; null for anything else. */
export function durationMs(text: unknown): number | null {
  const match = typeof text === 'string' ? durationPattern.exec(text) : null;
  if (match === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const ms = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
  return ms > 0 ? ms : null;
}

type Limits = Pick<DatasetRule, 'low' | 'high' | 'inclusive'>;

function limitsOf(rule: ContractQualityRule): Limits | null {
  const [low, high] = rule.mustBeBetween ?? [];
  if (low !== undefined && high !== undefined) return { low, high, inclusive: false };
  if (rule.mustBe !== undefined) return { low: rule.mustBe, high: rule.mustBe, inclusive: true };
  if (rule.mustBeGreaterThan !== undefined) return { low: rule.mustBeGreaterThan, high: Infinity, inclusive: false };
  if (rule.mustBeGreaterOrEqualTo !== undefined) return { low: rule.mustBeGreaterOrEqualTo, high: Infinity, inclusive: true };
  if (rule.mustBeLessThan !== undefined) return { low: -Infinity, high: rule.mustBeLessThan, inclusive: false };
  return rule.mustBeLessOrEqualTo === undefined ? null : { low: -Infinity, high: rule.mustBeLessOrEqualTo, inclusive: true };
}

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []);

function patternOf(text: unknown): RegExp | null {
  try {
    return typeof text === 'string' ? new RegExp(text, 'u') : null;
  } catch {
    return null;
  }
}

/** Rules of engine millrace carry their metric and limit in `implementation`. */
function unwrapped(rule: ContractQualityRule): ContractQualityRule {
  const inner = rule.implementation;
  return rule.type === 'custom' && typeof inner === 'object' && inner !== null ? { ...rule, ...inner } : rule;
}

/**
 * A rule on all records, or a sentence that says why it is none.
 * @param columns the property that carries the rule; null when the schema object does.
 */
export function datasetRuleOf(written: ContractQualityRule, columns: readonly string[] | null): DatasetRule | string {
  const rule = unwrapped(written);
  const name = rule.metric ?? rule.rule;
  const metric = [...libraryMetrics, ...ownMetrics].find((known) => known === name);
  if (metric === undefined) return `${String(name)} is no metric; known are ${[...libraryMetrics, ...ownMetrics].join(', ')}`;
  const limits = limitsOf(rule);
  if (limits === null) return `${metric} needs a limit such as mustBe, mustBeLessThan or mustBeBetween`;
  const { validValues, missingValues, pattern, properties, per } = rule.arguments ?? {};
  const over = metric === 'rowCount' ? [] : (columns ?? textsOf(properties));
  if (metric !== 'rowCount' && over.length === 0) return `${metric} needs arguments.properties, the columns it is about`;
  const expression = patternOf(pattern);
  if (metric === 'invalidValues' && !Array.isArray(validValues) && expression === null) return 'invalidValues needs arguments.validValues or a regular expression in arguments.pattern';
  if (per !== undefined && durationMs(per) === null) return 'arguments.per must be an ISO 8601 duration such as PT1H';
  return {
    metric, columns: over, ...limits, windowMs: durationMs(per),
    unit: metric === 'median' ? 'own' : rule.unit === 'percent' ? 'percent' : 'rows',
    // ODCS has mustBeBetween exclude its ends; a median may well sit on one.
    inclusive: metric === 'median' || limits.inclusive,
    validValues: Array.isArray(validValues) ? new Set(validValues) : null,
    missingValues: metric === 'missingValues' ? new Set(Array.isArray(missingValues) ? missingValues : [null, '']) : null,
    pattern: expression,
  };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, day: 86_400_000, days: 86_400_000 };

/** ODCS `latency` of the event time as rules in milliseconds; its usual unit is days. */
export function latencyRules(document: ContractDocument, schema: string, eventTimeField: string): DatasetRule[] {
  return (document.slaProperties ?? []).flatMap(({ property, value, unit = 'd', element }) => {
    const ms = (typeof value === 'number' ? value : NaN) * (unitMs[unit] ?? NaN);
    if (property !== 'latency' || !(ms >= 0) || eventTimeField === '' || (element !== undefined && element !== `${schema}.${eventTimeField}`)) return [];
    return [{ metric: 'latency', columns: [eventTimeField], unit: 'ms', low: -Infinity, high: ms, inclusive: true, validValues: null, missingValues: null, pattern: null, windowMs: null }];
  });
}
