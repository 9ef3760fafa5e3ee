import { normalSurvival } from '../tests/two-proportion.js';

/**
 * The normal-mixture boundary: for sums S of centred observations with known variance V of the sum, exact for normal
 * observations and asymptotic for others (H. Robbins, Ann. Math. Stat. 41, 1970; S. Howard et al., “Time-uniform,
 * nonparametric, nonasymptotic confidence sequences”, Ann. Stat. 49, 2021, §3.2; I. Waudby-Smith et al., “Time-uniform central
 * limit theory and asymptotic confidence sequences”, Ann. Stat. 52, 2024). Pure functions of S and V: nothing to keep.
 */
export type Sides = 'one' | 'two';

/** The mixing precision ρ (in units of V) whose boundary is tightest, for this α, about where V = `tightest`. */
export function mixturePrecision(tightest: number, alpha: number, sides: Sides): number {
  const log = 2 * Math.log(1 / (sides === 'two' ? alpha : Math.min(0.99, 2 * alpha)));
  return tightest / (log + Math.log(1 + log));
}

const logNormalCdf = (z: number): number => {
  if (z > -30) return Math.log(normalSurvival(-z));
  // Mills’ ratio, where the tail leaves the range of doubles.
  return -0.5 * z * z - Math.log(-z) - 0.5 * Math.log(2 * Math.PI) - 1 / (z * z);
};

/** ln of the mixture martingale. One-sided: against sums that are too high. */
export function normalMixtureEvidence(sum: number, variance: number, precision: number, sides: Sides): number {
  const total = variance + precision;
  const two = 0.5 * Math.log(precision / total) + (sum * sum) / (2 * total);
  return sides === 'two' ? two : two + Math.LN2 + logNormalCdf(sum / Math.sqrt(total));
}

/** The sum at which the evidence reaches ln(1/α): closed form for two sides, bisection for one. */
export function normalMixtureBound(variance: number, alpha: number, precision: number, sides: Sides): number {
  const total = variance + precision;
  if (sides === 'two') return Math.sqrt(total * (2 * Math.log(1 / alpha) + Math.log(total / precision)));
  let [low, high] = [0, Math.sqrt(total * (2 * Math.log(1 / alpha) + Math.log(total / precision)))];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (normalMixtureEvidence(middle, variance, precision, 'one') >= Math.log(1 / alpha)) high = middle;
    else low = middle;
  }
  return high;
}

export interface AlwaysValidInterval {
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
}

/**
 * Asymptotic anytime-valid interval around an estimate with its standard error from n observations, tightest near n =
 * `tightest` (5,000 where nobody says otherwise): the interval of GrowthBook’s sequential engine (two sides). With one side,
 * each bound errs with probability α.
 * It rests on a standard error that is right: with few events in a small arm it is not, and the level breaks.
 */
export function alwaysValidInterval(estimate: number, standardError: number, n: number, alpha: number, { tightest = 5_000, sides = 'two' }: { tightest?: number; sides?: Sides } = {}): AlwaysValidInterval {
  if (!(n > 0 && standardError > 0)) return { low: -Infinity, high: Infinity, pValue: 1 };
  const precision = mixturePrecision(tightest, alpha, sides);
  // The sum of n observations of variance 1, which the estimate’s n observations are after division.
  const half = (normalMixtureBound(n, alpha, precision, sides) / n) * standardError * Math.sqrt(n);
  const sum = (estimate / standardError) * Math.sqrt(n);
  const evidence = normalMixtureEvidence(sides === 'two' ? sum : Math.abs(sum), n, precision, sides);
  return { low: estimate - half, high: estimate + half, pValue: Math.min(1, Math.exp(-evidence)) };
}
