import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import type { TestResult } from './test-result.js';

/** `hits` of `n`, both whole, 0 ≤ hits ≤ n. */
export interface Proportion {
  readonly hits: number;
  readonly n: number;
}

/** Below this expected count the normal approximation fails badly (0 of 5,000 against 3 of 200: 5e-18 instead of 6e-5). */
const expectedMin = 5;

/**
 * Two-sided test for equal proportions: pooled z, or Fisher’s exact test where an expected count is below 5 (W. G.
 * Cochran, Biometrics 10, 1954). `statistic` is z in both cases. p = 1 when both samples are all or none.
 */
export function twoProportion(a: Proportion, b: Proportion): TestResult {
  if (a.n === 0 || b.n === 0) throw new RangeError('an empty sample cannot be compared');
  const pooledShare = (a.hits + b.hits) / (a.n + b.n);
  const error = Math.sqrt(pooledShare * (1 - pooledShare) * (1 / a.n + 1 / b.n));
  if (error === 0) return { statistic: 0, pValue: 1 };
  const z = (a.hits / a.n - b.hits / b.n) / error;
  const expected = Math.min(pooledShare, 1 - pooledShare) * Math.min(a.n, b.n);
  return { statistic: z, pValue: expected < expectedMin ? fisherExact(a, b) : 2 * normalCdf(-Math.abs(z), 0, 1) };
}

/**
 * Fisher’s exact test, two-sided: the summed probability of every table with these margins that is no likelier than the
 * one seen (R. A. Fisher, Statistical Methods for Research Workers, 1934). Cost: the smaller of the rarer outcome’s count
 * and the smaller sample.
 */
export function fisherExact(a: Proportion, b: Proportion): number {
  const rare = Math.min(a.hits + b.hits, a.n + b.n - a.hits - b.hits);
  const [small, large] = a.n <= b.n ? [a, b] : [b, a];
  const seen = rare === a.hits + b.hits ? small.hits : small.n - small.hits;
  const [first, last] = [Math.max(0, rare - large.n), Math.min(rare, small.n)];
  // Hypergeometric weights relative to the mode, by the ratio of neighbours: no factorials, no overflow.
  const mode = Math.min(last, Math.max(first, Math.floor(((rare + 1) * (small.n + 1)) / (small.n + large.n + 2))));
  const ratio = (k: number): number => ((rare - k) * (small.n - k)) / ((k + 1) * (large.n - rare + k + 1));
  const weights = new Float64Array(last - first + 1);
  weights[mode - first] = 1;
  for (let k = mode; k < last; k += 1) weights[k + 1 - first] = (weights[k - first] ?? 0) * ratio(k);
  for (let k = mode; k > first; k -= 1) weights[k - 1 - first] = (weights[k - first] ?? 0) / ratio(k - 1);
  // Equal probabilities may differ in their last digits.
  const limit = (weights[seen - first] ?? 0) * (1 + 1e-7);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Math.min(1, weights.reduce((sum, weight) => (weight <= limit ? sum + weight : sum), 0) / total);
}

/** z with Φ(z) = p. */
export function normalQuantileOf(p: number): number {
  return normalQuantile(p, 0, 1);
}

/** Upper tail of the standard normal, 1 − Φ(z). */
export function normalSurvival(z: number): number {
  return normalCdf(-z, 0, 1);
}
