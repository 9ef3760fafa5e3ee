import { MillraceError } from '@millrace/contracts';
import type { Arm, LoggedOutcome } from '@millrace/core/rollout';
import { readTable, type Column, type Table } from './read-table.js';

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

function refuse(file: string, row: number, what: string): never {
  throw new MillraceError('REQUEST_INVALID', `${file}, row ${row}: ${what}`);
}

function columnOf(file: string, { columns }: Table, name: string): Column | undefined;
function columnOf(file: string, { columns }: Table, name: string, required: true): Column;
function columnOf(file: string, { columns }: Table, name: string, required = false): Column | undefined {
  const column = columns.find((each) => each.name === name);
  if (column === undefined && required) throw new MillraceError('REQUEST_INVALID', `${file} has no column ${name}; its columns are ${columns.map((each) => each.name).join(', ')}`);
  return column;
}

/** Cells as text, null where there is none. */
function textAt(column: Column, index: number): string | null {
  if (column.kind === 'text') return column.values[index] ?? null;
  return column.present[index] === 1 ? String(column.values[index]) : null;
}

const truthValues: Readonly<Record<string, number>> = { true: 1, false: 0 };

/** Numbers of a column, truth values as 1 and 0. @param optional missing cells become NaN. */
function numbersOf(file: string, column: Column, rows: number, optional: boolean): Float64Array {
  const numbers = new Float64Array(rows).fill(NaN);
  for (let index = 0; index < rows; index += 1) {
    const text = textAt(column, index);
    if (text === null || text.trim() === '') {
      if (!optional) refuse(file, index + 1, `${column.name} is missing; leave out rows whose ${column.name} is not known yet`);
      continue;
    }
    const value = column.kind === 'text' ? (truthValues[text.toLowerCase()] ?? Number(text)) : (column.values[index] ?? NaN);
    if (!Number.isFinite(value) || column.kind === 'time') refuse(file, index + 1, `${column.name} is not a number: ${text}`);
    if (value < 0) refuse(file, index + 1, `${column.name} is below 0: ${text}`);
    numbers[index] = value;
  }
  return numbers;
}

function armsOf(file: string, column: Column, rows: number): Uint8Array {
  const candidates = new Uint8Array(rows);
  for (let index = 0; index < rows; index += 1) {
    const arm = textAt(column, index);
    if (arm !== 'champion' && arm !== 'candidate') refuse(file, index + 1, `arm is ${arm === null ? 'missing' : `"${arm}"`}; it must be champion or candidate`);
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
    if (textAt(units, index) === null) refuse(file, index + 1, 'unit is missing');
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
