import { MillraceError } from '@millrace/contracts';
import type { Arm, LoggedOutcome } from '@millrace/core/rollout';
import { columnOf, numberAt, refuseRow, textAt } from './cells.js';
import { readTable, type Column } from './read-table.js';

/** A log of outcomes, every cell checked; row r stands at r − 1. */
export interface OutcomeLog {
  readonly rows: number;
  /** Number of distinct slices; 0 without the column. */
  readonly slices: number;
  readonly lossMax: number;
  /** Where the largest loss stands first. */
  readonly lossMaxRow: number;
  /** Every loss is 0 or 1. */
  readonly lossesAreBinary: boolean;
  at(row: number, lossBound: number): LoggedOutcome;
}

/** Numbers of a column, truth values as 1 and 0. @param optional missing cells become NaN. */
function numbersOf(file: string, column: Column, rows: number, optional: boolean): Float64Array {
  const numbers = new Float64Array(rows).fill(NaN);
  for (let index = 0; index < rows; index += 1) {
    const value = numberAt(file, column, index);
    if (value === null) {
      if (!optional) refuseRow(file, index + 1, `${column.name} is missing; leave out rows whose ${column.name} is not known yet`);
      continue;
    }
    if (value < 0) refuseRow(file, index + 1, `${column.name} is below 0: ${value}`);
    numbers[index] = value;
  }
  return numbers;
}

function armsOf(file: string, column: Column, rows: number): Uint8Array {
  const candidates = new Uint8Array(rows);
  for (let index = 0; index < rows; index += 1) {
    const arm = textAt(column, index);
    if (arm !== 'champion' && arm !== 'candidate') refuseRow(file, index + 1, `arm is ${arm === null ? 'missing' : `"${arm}"`}; it must be champion or candidate`);
    candidates[index] = arm === 'candidate' ? 1 : 0;
  }
  return candidates;
}

/** Reads the columns unit, arm, loss and, where present, slice and latency_ms. @throws MillraceError REQUEST_INVALID naming the row. */
export async function readOutcomeLog(file: string): Promise<OutcomeLog> {
  const table = await readTable(file);
  const { rows } = table;
  if (rows === 0) throw new MillraceError('REQUEST_INVALID', `${file} has no rows`);
  const units = columnOf(file, table, 'unit', true);
  const candidates = armsOf(file, columnOf(file, table, 'arm', true), rows);
  const losses = numbersOf(file, columnOf(file, table, 'loss', true), rows, false);
  const slices = columnOf(file, table, 'slice');
  const latencies = columnOf(file, table, 'latency_ms');
  const latenciesMs = latencies === undefined ? undefined : numbersOf(file, latencies, rows, true);
  const names = new Set<string>();
  let [lossMax, lossMaxRow, lossesAreBinary] = [-1, 1, true];
  for (let index = 0; index < rows; index += 1) {
    if (textAt(units, index) === null) refuseRow(file, index + 1, 'unit is missing');
    const loss = losses[index] ?? 0;
    if (loss > lossMax) [lossMax, lossMaxRow] = [loss, index + 1];
    lossesAreBinary &&= loss === 0 || loss === 1;
    const slice = slices === undefined ? null : textAt(slices, index);
    if (slice !== null) names.add(slice);
  }
  const latencyAt = (index: number): number | null => {
    const latency = latenciesMs?.[index] ?? NaN;
    return Number.isNaN(latency) ? null : latency;
  };
  return {
    rows, slices: names.size, lossMax, lossMaxRow, lossesAreBinary,
    at: (row, lossBound) => {
      const index = row - 1;
      const arm: Arm = candidates[index] === 1 ? 'candidate' : 'champion';
      return { unit: textAt(units, index) ?? '', arm, loss: Math.min(lossBound, losses[index] ?? 0), slice: slices === undefined ? null : textAt(slices, index), latencyMs: latencyAt(index) };
    },
  };
}
