import { sha256Hex } from '@millrace/contracts';
import { evidenceOf, observeEDetector, seededUniforms, startEDetector, wilsonInterval, type DriftAlarm, type EDetectorState } from '../statistics/index.js';

/** By partition: offsets [from, to). */
export type OffsetSpans = Readonly<Record<string, { readonly from: number; readonly to: number }>>;

/** Answers of one version whose labels became known in [startMs, startMs + length), and how many of them were wrong. */
export interface ErrorPane {
  readonly startMs: number;
  readonly rows: number;
  readonly errors: number;
  /** Where the pane’s rows lie in the log, by partition. */
  readonly offsets?: OffsetSpans;
}

/**
 * Watches the errors of a version for a rise, by the e-detector, over panes of event time.
 *
 * Outcomes come over several partitions, so within a pane the rows have no order that two runs would agree on; only the
 * counts are the same. They are therefore taken in an order that is drawn at random, with a seed that was fixed before the
 * pane was seen (from the version and the pane’s time). While nothing changes the rows of a pane are exchangeable: given
 * the counts every order is as likely as any other, so the drawn sequence has the distribution of the true one, each
 * likelihood ratio has mean 1 given what was drawn before, M − rows is a martingale, and E[rows to a false alarm] ≥ B holds
 * in rows as the detector states it, whatever the length of a pane. After a change the same is true of the panes behind
 * it; in the one pane where it happened the drawn order blurs it, which costs at most that pane’s rows.
 *
 * `unit: 'pane'` takes a pane as one observation, the share of wrong answers, for streams whose neighbours share their
 * luck: on rows that are not independent a budget in rows would be spent too soon. The detector needs only that the mean
 * of an observation in [0, 1] does not rise, so B then counts panes. The validation rows count as the panes they would fill,
 * but as 20 at most: how many days they come from is not known, and the watch soon learns more from its own.
 */
export interface ErrorWatch {
  readonly v: 1;
  readonly unit: 'row' | 'pane';
  readonly meanTimeBetweenFalseAlarms: number;
  readonly baseline: { readonly errors: number; readonly rows: number };
  /** null before the first pane. */
  detector: EDetectorState | null;
  /** Where the detector’s observations lie in event time, ascending. */
  marks: Mark[];
  /** Outcomes taken in. */
  rows: number;
  /** Panes that start before are taken in. */
  nextMs: number;
}

interface Mark {
  /** Observations before it, and outcomes. */
  readonly row: number;
  readonly rows: number;
  readonly startMs: number;
  readonly offsets: OffsetSpans;
}

export interface ErrorRise {
  /** Start of the pane in which the errors began to rise, as estimated. */
  readonly sinceMs: number;
  /** Start of the pane that completed the evidence. */
  readonly atMs: number;
  readonly errorBefore: number;
  readonly errorNow: number;
  /** 95 % of the error rate since: Wilson’s interval on the rows. Rows picked for standing out: a small part of the rise is luck. */
  readonly low: number;
  readonly high: number;
  /** Answers since. */
  readonly rows: number;
  /** In units of the budget: rows, or panes. */
  readonly evidence: number;
  readonly threshold: number;
  /** Where the rows since lie in the log, by partition. */
  readonly offsets: OffsetSpans;
}

export interface ErrorWatchSettings {
  /** Wrong answers and rows on which the version was validated. */
  readonly baseline: { readonly errors: number; readonly rows: number };
  readonly meanTimeBetweenFalseAlarms: number;
  readonly unit: 'row' | 'pane';
}

/** What validation rows are worth at most, in panes. */
const baselinePanesMax = 20;

/** More marks than this are thinned: a change that is that many panes old is then dated to one of two. */
const marksMax = 4_096;

/** @throws RangeError for a baseline without rows, or a budget below 1. */
export function startErrorWatch({ baseline, meanTimeBetweenFalseAlarms, unit }: ErrorWatchSettings): ErrorWatch {
  startEDetector({ baseline, meanTimeBetweenFalseAlarms });
  return { v: 1, unit, meanTimeBetweenFalseAlarms, baseline, detector: null, marks: [], rows: 0, nextMs: 0 };
}

function detectorOf(watch: ErrorWatch, first: ErrorPane): EDetectorState {
  const { baseline, meanTimeBetweenFalseAlarms, unit } = watch;
  if (unit === 'row') return startEDetector({ baseline, meanTimeBetweenFalseAlarms });
  const panes = Math.min(baselinePanesMax, Math.max(1, baseline.rows / first.rows));
  return startEDetector({ baseline: { errors: (panes * baseline.errors) / baseline.rows, rows: panes }, meanTimeBetweenFalseAlarms });
}

