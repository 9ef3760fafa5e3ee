import { wilsonInterval } from '../statistics/index.js';

/** What is needed of one judged row. */
export interface GroupOutcome {
  readonly group: string;
  /** The model decided for the positive class. */
  readonly selected: boolean;
  /** The truth; null while the label has not come. */
  readonly positive: boolean | null;
}

export interface GroupCounts {
  n: number;
  selected: number;
  positives: number;
  truePositives: number;
  negatives: number;
  falsePositives: number;
}

/** By group, mergeable by adding; plain JSON. */
export type FairnessCounts = Record<string, GroupCounts>;

/** Counts one row, in place. */
export function observeGroup(counts: FairnessCounts, { group, selected, positive }: GroupOutcome): void {
  const own = Object.hasOwn(counts, group) ? counts[group] : undefined;
  const cell = own ?? { n: 0, selected: 0, positives: 0, truePositives: 0, negatives: 0, falsePositives: 0 };
  if (own === undefined) Object.defineProperty(counts, group, { value: cell, enumerable: true, writable: true, configurable: true });
  cell.n += 1;
  if (selected) cell.selected += 1;
  if (positive === true) {
    cell.positives += 1;
    if (selected) cell.truePositives += 1;
  } else if (positive === false) {
    cell.negatives += 1;
    if (selected) cell.falsePositives += 1;
  }
}

/** Adds the counts of two states, group by group. */
export function mergeFairness(a: FairnessCounts, b: FairnessCounts): FairnessCounts {
  const merged: FairnessCounts = {};
  for (const [group, cell] of [...Object.entries(a), ...Object.entries(b)]) {
    const own = Object.hasOwn(merged, group) ? merged[group] : undefined;
    const sum: GroupCounts = own === undefined ? { ...cell } : {
      n: own.n + cell.n, selected: own.selected + cell.selected, positives: own.positives + cell.positives,
      truePositives: own.truePositives + cell.truePositives, negatives: own.negatives + cell.negatives, falsePositives: own.falsePositives + cell.falsePositives,
    };
    Object.defineProperty(merged, group, { value: sum, enumerable: true, writable: true, configurable: true });
  }
  return merged;
}

export const fairnessMeasures = ['selection-rate', 'true-positive-rate', 'false-positive-rate'] as const;
export type FairnessMeasure = (typeof fairnessMeasures)[number];

export interface Rate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
}

const part = (measure: FairnessMeasure, { n, selected, positives, truePositives, negatives, falsePositives }: GroupCounts): [number, number] =>
  measure === 'selection-rate' ? [selected, n] : measure === 'true-positive-rate' ? [truePositives, positives] : [falsePositives, negatives];

/** A group’s rate with Wilson’s interval (E. B. Wilson, JASA 22, 1927). */
export function groupRate(measure: FairnessMeasure, counts: GroupCounts, confidence = 0.95): Rate {
  const [k, n] = part(measure, counts);
  return n === 0 ? { value: null, low: null, high: null, n } : { value: k / n, ...wilsonInterval(k, n, confidence), n };
}

/** Rate of a minus rate of b, with R. G. Newcombe’s hybrid score interval (method 10, Statist. Med. 17, 1998). */
export function rateDifference(a: Rate, b: Rate): Rate {
  const n = Math.min(a.n, b.n);
  if (a.value === null || b.value === null || a.low === null || a.high === null || b.low === null || b.high === null) return { value: null, low: null, high: null, n };
  const value = a.value - b.value;
  return { value, low: value - Math.hypot(a.value - a.low, b.high - b.value), high: value + Math.hypot(a.high - a.value, b.value - b.low), n };
}

export interface FairnessRule {
  readonly measure: FairnessMeasure | 'equalised-odds';
  /** Largest tolerated difference between any two groups, in points of the rate (0.1: ten points). */
  readonly differenceMax: number;
}

export interface FairnessFinding {
  readonly measure: FairnessMeasure;
  /** Lowest and highest group; null when fewer than two groups are large enough. */
  readonly lowest: string | null;
  readonly highest: string | null;
  readonly difference: Rate;
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
  readonly reason: string;
}

const percent = (share: number | null): string => (share === null ? '–' : `${(100 * share).toFixed(1)} %`);

function judgeMeasure(measure: FairnessMeasure, counts: FairnessCounts, differenceMax: number, nMin: number, alpha: number): FairnessFinding {
  const large = Object.entries(counts).filter(([, cell]) => part(measure, cell)[1] >= nMin);
  const none: Rate = { value: null, low: null, high: null, n: 0 };
  if (large.length < 2) return { measure, lowest: null, highest: null, difference: none, outcome: 'inconclusive', reason: `fewer than two groups have ${nMin} rows` };
  // The pair is chosen after looking, so the error is shared among all pairs (Bonferroni).
  const pairs = (large.length * (large.length - 1)) / 2;
  const rated = large.map(([group, cell]) => ({ group, rate: groupRate(measure, cell, 1 - alpha / pairs) })).sort((a, b) => (a.rate.value ?? 0) - (b.rate.value ?? 0));
  let worst: { low: string; high: string; difference: Rate } | undefined;
  for (const [index, low] of rated.entries()) {
    for (const high of rated.slice(index + 1)) {
      const difference = rateDifference(high.rate, low.rate);
      if (worst === undefined || (difference.low ?? -1) > (worst.difference.low ?? -1)) worst = { low: low.group, high: high.group, difference };
    }
  }
  const { low = '', high = '', difference = none } = worst ?? {};
  const tale = `${measure} of ${high} is ${percent(difference.value)} above that of ${low} (${percent(1 - alpha)} interval ${percent(difference.low)} to ${percent(difference.high)}, smaller group ${difference.n} rows; tolerated ${percent(differenceMax)})`;
  const outcome = (difference.low ?? -1) > differenceMax ? 'failed' : (difference.high ?? 1) <= differenceMax ? 'passed' : 'inconclusive';
  return { measure, lowest: low, highest: high, difference, outcome, reason: tale };
}

/**
 * Judges group differences: a rule fails only when the interval of the largest difference, corrected for the choice of the
 * pair, lies wholly above what is tolerated; groups below `nMin` rows are not judged. Equalised odds is judged on true and
 * false positive rates (the larger difference, M. Hardt et al., NeurIPS 2016).
 */
export function judgeFairness(counts: FairnessCounts, rules: readonly FairnessRule[], policy: { readonly nMin: number; readonly alpha: number }): FairnessFinding[] {
  return rules.flatMap(({ measure, differenceMax }) => {
    const measures: readonly FairnessMeasure[] = measure === 'equalised-odds' ? ['true-positive-rate', 'false-positive-rate'] : [measure];
    return measures.map((each) => judgeMeasure(each, counts, differenceMax, policy.nMin, policy.alpha / measures.length));
  });
}
