import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import type { TestResult } from './two-sample-ks.js';

/** Two-sided pooled z-test for equal proportions; `statistic` is z. p = 1 when both samples are all or none. */
export function twoProportion(a: { readonly hits: number; readonly n: number }, b: { readonly hits: number; readonly n: number }): TestResult {
  if (a.n === 0 || b.n === 0) throw new RangeError('an empty sample cannot be compared');
  const pooledShare = (a.hits + b.hits) / (a.n + b.n);
  const error = Math.sqrt(pooledShare * (1 - pooledShare) * (1 / a.n + 1 / b.n));
  if (error === 0) return { statistic: 0, pValue: 1 };
  const z = (a.hits / a.n - b.hits / b.n) / error;
  return { statistic: z, pValue: 2 * normalCdf(-Math.abs(z), 0, 1) };
}

/** z with Φ(z) = p. */
export function normalQuantileOf(p: number): number {
  return normalQuantile(p, 0, 1);
}

/** Upper tail of the standard normal, 1 − Φ(z). */
export function normalSurvival(z: number): number {
  return normalCdf(-z, 0, 1);
}

/** Wilson’s interval for a proportion (E. B. Wilson, JASA 22, 1927), confidence in (0, 1). */
export function wilsonInterval(hits: number, n: number, confidence = 0.95): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const z = normalQuantileOf(1 - (1 - confidence) / 2);
  const share = hits / n;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
