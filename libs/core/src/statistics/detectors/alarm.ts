/** What a drift detector says when it alarms. A row is one observation; an error is an observation in [0, 1], mostly 0 or 1. */
export interface DriftAlarm {
  /** Rows taken in since the detector was started, this one included: the first row is 1. */
  readonly row: number;
  /** The detector’s own statistic, named in its file, and the limit that it passed. */
  readonly evidence: number;
  readonly threshold: number;
  readonly direction: 'rise' | 'fall';
  /** Mean error before the change and from there to the alarm, with the place of the change estimated. */
  readonly errorBefore: number;
  readonly errorNow: number;
  /** Rows from the estimated change to the alarm, the alarm’s row included. Picked because they stand out, so a small part of the rise is luck. */
  readonly rowsNow: number;
}

/** Rows and the sum of their errors. */
export interface Tally {
  rows: number;
  sum: number;
}

export const emptyTally = (): Tally => ({ rows: 0, sum: 0 });

export const meanOf = ({ rows, sum }: Tally): number => (rows === 0 ? 0 : sum / rows);

/** Alarm from the rows at the estimated change and those at the alarm, both counted from the same start. */
export function alarmBetween(at: { readonly row: number; readonly evidence: number; readonly threshold: number; readonly direction: 'rise' | 'fall' }, before: Tally, all: Tally): DriftAlarm {
  const now: Tally = { rows: all.rows - before.rows, sum: all.sum - before.sum };
  return { ...at, errorBefore: meanOf(before.rows === 0 ? all : before), errorNow: meanOf(now.rows === 0 ? all : now), rowsNow: now.rows };
}
