import { betaBinomialConcentration, betaBinomialEvidence } from './beta-binomial.js';

/** Positions among the sorted observations, from 1; 0 and n + 1 stand for −∞ and +∞. */
export interface QuantileRanks {
  readonly low: number;
  readonly high: number;
}

/**
 * Anytime-valid interval for the p-quantile as ranks among the n observations so far: with probability at least 1 − α the
 * quantile lies in [x₍low₎, x₍high₎] at every n together, whatever the distribution, ties included (S. Howard and A. Ramdas,
 * “Sequential estimation of quantiles with applications to A/B testing and best-arm identification”, Bernoulli 28, 2022, with
 * the beta-binomial boundary). The count of observations below the quantile is a Bernoulli(p) sum; the ranks are the counts
 * that its e-process has not refused. Nothing is kept: a sorted sample, or a quantile sketch whose rank error is added to
 * both sides, answers what stands at a rank. Costs about 2 log₂ n evaluations of the e-process.
 * @param tightest n at which the interval is narrowest.
 */
export function quantileRanks(n: number, p: number, alpha: number, tightest = 5_000): QuantileRanks {
  if (!(p > 0 && p < 1)) throw new RangeError('p must lie between 0 and 1');
  const needed = Math.log(1 / alpha);
  const concentration = betaBinomialConcentration(tightest, alpha);
  const refused = (count: number): boolean => betaBinomialEvidence(count, n, p, concentration) >= needed;
  const middle = Math.round(n * p);
  // The evidence is convex in the count and lowest near n p.
  const edge = (inside: number, outside: number): number => {
    if (!refused(outside)) return outside;
    let [kept, gone] = [inside, outside];
    while (Math.abs(gone - kept) > 1) {
      const half = Math.trunc((kept + gone) / 2);
      if (refused(half)) gone = half;
      else kept = half;
    }
    return kept;
  };
  return { low: edge(middle, 0), high: edge(middle, n) + 1 };
}

/** The interval on sorted observations. */
export function quantileInterval(sorted: ArrayLike<number>, p: number, alpha: number, tightest?: number): { estimate: number | null; low: number; high: number } {
  const n = sorted.length;
  if (n === 0) return { estimate: null, low: -Infinity, high: Infinity };
  const { low, high } = quantileRanks(n, p, alpha, tightest);
  return {
    estimate: sorted[Math.max(0, Math.ceil(n * p) - 1)] ?? null,
    low: low === 0 ? -Infinity : (sorted[low - 1] ?? -Infinity),
    high: high > n ? Infinity : (sorted[high - 1] ?? Infinity),
  };
}
