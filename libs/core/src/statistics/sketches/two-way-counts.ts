import { sealed, unsealed } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';

/**
 * Exact counts of pairs of categories, such as segment × category: a contingency table with at most `cellsMax` cells that are
 * not 0. One cell more and the table gives up as an exact histogram does: it forgets its counts, keeps how many pairs came, and
 * says so (`complete` false) for ever.
 */
export interface TwoWayCounts {
  readonly cellsMax: number;
  n: number;
  cells: number;
  readonly rows: Map<string, Map<string, number>>;
  complete: boolean;
}

const cellsMaxDefault = 4_096;

/** @throws RangeError when cellsMax is no whole number from 1 to 65,536. */
export function emptyTwoWayCounts(cellsMax = cellsMaxDefault): TwoWayCounts {
  if (!Number.isInteger(cellsMax) || cellsMax < 1 || cellsMax > 65_536) throw new RangeError(`two-way counts have 1 to 65,536 cells, not ${cellsMax}`);
  return { cellsMax, n: 0, cells: 0, rows: new Map(), complete: true };
}

function giveUp(table: TwoWayCounts): void {
  table.complete = false;
  table.cells = 0;
  table.rows.clear();
}

function add(table: TwoWayCounts, row: string, column: string, count: number): void {
  if (!table.complete) return;
  let cells = table.rows.get(row);
  const seen = cells?.get(column);
  if (seen === undefined && table.cells === table.cellsMax) {
    giveUp(table);
    return;
  }
  if (cells === undefined) table.rows.set(row, (cells = new Map()));
  if (seen === undefined) table.cells += 1;
  cells.set(column, (seen ?? 0) + count);
}

export function observePair(table: TwoWayCounts, row: string, column: string): void {
  table.n += 1;
  add(table, row, column, 1);
}

/** @throws RangeError when the limits differ. */
export function mergeTwoWayCounts(a: TwoWayCounts, b: TwoWayCounts): TwoWayCounts {
  if (a.cellsMax !== b.cellsMax) throw new RangeError('two-way counts of different limits cannot be merged');
  const merged = emptyTwoWayCounts(a.cellsMax);
  merged.n = a.n + b.n;
  if (!a.complete || !b.complete) giveUp(merged);
  for (const table of [a, b]) for (const [row, cells] of table.rows) for (const [column, count] of cells) add(merged, row, column, count);
  return merged;
}

/** How often the pair came; null when there were too many pairs to know. */
export function pairCount(table: TwoWayCounts, row: string, column: string): number | null {
  return table.complete ? (table.rows.get(row)?.get(column) ?? 0) : null;
}

const byCodeUnits = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

/** Rows and their cells in the order of their code units; null when there were too many. */
export function tableOf(table: TwoWayCounts): { row: string; cells: [string, number][] }[] | null {
  if (!table.complete) return null;
  return [...table.rows].sort(byCodeUnits).map(([row, cells]) => ({ row, cells: [...cells].sort(byCodeUnits) }));
}

const [tag, version] = [6, 1];

export function serialiseTwoWayCounts(table: TwoWayCounts): Uint8Array {
  return sealed(tag, version, (writer) => {
    writer.count(table.cellsMax);
    writer.count(table.n);
    writer.u8(table.complete ? 1 : 0);
    const rows = tableOf(table);
    if (rows === null) return;
    writer.count(rows.length);
    for (const { row, cells } of rows) {
      writer.text(row);
      writer.count(cells.length);
      for (const [column, count] of cells) {
        writer.text(column);
        writer.count(count);
      }
    }
  });
}

/** @throws RangeError for bytes that are no such table. */
export function parseTwoWayCounts(bytes: Uint8Array): TwoWayCounts {
  return unsealed(bytes, tag, version, (reader) => {
    const table = emptyTwoWayCounts(reader.count());
    table.n = reader.count();
    table.complete = reader.u8() === 1;
    if (!table.complete) return table;
    const rows = reader.size(table.cellsMax);
    for (let index = 0; index < rows; index += 1) {
      const row = reader.text();
      const cells = reader.size(table.cellsMax);
      for (let cell = 0; cell < cells; cell += 1) add(table, row, reader.text(), reader.count());
    }
    return table;
  });
}

export const twoWayCountsKind: SketchKind<TwoWayCounts, 'name-pair'> = {
  role: 'sketch',
  name: 'two-way-counts',
  takes: 'name-pair',
  empty: () => emptyTwoWayCounts(256),
  observe: (table, [row, column]) => observePair(table, row, column),
  merge: mergeTwoWayCounts,
  serialise: serialiseTwoWayCounts,
  parse: parseTwoWayCounts,
  answers: (table, probes) => [
    { about: 'count', value: table.n, error: 0 },
    { about: 'cells', value: table.complete ? table.cells : null, error: 0 },
    ...probes.map(([row, column], index) => ({ about: `count of probe ${index}`, value: pairCount(table, row, column), error: 0 })),
  ],
  orderIndependent: true,
};
