import { MillraceError } from '@millrace/contracts';
import type { Column, Table } from './read-table.js';

export function refuseRow(file: string, row: number, what: string): never {
  throw new MillraceError('REQUEST_INVALID', `${file}, row ${row}: ${what}`);
}

export function columnOf(file: string, table: Table, name: string): Column | undefined;
export function columnOf(file: string, table: Table, name: string, required: true): Column;
export function columnOf(file: string, { columns }: Table, name: string, required = false): Column | undefined {
  const column = columns.find((each) => each.name === name);
  if (column === undefined && required) throw new MillraceError('REQUEST_INVALID', `${file} has no column ${name}; its columns are ${columns.map((each) => each.name).join(', ')}`);
  return column;
}

/** Cells as text, null where there is none. */
export function textAt(column: Column, index: number): string | null {
  if (column.kind === 'text') return column.values[index] ?? null;
  return column.present[index] === 1 ? String(column.values[index]) : null;
}

const truthValues: Readonly<Record<string, number>> = { true: 1, false: 0 };

/** A cell as a number, a truth value as 1 or 0; null where there is none. @throws MillraceError REQUEST_INVALID naming the row */
export function numberAt(file: string, column: Column, index: number): number | null {
  const text = textAt(column, index);
  if (text === null || text.trim() === '') return null;
  const value = column.kind === 'text' ? (truthValues[text.toLowerCase()] ?? Number(text)) : (column.values[index] ?? NaN);
  return Number.isFinite(value) && column.kind !== 'time' ? value : refuseRow(file, index + 1, `${column.name} is not a number: ${text}`);
}
