import { alarmBetween, emptyTally, type DriftAlarm, type Tally } from './alarm.js';

/**
 * Drift Detection Method (J. Gama, P. Medas, G. Castillo and P. Rodrigues, “Learning with drift detection”, SBIA 2004): with p the
 * error rate of all rows since the last alarm and s = √(p(1−p)/n),
 *
 *     alarm when p + s > p_min + 3 s_min,   p_min and s_min taken where p + s was smallest
 *
 * Evidence is (p + s − p_min) / s_min, in standard deviations; threshold 3. The paper says ≥; MOA and river say >, so that a
 * stream without errors does not alarm. Rows before the 31st are not judged. Rises only; 0 or 1 only. In the long run p_min
 * is the luckiest of all rates seen, which is where its many false alarms come from; nothing bounds them.
 *
 * @example
 *   const state = startDdm();
 *   const alarm = observeDdm(state, 1);
 */
export interface DdmSettings {
  readonly warmUp?: number;
  /** In standard deviations. */
  readonly threshold?: number;
}

export interface DdmState {
  readonly v: 1;
  readonly detector: 'ddm';
  readonly settings: Required<DdmSettings>;
  row: number;
  all: Tally;
  mean: number;
  /** At the smallest p + s; null before. */
  best: { rate: number; deviation: number; tally: Tally } | null;
}

export function startDdm({ warmUp = 30, threshold = 3 }: DdmSettings = {}): DdmState {
  if (!(threshold > 0)) throw new RangeError('the threshold must be above 0');
  return { v: 1, detector: 'ddm', settings: { warmUp, threshold }, row: 0, all: emptyTally(), mean: 0, best: null };
}

/** Takes in one error, 0 or 1, in place. */
export function observeDdm(state: DdmState, x: number): DriftAlarm | null {
  state.row += 1;
  state.all.rows += 1;
  state.all.sum += x;
  state.mean += (x - state.mean) / state.all.rows;
  if (state.all.rows <= state.settings.warmUp) return null;
  const deviation = Math.sqrt(Math.max(0, state.mean * (1 - state.mean)) / state.all.rows);
  if (state.best === null || state.mean + deviation <= state.best.rate + state.best.deviation) state.best = { rate: state.mean, deviation, tally: { ...state.all } };
  const { best } = state;
  const { threshold } = state.settings;
  if (!(state.mean + deviation > best.rate + threshold * best.deviation)) return null;
  // Without an error so far s_min is 0, and the first one is infinitely many deviations away: said as the largest number.
  const evidence = Math.min(Number.MAX_VALUE, (state.mean + deviation - best.rate) / best.deviation);
  const alarm = alarmBetween({ row: state.row, evidence, threshold, direction: 'rise' }, best.tally, state.all);
  Object.assign(state, { all: emptyTally(), mean: 0, best: null });
  return alarm;
}
