import { bettingInterval, extendBetting, startBetting } from '../../statistics/index.js';
import { attributionSteps, type AttributionState } from './attribution-counts.js';

/** Mean share of a feature in the explanations of the rows, from 0 to 1. */
export function meanShare({ rows, shares }: AttributionState, feature: string): number {
  let steps = 0;
  for (const [step, count] of shares.get(feature) ?? []) steps += step * count;
  return rows === 0 ? 0 : steps / attributionSteps / rows;
}

/** Of more rows, so many are drawn: an interval of a thousandth is narrower than any change that matters. */
const drawnMax = 5_000;
/** The mean is looked for beyond these bounds too; it must be able to lie on both sides of the centre. */
const [centreMin, centreMax] = [0.01, 0.99];

/** The rows’ steps in an order that is drawn; the first `drawnMax` of them. */
function drawn({ rows, shares }: AttributionState, feature: string, uniform: () => number): Uint16Array {
  const steps = new Uint16Array(rows);
  let at = 0;
  for (const [step, count] of [...(shares.get(feature) ?? [])].sort(([a], [b]) => a - b)) {
    steps.fill(step, at, at + count);
    at += count;
  }
  const wanted = Math.min(rows, drawnMax);
  for (let place = 0; place < wanted; place += 1) {
    const other = place + Math.floor(uniform() * (rows - place));
    [steps[place], steps[other]] = [steps[other] ?? 0, steps[place] ?? 0];
  }
  return steps.subarray(0, wanted);
}

/**
 * Bounds of the expected share, each wrong with probability at most `alpha`, whatever the distribution of shares: rows bet against each mean in turn
 * (see `betting-sequence`). Rows of a window have no order that could be known; while they are independent, any order that does not look at
 * them is as good as theirs, so one is drawn. The bet is tuned to the width that so many rows allow.
 * @param centre where the mean is guessed to lie; must not depend on these rows. A bad guess costs width, not truth.
 */
export function shareInterval(state: AttributionState, feature: string, { alpha, centre, uniform }: { readonly alpha: number; readonly centre: number; readonly uniform: () => number }): { readonly low: number; readonly high: number } {
  if (state.rows === 0) return { low: 0, high: 1 };
  const middle = Math.min(centreMax, Math.max(centreMin, centre));
  const steps = drawn(state, feature, uniform);
  const aim = { effects: [], deviations: [Math.sqrt((2 * Math.log(1 / alpha)) / steps.length)] };
  const sequence = startBetting({ lowest: -middle, highest: 1 - middle, alpha, aimUp: aim, aimDown: aim });
  for (const step of steps) extendBetting(sequence, step / attributionSteps - middle);
  const { low, high } = bettingInterval(sequence);
  return { low: low + middle, high: high + middle };
}

/**
 * Normalised discounted cumulative gain of the window’s ranking of features, where a feature’s gain is its share in the reference: 1 when
 * both rank alike. The figure of SageMaker Clarify, which alarms below 0.90 whatever the number of rows.
 */
export function rankingGain(features: readonly string[], reference: (feature: string) => number, current: (feature: string) => number): number {
  const gain = (share: (feature: string) => number): number => {
    const ranked = [...features].sort((a, b) => share(b) - share(a) || (a < b ? -1 : 1));
    return ranked.reduce((sum, feature, place) => sum + reference(feature) / Math.log2(place + 2), 0);
  };
  const ideal = gain(reference);
  return ideal === 0 ? 1 : gain(current) / ideal;
}
