import { aucOf, isotonicOfSorted, isotonicAt, normalQuantileOf, type MeasuredMetric, type PerformanceSums } from '../statistics/index.js';

/**
 * Scores of a binary model in equal bins of [0, 1]. Binned, labelled rows and whole windows add up over partitions and cost
 * some hundred numbers; within a bin of 0.005 a calibrated probability hardly changes, and the decision at 0.5 is an edge.
 */
export const calibrationBins = 200;

export const calibrationBinOf = (score: number): number => Math.min(calibrationBins - 1, Math.max(0, Math.floor(score * calibrationBins)));

/** Labelled rows by score: what a version’s probabilities turned out to be worth when it was made. Plain JSON. */
export interface Calibration {
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

/** Rows by score, sparse: bin → rows. Merged by adding. Plain JSON. */
export type ScoreCounts = Record<string, number>;

export function observeScore(counts: ScoreCounts, score: number, rows = 1): void {
  const bin = calibrationBinOf(score);
  counts[bin] = (counts[bin] ?? 0) + rows;
}

export function mergeScores(a: ScoreCounts, b: ScoreCounts): ScoreCounts {
  const merged = { ...a };
  for (const [bin, rows] of Object.entries(b)) merged[bin] = (merged[bin] ?? 0) + rows;
  return merged;
}

const inBins = (counts: readonly number[]): number[] => {
  const binned = new Array<number>(calibrationBins).fill(0);
  counts.forEach((rows, fine) => {
    const bin = Math.min(calibrationBins - 1, Math.floor((fine * calibrationBins) / counts.length));
    binned[bin] = (binned[bin] ?? 0) + rows;
  });
  return binned;
};

/** Of binary outcomes; null for another task or none. */
export function calibrationOf({ task, positives, negatives, n }: PerformanceSums): Calibration | null {
  return task !== 'binary' || n === 0 ? null : { positives: inBins(positives), negatives: inBins(negatives) };
}

const centres = Float64Array.from({ length: calibrationBins }, (_, bin) => (bin + 0.5) / calibrationBins);

/** Probability of the positive class in each bin, by isotonic regression on labelled rows. */
export function calibratedBins(positives: ArrayLike<number>, negatives: ArrayLike<number>): Float64Array {
  const rows = Float64Array.from(centres, (_, bin) => (positives[bin] ?? 0) + (negatives[bin] ?? 0));
  const shares = Float64Array.from(rows, (n, bin) => (n > 0 ? (positives[bin] ?? 0) / n : 0));
  const fit = isotonicOfSorted(centres, shares, rows);
  return Float64Array.from(centres, (centre) => isotonicAt(fit, centre));
}

/** Poisson by inversion below 30, by the rounded normal above. */
function poisson(mean: number, uniform: () => number): number {
  if (mean <= 0) return 0;
  if (mean >= 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normalQuantileOf(clamp(uniform()))));
  let [count, term, rest] = [0, Math.exp(-mean), uniform()];
  while (rest > term && count < 200) {
    rest -= term;
    count += 1;
    term *= mean / count;
  }
  return count;
}

/** Binomial by its trials below 30, by the rounded normal above. */
function binomial(n: number, p: number, uniform: () => number): number {
  if (n * Math.min(p, 1 - p) >= 10) return Math.min(n, Math.max(0, Math.round(n * p + Math.sqrt(n * p * (1 - p)) * normalQuantileOf(clamp(uniform())))));
  let hits = 0;
  for (let trial = 0; trial < n; trial += 1) if (uniform() < p) hits += 1;
  return hits;
}

const clamp = (u: number): number => Math.min(1 - 1e-12, Math.max(1e-12, u));

/** One window’s labels as they might be: the calibration drawn anew from its labelled rows (Poisson bootstrap), then each label. */
export function drawLabels({ positives, negatives }: Calibration, rows: readonly number[], uniform: () => number): { positives: number[]; negatives: number[] } {
  const again = (counts: readonly number[]): Float64Array => Float64Array.from(counts, (count) => poisson(count, uniform));
  const probabilities = calibratedBins(again(positives), again(negatives));
  const drawn = rows.map((n, bin) => (n === 0 ? 0 : binomial(n, probabilities[bin] || 0, uniform)));
  return { positives: drawn, negatives: rows.map((n, bin) => n - (drawn[bin] ?? 0)) };
}

export const binnedMetrics = ['accuracy', 'auc', 'positive-rate'] as const;
export type BinnedMetric = Pick<MeasuredMetric, 'value'> & { readonly name: (typeof binnedMetrics)[number] };

/** Metrics of (expected) labels by score bin, at the decision threshold 0.5. Those that are not defined are left out. */
export function metricsOfBins(positives: readonly number[], negatives: readonly number[]): BinnedMetric[] {
  let [right, truths, rows] = [0, 0, 0];
  for (let bin = 0; bin < calibrationBins; bin += 1) {
    const [p, q] = [positives[bin] ?? 0, negatives[bin] ?? 0];
    right += bin >= calibrationBins / 2 ? p : q;
    truths += p;
    rows += p + q;
  }
  if (rows === 0) return [];
  const auc = aucOf(positives, negatives);
  return [{ name: 'accuracy', value: right / rows }, ...(auc === null ? [] : [{ name: 'auc' as const, value: auc.value }]), { name: 'positive-rate', value: truths / rows }];
}
