import type { DriftAlarm } from './alarm.js';

/**
 * HDDM with the W-test (I. Frías-Blanco and others, IEEE TKDE 27, 2015): the exponentially weighted mean up to the cut, E₁, against
 * that of the rows since, E₂, by McDiarmid’s bound,
 *
 *     alarm when E₂ − E₁ > √( ½ (b₁ + b₂) ln(1/α) ),   E ← λx + (1−λ)E,   b ← λ² + (1−λ)² b   (b = Σ of the squared weights)
 *
 * and the cut moves where E + √(½ b ln(1/α)) is lowest. Evidence is E₂ − E₁ over its limit; threshold 1. Rises only.
 * The first row of an average has weight 1, hence b = 1 there, as in MOA; river 0.26 has λ² + (1−λ)² = 0.905, which makes
 * its early bounds too narrow. Nothing bounds the mean time between false alarms.
 *
 * @example
 *   const state = startHddmW();
 *   const alarm = observeHddmW(state, 1);
 */
export interface HddmWSettings {
  readonly alpha?: number;
  /** λ, in (0, 1]. */
  readonly newWeight?: number;
}

export interface HddmWState {
  readonly v: 1;
  readonly detector: 'hddm-w';
  readonly alpha: number;
  readonly newWeight: number;
  row: number;
  all: Fading;
  /** Up to the cut, and since. */
  low: Fading;
  since: Fading;
}

/** A weighted mean, the sum of its squared weights, and its rows. */
interface Fading {
  mean: number;
  squares: number;
  rows: number;
}

const empty = (): Fading => ({ mean: 0, squares: 1, rows: 0 });

function fade(fading: Fading, x: number, weight: number): void {
  if (fading.rows === 0) {
    fading.mean = x;
  } else {
    fading.mean = weight * x + (1 - weight) * fading.mean;
    fading.squares = weight ** 2 + (1 - weight) ** 2 * fading.squares;
  }
  fading.rows += 1;
}

export function startHddmW({ alpha = 0.001, newWeight = 0.05 }: HddmWSettings = {}): HddmWState {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError('alpha must lie between 0 and 1');
  if (!(newWeight > 0 && newWeight <= 1)) throw new RangeError('the weight of a new row must lie in (0, 1]');
  return { v: 1, detector: 'hddm-w', alpha, newWeight, row: 0, all: empty(), low: empty(), since: empty() };
}

/** Takes in one error in [0, 1], in place. */
export function observeHddmW(state: HddmWState, x: number): DriftAlarm | null {
  state.row += 1;
  fade(state.all, x, state.newWeight);
  const bound = (squares: number): number => Math.sqrt((squares * Math.log(1 / state.alpha)) / 2);
  if (state.low.rows === 0 || state.all.mean + bound(state.all.squares) < state.low.mean + bound(state.low.squares)) {
    state.low = { ...state.all };
    state.since = empty();
  } else {
    fade(state.since, x, state.newWeight);
  }
  const { low, since } = state;
  if (since.rows === 0) return null;
  const limit = bound(low.squares + since.squares);
  const difference = since.mean - low.mean;
  if (difference <= limit) return null;
  Object.assign(state, { all: empty(), low: empty(), since: empty() });
  return { row: state.row, evidence: difference / limit, threshold: 1, direction: 'rise', errorBefore: low.mean, errorNow: since.mean, rowsNow: since.rows };
}
