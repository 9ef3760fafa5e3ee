import { alarmBetween, emptyTally, type DriftAlarm, type Tally } from './alarm.js';

/**
 * Page–Hinkley test (E. S. Page, “Continuous inspection schemes”, Biometrika 41, 1954; D. V. Hinkley, Biometrika 58, 1971), in the
 * form the field uses, with forgetting α:
 *
 *     Sₜ = α Sₜ₋₁ + (xₜ − x̄ₜ − δ),   alarm for a rise when Sₜ − min S > λ;   mirrored for a fall
 *
 * Evidence is Sₜ − min S, in errors; threshold λ. As in river 0.26 the minimum starts with the first row, and mean and sums
 * start again after an alarm. λ promises no mean time between false alarms.
 *
 * @example
 *   const state = startPageHinkley({ direction: 'rise' });
 *   const alarm = observePageHinkley(state, 1);
 */
export interface PageHinkleySettings {
  /** δ, in errors per row. */
  readonly tolerance?: number;
  /** λ, in errors. */
  readonly threshold?: number;
  /** α. */
  readonly forgetting?: number;
  /** Rows without a verdict after each start. */
  readonly warmUp?: number;
  readonly direction?: 'rise' | 'fall' | 'both';
}

export interface PageHinkleyState {
  readonly v: 1;
  readonly detector: 'page-hinkley';
  readonly settings: Required<PageHinkleySettings>;
  row: number;
  all: Tally;
  mean: number;
  up: number;
  down: number;
  /** null until the first row. */
  upMin: number | null;
  downMax: number | null;
  /** Rows up to the minimum and up to the maximum: the changes, if there are any. */
  atUpMin: Tally;
  atDownMax: Tally;
}

const afresh = () => ({ all: emptyTally(), mean: 0, up: 0, down: 0, upMin: null, downMax: null, atUpMin: emptyTally(), atDownMax: emptyTally() });

export function startPageHinkley({ tolerance = 0.005, threshold = 50, forgetting = 0.9999, warmUp = 30, direction = 'both' }: PageHinkleySettings = {}): PageHinkleyState {
  if (!(threshold > 0)) throw new RangeError('the threshold must be above 0');
  return { v: 1, detector: 'page-hinkley', settings: { tolerance, threshold, forgetting, warmUp, direction }, row: 0, ...afresh() };
}

/** Takes in one error in [0, 1], in place. */
export function observePageHinkley(state: PageHinkleyState, x: number): DriftAlarm | null {
  const { tolerance, threshold, forgetting, warmUp, direction } = state.settings;
  state.row += 1;
  state.all.rows += 1;
  state.all.sum += x;
  // Welford’s step, as river has it: the sums below feel the last bits.
  state.mean += (x - state.mean) / state.all.rows;
  state.up = forgetting * state.up + (x - state.mean) - tolerance;
  state.down = forgetting * state.down + (x - state.mean) + tolerance;
  if (state.upMin === null || state.up < state.upMin) {
    state.upMin = state.up;
    state.atUpMin = { ...state.all };
  }
  // River’s maximum starts at −1, not at the first sum; the first sum is at least −1, so that this is the same.
  if (state.downMax === null || state.down > state.downMax) {
    state.downMax = state.down;
    state.atDownMax = { ...state.all };
  }
  if (state.all.rows < warmUp) return null;
  const rise = direction === 'fall' ? 0 : state.up - state.upMin;
  const fall = direction === 'rise' ? 0 : state.downMax - state.down;
  if (!(rise > threshold || fall > threshold)) return null;
  const risen = rise >= fall;
  const alarm = alarmBetween({ row: state.row, evidence: Math.max(rise, fall), threshold, direction: risen ? 'rise' : 'fall' }, risen ? state.atUpMin : state.atDownMax, state.all);
  Object.assign(state, afresh());
  return alarm;
}
