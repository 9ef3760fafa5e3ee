import { checkDecision, type LoggedDecision } from './logged-decision.js';

/** Sums over the decisions of each unit; index u is the u-th unit of the log. w = target / propensity. */
export interface UnitSums {
  readonly units: number;
  readonly rows: number;
  /** Rows with a weight above 0. */
  readonly weighedRows: number;
  /** The smallest propensity of those; 1 without any. */
  readonly leastPropensity: number;
  readonly counts: Float64Array;
  readonly weights: Float64Array;
  /** Σ w · loss. */
  readonly weighedLosses: Float64Array;
  readonly losses: Float64Array;
  /** Σ expected target + w · (loss − expected logged); null unless every row has both. */
  readonly corrected: Float64Array | null;
}

/** @throws RangeError for a decision that cannot be. */
export function sumUnits(decisions: readonly LoggedDecision[]): UnitSums {
  const places = new Map<string, number>();
  for (const { unit } of decisions) if (!places.has(unit)) places.set(unit, places.size);
  const units = places.size;
  const column = (): Float64Array => new Float64Array(units);
  const [counts, weights, weighedLosses, losses] = [column(), column(), column(), column()];
  const corrected = decisions.length > 0 && decisions.every(({ expected }) => expected !== null) ? column() : null;
  let [weighedRows, leastPropensity] = [0, 1];
  const add = (to: Float64Array, unit: number, more: number): void => {
    to[unit] = (to[unit] ?? 0) + more;
  };
  decisions.forEach((decision, row) => {
    checkDecision(decision, row);
    const { propensity, target, loss, expected } = decision;
    const unit = places.get(decision.unit) ?? 0;
    const weight = target / propensity;
    if (weight > 0) [weighedRows, leastPropensity] = [weighedRows + 1, Math.min(leastPropensity, propensity)];
    add(counts, unit, 1);
    add(weights, unit, weight);
    add(weighedLosses, unit, weight * loss);
    add(losses, unit, loss);
    if (corrected !== null && expected !== null) add(corrected, unit, expected.target + weight * (loss - expected.logged));
  });
  return { units, rows: decisions.length, weighedRows, leastPropensity, counts, weights, weighedLosses, losses, corrected };
}
