import { wilsonInterval } from '../statistics/index.js';
import type { ContractProperty, ContractQualityRule } from './contract-document.js';
import { cleanTextPattern } from './fault-kinds.js';
import { quantilesOf, type ColumnEvidence, type ColumnType } from './infer-contract-column.js';
import { endSpacing, rises, roundedOut, upperBound } from './infer-contract-tails.js';
import { formOf } from './infer-contract-text.js';

type Options = NonNullable<ContractProperty['logicalTypeOptions']>;
interface Found {
  readonly options?: Options;
  readonly quality?: readonly ContractQualityRule[];
}

const presentOf = ({ rows, nulls }: ColumnEvidence): number => rows - nulls;
const percent = (share: number): number => Number((100 * share).toPrecision(3));

/** What 1 in 1,000 columns with this share would show at most. */
const shareAtMost = (hits: number, n: number): number => wilsonInterval(hits, n, 0.998).high;

/** Values that never fall below 0, and whose density does not fade out before it, are counted from 0. */
function lowestAllowed(column: ColumnEvidence, integer: boolean): number | null {
  if (rises(column.low)) return null;
  const least = -(column.low.top[0] ?? 0);
  const bound = upperBound(column.low, (column.high.top[0] ?? 1) <= 0);
  if (bound === null) return null;
  const [q1 = 0, q3 = 0] = quantilesOf(column, [0.25, 0.75]);
  const hardEdge = endSpacing(column.low) <= 0.05 * (q3 - q1);
  if (least >= 0 && -bound < 0 && (integer || hardEdge)) return 0;
  return -bound;
}

const [rowsForMedian, partsOutside] = [200, 0.1];

/** The median of a further file lies between the first and the last tenth of this one: wide enough for drift, too narrow for another unit or column. */
function medianRule(column: ColumnEvidence): ContractQualityRule[] {
  const [low = 0, high = 0] = quantilesOf(column, [partsOutside, 1 - partsOutside]);
  if (column.numbers < rowsForMedian || !(low < high)) return [];
  return [{ type: 'custom', engine: 'millrace', description: 'the median lies where the middle 80 % of the values lay', implementation: { metric: 'median', mustBeBetween: [low, high] } }];
}

export function numberRules(column: ColumnEvidence, type: 'integer' | 'number'): Found {
  const integer = type === 'integer';
  const [low, high] = [lowestAllowed(column, integer), rises(column.high) ? null : upperBound(column.high, (column.low.top[0] ?? 1) <= 0)];
  const options: Options = {};
  if (low !== null) options['minimum'] = integer ? Math.floor(roundedOut(low, 'down')) : roundedOut(low, 'down');
  if (high !== null) options['maximum'] = integer ? Math.ceil(roundedOut(high, 'up')) : roundedOut(high, 'up');
  const moving = rises(column.high) || rises(column.low);
  return { options, quality: moving ? [] : medianRule(column) };
}

/** A clock that stands still gives more rows on end its time than ever had one in common; twice the bound and ten more leave room for bursts. */
function runRule({ time }: ColumnEvidence): ContractQualityRule[] {
  const bound = upperBound(time.runs, true);
  if (bound === null) return [];
  return [{ type: 'custom', engine: 'millrace', description: 'a clock that stands still gives many rows on end the same time', implementation: { metric: 'longestRun', mustBeLessThan: Math.ceil(2 * Math.max(bound, time.run) + 10) } }];
}

/** Times go on: only what lies before all of them, by more than their whole span, is refused. */
export function timeRules(column: ColumnEvidence, eventTime: boolean): Found {
  const { min, max, repeats } = column.time;
  if (!Number.isFinite(min)) return {};
  const earliest = Math.max(min - Math.max(max - min, 86_400_000), -62_135_596_800_000);
  const options: Options = { minimum: new Date(Math.floor(earliest / 1_000) * 1_000).toISOString().replace('.000Z', 'Z') };
  const share = repeats / Math.max(1, presentOf(column));
  if (!eventTime) return { options };
  if (share >= 0.5) return { options, quality: runRule(column) };
  const limit = percent(shareAtMost(repeats, presentOf(column)) + Math.max(0.02, share / 2));
  return { options, quality: [{ type: 'library', metric: 'duplicateValues', unit: 'percent', mustBeLessThan: limit, description: 'a clock that stands still repeats its time' }, ...runRule(column)] };
}

