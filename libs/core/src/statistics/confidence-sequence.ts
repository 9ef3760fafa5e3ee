/**
 * Anytime-valid confidence sequence for the mean of observations in [0, 1]: the predictable plug-in empirical-Bernstein
 * sequence of I. Waudby-Smith and A. Ramdas, “Estimating means of bounded random variables by betting”, JRSS B 86
 * (2024), Theorem 2, with running intersection. With probability at least 1 − α the interval holds the mean at every
 * look together, however often one looks and whenever one stops, if each observation has that mean given the past.
 * Plain JSON; constant cost per observation.
 */
export interface ConfidenceSequence {
  readonly v: 1;
  readonly alpha: number;
  n: number;
  sum: number;
  /** Σ (xᵢ − μ̂ᵢ)², for the variance estimate. */
  squares: number;
  /** Σ λᵢ, Σ λᵢ xᵢ and Σ vᵢ ψ(λᵢ). */
  weights: number;
  weighted: number;
  penalty: number;
  low: number;
  high: number;
}

/** Largest bet; the paper recommends 1/2 or 3/4. */
const betMax = 0.75;

export function startSequence(alpha: number): ConfidenceSequence {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError('alpha must lie between 0 and 1');
  return { v: 1, alpha, n: 0, sum: 0, squares: 0, weights: 0, weighted: 0, penalty: 0, low: 0, high: 1 };
}

/** Takes in one observation, in place. @throws RangeError outside [0, 1]. */
export function extendSequence(sequence: ConfidenceSequence, x: number): void {
  if (!(x >= 0 && x <= 1)) throw new RangeError(`${x} lies outside [0, 1]`);
  const t = sequence.n + 1;
  const meanBefore = (0.5 + sequence.sum) / t;
  const varianceBefore = (0.25 + sequence.squares) / t;
  const bet = Math.min(betMax, Math.sqrt((2 * Math.log(2 / sequence.alpha)) / (varianceBefore * t * Math.log(1 + t))));
  sequence.weights += bet;
  sequence.weighted += bet * x;
  sequence.penalty += (x - meanBefore) ** 2 * (-Math.log(1 - bet) - bet);
  sequence.n = t;
  sequence.sum += x;
  sequence.squares += (x - (0.5 + sequence.sum) / (t + 1)) ** 2;
  const centre = sequence.weighted / sequence.weights;
  const radius = (Math.log(2 / sequence.alpha) + sequence.penalty) / sequence.weights;
  sequence.low = Math.max(sequence.low, centre - radius);
  sequence.high = Math.min(sequence.high, centre + radius);
}

/** Mean and interval so far. `low` > `high` can only happen when the observations have no common mean. */
export function sequenceInterval(sequence: ConfidenceSequence): { n: number; mean: number | null; low: number; high: number } {
  return { n: sequence.n, mean: sequence.n === 0 ? null : sequence.sum / sequence.n, low: sequence.low, high: sequence.high };
}
