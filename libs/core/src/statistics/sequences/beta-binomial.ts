import logGamma from '@stdlib/math-base-special-gammaln';

/**
 * E-process for a known chance p of hits: the likelihood under a beta mixture of chances around p over that under p (Robbins
 * 1970; M. Lindon and A. Malek, “Anytime-valid inference for multinomial count data”, NeurIPS 2022). Under p it is a
 * martingale that starts at 1, so it passes 1/α at any time with probability at most α. Plain JSON; constant cost.
 */
export interface BetaBinomialProcess {
  readonly v: 1;
  readonly p: number;
  /** Pseudo-observations behind the mixture: the larger, the smaller the difference from p that is found fastest. */
  readonly concentration: number;
  n: number;
  hits: number;
  /** ln of the e-process. */
  evidence: number;
}

/** @throws RangeError when p or the concentration makes no sense. */
export function startBetaBinomial(p: number, concentration: number): BetaBinomialProcess {
  if (!(p > 0 && p < 1)) throw new RangeError('p must lie between 0 and 1');
  if (!(concentration > 0)) throw new RangeError('the concentration must be above 0');
  return { v: 1, p, concentration, n: 0, hits: 0, evidence: 0 };
}

/** Takes in one trial, in place: the mixture’s predictive chance of it over its chance under p. */
export function observeTrial(process: BetaBinomialProcess, hit: boolean): void {
  const { p, concentration, n, hits } = process;
  const predicted = (hits + concentration * p) / (n + concentration);
  process.evidence += hit ? Math.log(predicted / p) : Math.log((1 - predicted) / (1 - p));
  process.n = n + 1;
  process.hits = hits + (hit ? 1 : 0);
}

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** The same from counts alone: the order of the trials does not matter. */
export function betaBinomialEvidence(hits: number, n: number, p: number, concentration: number): number {
  const [a, b] = [concentration * p, concentration * (1 - p)];
  return logBeta(a + hits, b + n - hits) - logBeta(a, b) - hits * Math.log(p) - (n - hits) * Math.log1p(-p);
}

/** The concentration whose boundary is tightest, for this α, about where n = `tightest` (the normal mixture’s rule). */
export function betaBinomialConcentration(tightest: number, alpha: number): number {
  const log = 2 * Math.log(1 / alpha);
  return Math.max(1, tightest / (log + Math.log(1 + log)) - 1);
}
