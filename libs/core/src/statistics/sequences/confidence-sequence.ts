/**
 * Anytime-valid confidence sequence for observations in [0, 1]: the predictable plug-in empirical-Bernstein sequence of
 * I. Waudby-Smith and A. Ramdas, “Estimating means of bounded random variables by betting”, JRSS B 86 (2024), Theorem 2.
 * With probability at least 1 − α the interval holds, at every look together, the weighted average of the observations’
 * means given their past, Σ λᵢ μᵢ / Σ λᵢ. The means may change from one observation to the next, and observations may
 * depend on earlier ones; therefore looks are not intersected. Plain JSON; constant cost per observation.
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
}

/** Largest bet; the paper recommends 1/2 or 3/4. */
const betMax = 0.75;

export function startSequence(alpha: number): ConfidenceSequence {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError('alpha must lie between 0 and 1');
  return { v: 1, alpha, n: 0, sum: 0, squares: 0, weights: 0, weighted: 0, penalty: 0 };
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
}

/** Mean of the observations, and the interval at this look. */
export function sequenceInterval(sequence: ConfidenceSequence): { n: number; mean: number | null; low: number; high: number } {
  const { n, sum, alpha, weights, weighted, penalty } = sequence;
  if (n === 0) return { n, mean: null, low: 0, high: 1 };
  const radius = (Math.log(2 / alpha) + penalty) / weights;
  return { n, mean: sum / n, low: Math.max(0, weighted / weights - radius), high: Math.min(1, weighted / weights + radius) };
}
