import { normalQuantileOf } from '../../statistics/index.js';
import { ratioOf, skewnessOf, standardErrorOf } from './ratio-estimate.js';
import type { UnitSums } from './unit-sums.js';

/** How much the log can tell of another policy. */
export interface Overlap {
  /** Rows of which the policy in question would have done the same with some probability. */
  readonly rowsWithWeight: number;
  /** (Σ w)² / Σ w² over units (L. Kish, Survey Sampling, 1965): so many equally weighted units would tell as much. */
  readonly effectiveUnits: number;
  /** Of the whole weight, what the heaviest unit has. */
  readonly largestShare: number;
  /** Smallest logged propensity among the rows that count. */
  readonly leastPropensity: number;
  /**
   * Mean of the weights per row, with its 99.9 % interval: 1 when propensities are right and whatever the policy would do was also
   * done; below 1 is the part of its doings that the log never shows.
   */
  readonly meanWeight: { readonly value: number; readonly lower: number; readonly upper: number };
  /** Of the influences of units on the self-normalised estimate: how unevenly they decide it. */
  readonly skewness: number;
}

export interface OverlapLimits {
  readonly effectiveUnitsMin: number;
  /** How far from 1 the mean weight may lie, for certain. */
  readonly meanWeightOff: number;
  /**
   * Fewer units than this, times the squared skewness of their influences, are too few. A fifth of W. G. Cochran's 25 (Sampling
   * Techniques, 1977, §2.15): the skewness is the log's own, and refusing by 25 keeps the logs that missed their large losses,
   * whose intervals then held the truth in 91.5 instead of 94.2 % (exponential losses, tools/simulator).
   */
  readonly unitsPerSquaredSkew: number;
}

export const overlapLimits: OverlapLimits = { effectiveUnitsMin: 100, meanWeightOff: 0.05, unitsPerSquaredSkew: 5 };

/** Why no value is told. */
export interface OverlapRefusal {
  readonly code: 'no-overlap' | 'support-missing' | 'propensities-wrong' | 'too-few-effective-units' | 'too-skewed';
  readonly reason: string;
}

const meanWeightLevel = 0.001;

function meanWeightOf({ weights, counts }: UnitSums): Overlap['meanWeight'] {
  const { value, influence } = ratioOf(weights, counts);
  const off = normalQuantileOf(1 - meanWeightLevel / 2) * standardErrorOf(influence);
  return { value, lower: Math.max(0, value - off), upper: value + off };
}

export function overlapOf(sums: UnitSums): Overlap {
  let [sum, squares, largest] = [0, 0, 0];
  for (const weight of sums.weights) {
    sum += weight;
    squares += weight * weight;
    largest = Math.max(largest, weight);
  }
  const skewness = sum === 0 ? 0 : skewnessOf(ratioOf(sums.weighedLosses, sums.weights).influence);
  return {
    rowsWithWeight: sums.weighedRows,
    effectiveUnits: squares === 0 ? 0 : (sum * sum) / squares,
    largestShare: sum === 0 ? 0 : largest / sum,
    leastPropensity: sums.leastPropensity,
    meanWeight: sums.units < 2 ? { value: NaN, lower: 0, upper: Infinity } : meanWeightOf(sums),
    skewness,
  };
}

const percent = (share: number): string => `${(100 * share).toPrecision(3)} %`;

/** null: the log can tell. What is said first is what is most wrong. */
export function refusalOf(overlap: Overlap, units: number, { effectiveUnitsMin, meanWeightOff, unitsPerSquaredSkew }: OverlapLimits = overlapLimits): OverlapRefusal | null {
  const { rowsWithWeight, effectiveUnits, meanWeight, skewness, leastPropensity, largestShare } = overlap;
  if (rowsWithWeight === 0) return { code: 'no-overlap', reason: 'nothing that was done is anything the policy in question would do; the log tells nothing of it' };
  if (meanWeight.upper < 1 - meanWeightOff) {
    return { code: 'support-missing', reason: `the weights average ${meanWeight.value.toPrecision(3)} (99.9 % interval ${meanWeight.lower.toPrecision(3)} to ${meanWeight.upper.toPrecision(3)}) instead of 1: about ${percent(1 - meanWeight.value)} of what the policy would do was never done where it would do it, or the propensities are too large` };
  }
  if (meanWeight.lower > 1 + meanWeightOff) {
    return { code: 'propensities-wrong', reason: `the weights average ${meanWeight.value.toPrecision(3)} (99.9 % interval ${meanWeight.lower.toPrecision(3)} to ${meanWeight.upper.toPrecision(3)}) instead of 1: the propensities are smaller than the shares with which things were done` };
  }
  if (effectiveUnits < effectiveUnitsMin) {
    return { code: 'too-few-effective-units', reason: `the ${units} units count as ${effectiveUnits.toPrecision(3)} once they are weighted, fewer than ${effectiveUnitsMin}; the heaviest has ${percent(largestShare)} of the weight, the smallest propensity is ${leastPropensity.toPrecision(3)}` };
  }
  const unitsForSkew = unitsPerSquaredSkew * skewness * skewness;
  if (units < unitsForSkew) {
    return { code: 'too-skewed', reason: `a few units with large weight and loss decide: by their skew ${Math.ceil(unitsForSkew)} units are needed for an honest interval, and there are ${units}` };
  }
  return null;
}
