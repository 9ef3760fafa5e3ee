import type { NumericProfile } from '../profile.js';

export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/**
 * Survival function of the Kolmogorov distribution, Q(λ) = 2 Σ (−1)^(j−1) exp(−2 j² λ²).
 * Below λ = 0.2 it is 1 to double precision.
 */
export function kolmogorovSurvival(lambda: number): number {
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let j = 1; j <= 100; j += 1) {
    const term = Math.exp(-2 * j * j * lambda * lambda);
    sum += j % 2 === 1 ? term : -term;
    if (term < 1e-18) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/**
 * Two-sample Kolmogorov–Smirnov on profiles with the same bins: D = max |F − G| over the bin edges (never larger than
 * the D of the raw values, so the test is conservative), and the asymptotic p-value with Stephens’ correction
 * λ = (√e + 0.12 + 0.11/√e) D, e = nm/(n+m) (M. A. Stephens, J. R. Statist. Soc. B 32, 1970). Nulls are left out.
 * @throws RangeError when bins differ or a profile is empty.
 */
export function twoSampleKs(a: NumericProfile, b: NumericProfile): TestResult {
  if (a.counts.length !== b.counts.length) throw new RangeError('profiles with different bins cannot be compared');
  if (a.n === 0 || b.n === 0) throw new RangeError('an empty profile cannot be compared');
  let [belowA, belowB, statistic] = [0, 0, 0];
  for (let bin = 0; bin < a.counts.length; bin += 1) {
    belowA += a.counts[bin] ?? 0;
    belowB += b.counts[bin] ?? 0;
    statistic = Math.max(statistic, Math.abs(belowA / a.n - belowB / b.n));
  }
  const root = Math.sqrt((a.n * b.n) / (a.n + b.n));
  return { statistic, pValue: kolmogorovSurvival((root + 0.12 + 0.11 / root) * statistic) };
}
