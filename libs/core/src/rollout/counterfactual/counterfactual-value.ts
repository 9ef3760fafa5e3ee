import { studentCritical } from '../../statistics/index.js';
import type { LoggedDecision } from './logged-decision.js';
import { overlapLimits, overlapOf, refusalOf, type Overlap, type OverlapLimits, type OverlapRefusal } from './overlap.js';
import { ratioOf, standardErrorOf, type RatioEstimate } from './ratio-estimate.js';
import { sumUnits } from './unit-sums.js';

export interface ValueInterval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  readonly standardError: number;
}

/** Mean loss per decision. */
export interface PolicyValue {
  /** Had the policy in question decided. */
  readonly value: ValueInterval;
  /** That, less what the log’s own policy had; below 0 is better. Narrower than the two intervals, for both rest on the same rows. */
  readonly change: ValueInterval;
}

export interface CounterfactualValue {
  readonly rows: number;
  readonly units: number;
  /** Level of each interval is 1 − alpha, at one look. */
  readonly alpha: number;
  /** What the log’s own policy had. */
  readonly logged: ValueInterval;
  readonly overlap: Overlap;
  /** Then there are no values. */
  readonly refusal: OverlapRefusal | null;
  readonly selfNormalised: PolicyValue | null;
  /** Also null when some row has no expected losses. */
  readonly doublyRobust: PolicyValue | null;
}

/** Student’s quantile is the normal one to five digits beyond. */
const freedomMax = 10_000;

function intervalOf({ value, influence }: RatioEstimate, quantile: number): ValueInterval {
  const standardError = standardErrorOf(influence);
  return { estimate: value, lower: value - quantile * standardError, upper: value + quantile * standardError, standardError };
}

const less = (a: RatioEstimate, b: RatioEstimate): RatioEstimate => ({ value: a.value - b.value, influence: a.influence.map((each, unit) => each - (b.influence[unit] ?? 0)) });

/**
 * Mean loss that another policy would have had, from a log whose propensities are known. With w = target / propensity and q
 * the expected losses of a model:
 * - self-normalised inverse propensity (J. Hájek 1971; A. Swaminathan and T. Joachims, NIPS 2015): Σ w · loss / Σ w. Its bias
 *   falls with 1/n; adding a constant to all losses adds it to the value.
 * - doubly robust (J. Robins, A. Rotnitzky, L. P. Zhao, JASA 89, 1994; M. Dudík, J. Langford, L. Li, ICML 2011): mean of
 *   q(target) + w · (loss − q(logged)). Right when either the propensities or the model are, and the narrower the better the model.
 * Intervals are those of the linearised estimates over units, with Student’s quantile at as many degrees of freedom as there
 * are effective units: right at one look, not at many.
 * @param decisions any order; all of one unit together count as one observation.
 * @param alpha in (0, 1).
 * @throws RangeError for a decision that cannot be, or no decision at all.
 */
export function counterfactualValue(decisions: readonly LoggedDecision[], alpha = 0.05, limits: OverlapLimits = overlapLimits): CounterfactualValue {
  if (decisions.length === 0) throw new RangeError('there is no decision');
  const sums = sumUnits(decisions);
  const { units, rows } = sums;
  const overlap = overlapOf(sums);
  const refusal = refusalOf(overlap, units, limits);
  const quantileAt = (freedom: number): number => studentCritical(alpha, Math.max(1, Math.min(freedomMax, Math.floor(freedom) - 1)));
  const logged = ratioOf(sums.losses, sums.counts);
  const quantile = quantileAt(overlap.effectiveUnits);
  const valueOf = (estimate: RatioEstimate): PolicyValue => ({ value: intervalOf(estimate, quantile), change: intervalOf(less(estimate, logged), quantile) });
  return {
    rows, units, alpha, overlap, refusal,
    logged: intervalOf(logged, quantileAt(units)),
    selfNormalised: refusal !== null ? null : valueOf(ratioOf(sums.weighedLosses, sums.weights)),
    doublyRobust: refusal !== null || sums.corrected === null ? null : valueOf(ratioOf(sums.corrected, sums.counts)),
  };
}
