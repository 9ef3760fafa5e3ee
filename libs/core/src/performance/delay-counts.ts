import { arrivalChance, delayHistoryOf, type DelayHistory } from './label-delay.js';
import { normalQuantileOf } from '../statistics/index.js';

/** Of the labels of one class that came in a window: how many, how many of the answers were wrong, and how late they came. */
export interface ClassDelays {
  n: number;
  wrong: number;
  /** Sparse: bin of the delay → labels. */
  readonly delays: Record<string, number>;
}

/** By class. Merged by adding. Plain JSON. */
export type DelayCounts = Record<string, ClassDelays>;

/** Delays in bins that grow by a fifth, from one second on; a century is bin 119. */
const growth = 1.2;
const binOf = (delayMs: number): number => Math.max(0, Math.ceil(Math.log(Math.max(delayMs, 1_000) / 1_000) / Math.log(growth)));
const delayOfBin = (bin: number): number => 1_000 * growth ** (bin - 0.5);

/** More classes than this are counted together: a regression’s or an identifier’s values are no classes. */
const classesMax = 50;
export const otherClasses = '(other)';

export function observeDelay(counts: DelayCounts, label: string, wrong: boolean, delayMs: number): void {
  const name = Object.hasOwn(counts, label) || Object.keys(counts).length < classesMax ? label : otherClasses;
  const known = Object.hasOwn(counts, name) ? counts[name] : undefined;
  const cell = known ?? { n: 0, wrong: 0, delays: {} };
  if (known === undefined) Object.defineProperty(counts, name, { value: cell, enumerable: true, writable: true, configurable: true });
  const bin = binOf(delayMs);
  cell.n += 1;
  if (wrong) cell.wrong += 1;
  cell.delays[bin] = (cell.delays[bin] ?? 0) + 1;
}

export function mergeDelays(a: DelayCounts, b: DelayCounts): DelayCounts {
  const merged: DelayCounts = {};
  for (const [label, { n, wrong, delays }] of [...Object.entries(a), ...Object.entries(b)]) {
    const known = Object.hasOwn(merged, label) ? merged[label] : undefined;
    const sum: ClassDelays = { n: (known?.n ?? 0) + n, wrong: (known?.wrong ?? 0) + wrong, delays: { ...known?.delays } };
    for (const [bin, labels] of Object.entries(delays)) sum.delays[bin] = (sum.delays[bin] ?? 0) + labels;
    Object.defineProperty(merged, label, { value: sum, enumerable: true, writable: true, configurable: true });
  }
  return merged;
}

/** What was added to `before` since. @param after counts that `before` went into. */
export function delaysSince(before: DelayCounts, after: DelayCounts): DelayCounts {
  const added: DelayCounts = {};
  for (const [label, { n, wrong, delays }] of Object.entries(after)) {
    const known = Object.hasOwn(before, label) ? before[label] : undefined;
    if (n === known?.n) continue;
    const rest = Object.entries(delays).map(([bin, labels]) => [bin, labels - (known?.delays[bin] ?? 0)] as const).filter(([, labels]) => labels > 0);
    Object.defineProperty(added, label, { value: { n: n - (known?.n ?? 0), wrong: wrong - (known?.wrong ?? 0), delays: Object.fromEntries(rest) }, enumerable: true, writable: true, configurable: true });
  }
  return added;
}

/** Delays as `label-delay` takes them: up to 1,000 per class, spread as the counts are; each is the geometric middle of its bin. */
export function historyOfCounts(counts: DelayCounts): DelayHistory {
  const kept = Object.entries(counts).map(([label, { n, delays }]): [string, number[]] => {
    const bins = Object.entries(delays).map(([bin, labels]) => [Number(bin), labels] as const).sort(([a], [b]) => a - b);
    const step = Math.max(1, n / 1_000);
    const spread: number[] = [];
    let below = 0;
    for (const [bin, labels] of bins) {
      below += labels;
      while ((spread.length + 0.5) * step < below) spread.push(delayOfBin(bin));
    }
    return [label, spread];
  });
  return delayHistoryOf(Object.fromEntries(kept));
}

export interface EarlyLabels {
  /** Share of wrong answers among the labels that came, and as it will be once all classes come at their pace. */
  readonly raw: number;
  readonly corrected: number;
  /** 95 % of the corrected share. */
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** By class: share of the labels that could have come in this window by now. */
  readonly arrived: Readonly<Record<string, number>>;
  /** The classes come at so different a pace that the labels so far would mislead. */
  readonly misleading: boolean;
}

/** A class of which less than this could have come says nothing yet. */
const arrivedMin = 0.02;
/** A correction of less than a point is not worth an alarm’s silence. */
const correctionMin = 0.01;
const steps = 48;

/** Share of a class’s labels of a window that a version could have drawn, having answered since `sinceMs`: the mean chance over the window’s instants. */
function arrivedShare(history: DelayHistory, label: string, window: { readonly fromMs: number; readonly toMs: number }, sinceMs: number): number {
  let sum = 0;
  for (let step = 0; step < steps; step += 1) {
    const age = window.fromMs + ((window.toMs - window.fromMs) * (step + 0.5)) / steps - sinceMs;
    if (age > 0) sum += arrivalChance(history, label, age);
  }
  return sum / steps;
}

/**
 * Do the labels of this window represent those still to come? A window of labels holds quick ones only while its version is
 * young: of a class that is reported late, too few. Each class is weighted by the share of its labels that could have come
 * (Horvitz–Thompson, normalised as by Hájek; see `label-delay`), from the model’s history of matured labels. Within a class,
 * late labels are taken to be like early ones. null: there is no history or no label.
 */
export function earlyLabels(counts: DelayCounts, history: DelayHistory, window: { readonly fromMs: number; readonly toMs: number }, sinceMs: number): EarlyLabels | null {
  const classes = Object.entries(counts).filter(([, { n }]) => n > 0);
  if (classes.length === 0 || Object.values(history.delays).every((delays) => delays.length === 0)) return null;
  const arrived = Object.fromEntries(Object.keys(history.delays).map((label) => [label, arrivedShare(history, label, window, sinceMs)]));
  const tooEarly = Object.values(arrived).some((share) => share < arrivedMin);
  let [n, wrong, weights, weighted] = [0, 0, 0, 0];
  const weightOf = (label: string): number => 1 / Math.max(arrivedMin, Object.hasOwn(arrived, label) ? (arrived[label] ?? 1) : 1);
  for (const [label, cell] of classes) {
    n += cell.n;
    wrong += cell.wrong;
    weights += cell.n * weightOf(label);
    weighted += cell.wrong * weightOf(label);
  }
  const [raw, corrected] = [wrong / n, weighted / weights];
  let squares = 0;
  for (const [label, cell] of classes) squares += weightOf(label) ** 2 * (cell.wrong * (1 - corrected) ** 2 + (cell.n - cell.wrong) * corrected ** 2);
  const error = (Math.sqrt(squares) / weights) * normalQuantileOf(0.975);
  const misleading = tooEarly || (Math.abs(corrected - raw) > correctionMin && Math.abs(corrected - raw) > error);
  return { raw, corrected, low: Math.max(0, corrected - error), high: Math.min(1, corrected + error), n, arrived, misleading };
}