/** The pane’s observations, in the order drawn for it. */
function* observationsOf({ unit }: ErrorWatch, { startMs, rows, errors }: ErrorPane, salt: string): Generator<number> {
  if (unit === 'pane') return yield errors / rows;
  const uniform = seededUniforms(Number.parseInt(sha256Hex(`${salt}/${startMs}`).slice(0, 8), 16));
  let wrong = errors;
  for (let left = rows; left > 0; left -= 1) {
    const x = uniform() * left < wrong ? 1 : 0;
    wrong -= x;
    yield x;
  }
}

/** Earliest observation that a later alarm can be dated to. */
function earliestStart({ row, rows, rises }: EDetectorState): number {
  return row - rows + Math.min(rows, ...rises.map(({ fromRows }) => fromRows));
}

function keepMarks(watch: ErrorWatch, detector: EDetectorState): void {
  const from = earliestStart(detector);
  const first = watch.marks.findLastIndex(({ row }) => row <= from);
  if (first > 0) watch.marks.splice(0, first);
  if (watch.marks.length > marksMax) watch.marks = watch.marks.filter((_, index) => index % 2 === 0 || index > marksMax / 2);
}

function riseOf({ unit, marks, rows: before }: ErrorWatch, alarm: DriftAlarm, pane: ErrorPane): ErrorRise {
  const changed = alarm.row - alarm.rowsNow;
  const mark = marks.findLast(({ row }) => row <= changed) ?? { row: changed, rows: before, startMs: pane.startMs };
  // In panes the mark is the change; in rows the change may lie inside its pane.
  const rows = unit === 'row' ? alarm.rowsNow : before + pane.rows - mark.rows;
  const { low, high } = wilsonInterval(alarm.errorNow * rows, rows);
  return { sinceMs: mark.startMs, atMs: pane.startMs, errorBefore: alarm.errorBefore, errorNow: alarm.errorNow, low, high, rows, evidence: alarm.evidence, threshold: alarm.threshold, offsets: spanOf(marks.filter(({ row }) => row >= mark.row)) };
}

/** Of all these panes together. */
function spanOf(marks: readonly Mark[]): OffsetSpans {
  const spans: Record<string, { from: number; to: number }> = {};
  for (const { offsets } of marks) {
    for (const [partition, { from, to }] of Object.entries(offsets)) {
      const span = spans[partition];
      spans[partition] = { from: Math.min(from, span?.from ?? from), to: Math.max(to, span?.to ?? to) };
    }
  }
  return spans;
}

/**
 * Takes in the next pane, in place; panes come in the order of their time, each once. Answers the rises that it completed:
 * after one the watch begins anew from what it now sees.
 * @param salt fixed for the version, such as its name; with the pane’s time it seeds the order of the rows.
 * @throws RangeError for a pane before the last one, or counts that are none.
 */
export function watchPane(watch: ErrorWatch, pane: ErrorPane, salt: string): ErrorRise[] {
  const { startMs, rows, errors, offsets = {} } = pane;
  if (startMs < watch.nextMs) throw new RangeError(`a pane at ${startMs} comes after ${watch.nextMs}`);
  if (!(Number.isInteger(rows) && Number.isInteger(errors) && errors >= 0 && rows >= errors)) throw new RangeError(`${errors} wrong of ${rows} rows is no pane`);
  watch.nextMs = startMs + 1;
  if (rows === 0) return [];
  const detector = (watch.detector ??= detectorOf(watch, pane));
  watch.marks.push({ row: detector.row, rows: watch.rows, startMs, offsets });
  const rises: ErrorRise[] = [];
  for (const x of observationsOf(watch, pane, salt)) {
    const alarm = observeEDetector(detector, x);
    if (alarm !== null) rises.push(riseOf(watch, alarm, pane));
  }
  watch.rows += rows;
  keepMarks(watch, detector);
  return rises;
}

/** Evidence as a part of what an alarm needs, in [0, 1); 0 before the first pane. */
export const evidenceShare = ({ detector, meanTimeBetweenFalseAlarms }: ErrorWatch): number => (detector === null ? 0 : evidenceOf(detector) / meanTimeBetweenFalseAlarms);

const decimals = (share: number): string => share.toFixed(share < 0.1 ? 3 : 2);
const instant = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

/** 2,100,000 → “2.1 million”. */
function inWords(count: number): string {
  if (count >= 1e15) return count.toExponential(1);
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} billion`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} million`;
  return Math.round(count).toLocaleString('en-US');
}

/** What an operator reads. */
export function riseSentence({ errorBefore, errorNow, low, high, rows, sinceMs, evidence, threshold }: ErrorRise): string {
  return `errors rose from ${decimals(errorBefore)} to ${decimals(errorNow)} (95 % interval ${decimals(low)}–${decimals(high)}, ${rows.toLocaleString('en-US')} outcomes) since ${instant(sinceMs)} UTC; evidence ${inWords(evidence)} against ${inWords(threshold)} needed`;
}
