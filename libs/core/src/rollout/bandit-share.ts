import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import type { BettingSequence } from '../statistics/index.js';

/** Observations before the share follows them. */
const rowsMin = 100;

/**
 * Share of the units that a two-armed bandit gives the candidate: the probability that it has the smaller mean loss, as
 * Thompson sampling (Biometrika 25, 1933) draws it, with a normal posterior of the difference. Not drawn but computed:
 * the split by units is the draw, so that the propensity of each answer is the share itself and can be logged. The
 * difference is the inverse-propensity weighted one, which stays right though shares and losses change over time. Either
 * arm keeps `floor`, so that a change for the better is seen. In steps of 0.01; null before 100 observations.
 */
export function banditShare({ n, sum, squares }: Pick<BettingSequence, 'n' | 'sum' | 'squares'>, floor: number): number | null {
  if (n < rowsMin) return null;
  const mean = sum / n;
  const variance = Math.max(squares / n - mean * mean, 0);
  const candidateWins = variance === 0 ? 0.5 : normalCdf(-mean / Math.sqrt(variance / n), 0, 1);
  return Math.round(100 * Math.min(1 - floor, Math.max(floor, candidateWins))) / 100;
}
