import { emptyKll, kllQuantiles, observeKll, type KllSketch } from '../statistics/index.js';
import { emptyExtremes, observeExtreme, type Extremes } from './infer-contract-tails.js';
import { emptyTextForm, observeText, type TextForm } from './infer-contract-text.js';
import { misreadText } from './fault-kinds.js';
import { isIsoDate, isIsoTimestamp, isoTimestampMs } from './iso-time.js';

/** What one pass over a column’s values leaves. */
export interface ColumnEvidence {
  readonly name: string;
  rows: number;
  nulls: number;
  /** Values by what they could be; a value counts for each. */
  numbers: number;
  integers: number;
  booleans: number;
  timestamps: number;
  dates: number;
  texts: number;
  structures: number;
  readonly high: Extremes;
  readonly low: Extremes;
  readonly quantiles: KllSketch;
  /** Texts by how often they came; null once there were too many. */
  names: Map<string, number> | null;
  readonly form: TextForm;
  readonly lengths: { readonly high: Extremes; readonly low: Extremes; readonly counts: Map<number, number> };
  misread: boolean;
  /** Distinct values, as long as none came twice. */
  unique: Set<string> | null;
  readonly time: TimeEvidence;
}

export interface TimeEvidence {
  min: number;
  max: number;
  /** Times that were there before, among the latest 1,000 distinct ones. */
  repeats: number;
  readonly recent: Set<number>;
  /** How many rows on end had the same time. */
  readonly runs: Extremes;
  run: number;
  last: number;
  /** Steps from the newest time so far to a newer one, ms. */
  readonly steps: Extremes;
  /** Rows per minute of event time; null once it spans too many. */
  minutes: Map<number, number> | null;
}

const [namesMax, minutesMax, recentMax] = [1_000, 200_000, 1_000];

export function emptyColumn(name: string): ColumnEvidence {
  return {
    name, rows: 0, nulls: 0, numbers: 0, integers: 0, booleans: 0, timestamps: 0, dates: 0, texts: 0, structures: 0,
    high: emptyExtremes(), low: emptyExtremes(), quantiles: emptyKll({ k: 400 }), names: new Map(), form: emptyTextForm(),
    lengths: { high: emptyExtremes(), low: emptyExtremes(), counts: new Map() }, misread: false, unique: new Set(),
    time: { min: Infinity, max: -Infinity, repeats: 0, recent: new Set(), runs: emptyExtremes(), run: 0, last: NaN, steps: emptyExtremes(), minutes: new Map() },
  };
}

function observeNumber(column: ColumnEvidence, x: number): void {
  column.numbers += 1;
  if (Number.isInteger(x)) column.integers += 1;
  observeExtreme(column.high, x);
  observeExtreme(column.low, -x);
  observeKll(column.quantiles, x);
}

function observeTime(time: TimeEvidence, at: number): void {
  if (at !== time.last) {
    if (time.run > 0) observeExtreme(time.runs, time.run);
    [time.last, time.run] = [at, 0];
  }
  time.run += 1;
  if (time.recent.has(at)) time.repeats += 1;
  else {
    time.recent.add(at);
    if (time.recent.size > recentMax) for (const oldest of time.recent) {
      time.recent.delete(oldest);
      break;
    }
  }
  if (at > time.max && time.max > -Infinity) observeExtreme(time.steps, at - time.max);
  time.min = Math.min(time.min, at);
  time.max = Math.max(time.max, at);
  if (time.minutes === null) return;
  const minute = Math.floor(at / 60_000);
  time.minutes.set(minute, (time.minutes.get(minute) ?? 0) + 1);
  if (time.minutes.size > minutesMax) time.minutes = null;
}

function observeString(column: ColumnEvidence, text: string): void {
  column.texts += 1;
  if (isIsoTimestamp(text)) {
    column.timestamps += 1;
    if (isIsoDate(text)) column.dates += 1;
    observeTime(column.time, isoTimestampMs(text));
    // A time is read as a time; its text tells nothing more, as long as all are.
    if (column.timestamps === column.texts) return;
  }
  observeText(column.form, text);
  observeExtreme(column.lengths.high, text.length);
  observeExtreme(column.lengths.low, -text.length);
  column.lengths.counts.set(text.length, (column.lengths.counts.get(text.length) ?? 0) + 1);
  column.misread ||= misreadText.test(text);
  if (column.names === null) return;
  column.names.set(text, (column.names.get(text) ?? 0) + 1);
  if (column.names.size > namesMax) column.names = null;
}

/** Takes in one JSON value. Missing and null are the same. */
export function observeCell(column: ColumnEvidence, value: unknown): void {
  column.rows += 1;
  if (value === null || value === undefined) {
    column.nulls += 1;
    column.unique = null;
    return;
  }
  if (column.unique !== null) {
    const key = `${typeof value}${String(value)}`;
    if (column.unique.has(key)) column.unique = null;
    else column.unique.add(key);
  }
  if (typeof value === 'number' && Number.isFinite(value)) observeNumber(column, value);
  else if (typeof value === 'string') observeString(column, value);
  else if (typeof value === 'boolean') column.booleans += 1;
  else column.structures += 1;
}

export type ColumnType = 'integer' | 'number' | 'boolean' | 'timestamp' | 'date' | 'string' | 'mixed';

/** The type that at least 99 % of the values have: a few strangers among them are what the contract is to reject. */
export function typeOf(column: ColumnEvidence): ColumnType {
  const present = column.rows - column.nulls;
  const most = (count: number): boolean => present > 0 && count >= 0.99 * present;
  if (most(column.numbers)) return column.integers === column.numbers ? 'integer' : 'number';
  if (most(column.booleans)) return 'boolean';
  if (most(column.dates) && column.dates === column.timestamps) return 'date';
  if (most(column.timestamps)) return 'timestamp';
  return present === 0 || most(column.texts) ? 'string' : 'mixed';
}

/** Quantiles of the numbers of the column; 0 for none. */
export const quantilesOf = (column: ColumnEvidence, qs: readonly number[]): number[] => kllQuantiles(column.quantiles, qs).map((value) => value ?? 0);
