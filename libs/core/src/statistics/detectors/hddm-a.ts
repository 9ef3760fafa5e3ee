import { alarmBetween, emptyTally, meanOf, type DriftAlarm, type Tally } from './alarm.js';

/**
 * HDDM with the A-test (I. Frías-Blanco and others, “Online and non-parametric drift detection methods based on Hoeffding’s bounds”,
 * IEEE TKDE 27, 2015): the mean z̄ of all rows against the mean x̄ of the rows up to the cut that had the lowest upper bound,
 *
 *     alarm when z̄ − x̄ ≥ √( ½ (n_z − n_x)/(n_x n_z) · ln(2/α) ),   cut moved when z̄ + ε(n_z) ≤ x̄ + ε(n_x),   ε(n) = √(ln(1/α) / 2n)
 *
 * Evidence is z̄ − x̄ over its limit; threshold 1. Rises only. α is an error per comparison, not per stream: nothing bounds
 * the mean time between false alarms.
 *
 * @example
 *   const state = startHddmA({ alpha: 0.001 });
 *   const alarm = observeHddmA(state, 1);
 */
export interface HddmASettings {
  readonly alpha?: number;
}

export interface HddmAState {
  readonly v: 1;
  readonly detector: 'hddm-a';
  readonly alpha: number;
  row: number;
  all: Tally;
  /** Rows up to the cut. */
  low: Tally;
}

export function startHddmA({ alpha = 0.001 }: HddmASettings = {}): HddmAState {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError('alpha must lie between 0 and 1');
  return { v: 1, detector: 'hddm-a', alpha, row: 0, all: emptyTally(), low: emptyTally() };
}

/** Takes in one error in [0, 1], in place. */
export function observeHddmA(state: HddmAState, x: number): DriftAlarm | null {
  const { all, alpha } = state;
  state.row += 1;
  all.rows += 1;
  all.sum += x;
  const bound = (n: number): number => Math.sqrt(Math.log(1 / alpha) / (2 * n));
  if (state.low.rows === 0 || meanOf(all) + bound(all.rows) <= meanOf(state.low) + bound(state.low.rows)) state.low = { ...all };
  const { low } = state;
  if (low.rows === all.rows) return null;
  const limit = Math.sqrt(((all.rows - low.rows) / (2 * low.rows * all.rows)) * Math.log(2 / alpha));
  const difference = meanOf(all) - meanOf(low);
  if (difference < limit) return null;
  const alarm = alarmBetween({ row: state.row, evidence: difference / limit, threshold: 1, direction: 'rise' }, low, all);
  Object.assign(state, { all: emptyTally(), low: emptyTally() });
  return alarm;
}
