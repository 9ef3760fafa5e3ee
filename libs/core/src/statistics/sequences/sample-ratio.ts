import { observeTrial, startBetaBinomial, type BetaBinomialProcess } from './beta-binomial.js';

/**
 * Sequential test of an exact share: may be looked at after every unit. A beta mixture around the share against the share
 * itself (Lindon and Malek 2022). With the default concentration, 50/50 that is really 52/48 is found within 20,000 units
 * with probability above 95 % at α 0.01; the study `sample-ratio` holds it to that. Plain JSON; constant cost.
 */
export interface SampleRatio {
  readonly v: 1;
  readonly alpha: number;
  readonly process: BetaBinomialProcess;
  /** Units seen when the share was first refused; null while it stands. */
  mismatchAt: number | null;
}

const concentrationDefault = 1_000;

/** @param share the candidate’s, 0 < share < 1. */
export function startSampleRatio(share: number, alpha: number, concentration = concentrationDefault): SampleRatio {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError('alpha must lie between 0 and 1');
  return { v: 1, alpha, process: startBetaBinomial(share, concentration), mismatchAt: null };
}

/** Counts one unit, in place, and answers whether the share stands refused. */
export function observeUnit(ratio: SampleRatio, candidate: boolean): boolean {
  const { process } = ratio;
  observeTrial(process, candidate);
  if (ratio.mismatchAt === null && process.evidence >= Math.log(1 / ratio.alpha)) ratio.mismatchAt = process.n;
  return ratio.mismatchAt !== null;
}