const [namesListed, singlesListed] = [500, 2];

/**
 * The part of further values with a name that has not been seen is about (names seen once)/n (I. J. Good, Biometrika 40, 1953). Where
 * that is next to nothing the names are a closed list; where it is little, a limited share may be new.
 */
function categoryRules(column: ColumnEvidence): Found | null {
  const { names } = column;
  const n = column.texts;
  if (names === null || names.size === 0 || names.size > namesListed || names.size * 20 > n) return null;
  const singles = [...names.values()].filter((count) => count === 1).length;
  const listed = [...names].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name);
  const rule = { type: 'library', metric: 'invalidValues', arguments: { validValues: listed } };
  if (singles <= singlesListed) return { quality: [{ ...rule, mustBe: 0 }] };
  if (singles / n > 0.02) return null;
  return { quality: [{ ...rule, unit: 'percent', mustBeLessThan: percent(2 * shareAtMost(singles, n) + 0.001), description: 'rare names are expected, but not many' }] };
}

/** Texts that were cut off pile up at one length. */
function lengthRule(column: ColumnEvidence): ContractQualityRule[] {
  const most = Math.max(0, ...column.lengths.counts.values());
  const share = shareAtMost(most, column.texts);
  if (column.texts < 100 || share > 0.5) return [];
  const limit = percent(share + Math.max(0.02, share / 2));
  return [{ type: 'custom', engine: 'millrace', description: 'texts that were cut off pile up at one length', implementation: { metric: 'commonestLengthShare', unit: 'percent', mustBeLessThan: limit } }];
}

function lengthOptions(column: ColumnEvidence, open: boolean): Options {
  const [shortest, longest] = [upperBound(column.lengths.low, false), open ? null : upperBound(column.lengths.high, true)];
  return { ...(shortest === null || shortest > -1 ? {} : { minLength: Math.floor(-shortest) }), ...(longest === null ? {} : { maxLength: Math.ceil(longest) }) };
}

export function textRules(column: ColumnEvidence): Found {
  const categories = categoryRules(column);
  if (categories !== null) return categories;
  const form = formOf(column.form);
  if (form !== null) {
    const options = { pattern: form.pattern, ...lengthOptions(column, form.open) };
    return { options, quality: form.fixedLength || form.open ? [] : lengthRule(column) };
  }
  return { options: { ...lengthOptions(column, false), ...(column.misread || column.texts === 0 ? {} : { pattern: cleanTextPattern }) }, quality: lengthRule(column) };
}

const rowsForRequired = 50;

/** A column without nulls stays without; one with some keeps about their share. */
export function nullRules(column: ColumnEvidence): { required: boolean; quality: readonly ContractQualityRule[] } {
  const { rows, nulls } = column;
  if (rows < rowsForRequired) return { required: false, quality: [] };
  if (nulls === 0) return { required: true, quality: [] };
  const share = shareAtMost(nulls, rows);
  const limit = percent(share + Math.max(0.01, share / 8));
  return { required: false, quality: limit >= 100 ? [] : [{ type: 'library', metric: 'nullValues', unit: 'percent', mustBeLessThan: limit }] };
}

export function rulesOf(column: ColumnEvidence, type: ColumnType, eventTime: boolean): Found {
  switch (type) {
    case 'integer': case 'number': return numberRules(column, type);
    case 'timestamp': case 'date': return timeRules(column, eventTime);
    case 'string': return textRules(column);
    default: return {};
  }
}
