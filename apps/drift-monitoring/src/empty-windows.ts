import { emptyWindowVerdict, type MonitoredModel } from '@millrace/core/verdicts';
import type { JudgedWindow } from './judged-window.js';
import type { DriftHistory } from './verdict.store.js';

/** After a longer gap than this many windows nobody needs one verdict for each. */
const emptyWindowsMax = 50;

/** Starts of the windows from `fromMs` to `toMs`: the last ones, when there are many. */
export function emptyWindows(fromMs: number, toMs: number, windowMs: number): number[] {
  const count = Math.min(emptyWindowsMax, Math.max(0, Math.floor((toMs - fromMs) / windowMs)));
  return Array.from({ length: count }, (_, index) => toMs - (count - index) * windowMs);
}

/** A window without a single row is judged by its volume alone. */
export function judgeEmptyWindow(model: MonitoredModel, version: string, windowStartMs: number, history: DriftHistory, watermarkMs: number): JudgedWindow {
  const { verdict, level } = emptyWindowVerdict(model, version, windowStartMs, history, watermarkMs);
  return { model: model.model, version, role: 'primary', windowStartMs, windowEndMs: windowStartMs + model.windowMs, verdict, metrics: [], state: { v: 2, volumes: history.volumes }, level };
}
