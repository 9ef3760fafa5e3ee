import type { Cell } from '../cases/section.js';

/** Three significant digits below 100, whole numbers above. */
export function formatCell(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  if (Number.isInteger(cell)) return cell.toLocaleString('en');
  const size = Math.abs(cell);
  return size >= 100 ? Math.round(cell).toLocaleString('en') : cell.toFixed(size >= 10 ? 1 : 2);
}

/** Columns of equal width for a terminal; numbers to the right. */
export function textTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => columns.map((_, place) => formatCell(row[place] ?? null)));
  const numeric = columns.map((_, place) => rows.every((row) => typeof row[place] !== 'string'));
  const widths = columns.map((column, place) => Math.max(column.length, ...cells.map((row) => row[place]?.length ?? 0)));
  const line = (row: readonly string[]): string => row.map((cell, place) => (numeric[place] === true ? cell.padStart(widths[place] ?? 0) : cell.padEnd(widths[place] ?? 0))).join('  ').trimEnd();
  return [line(columns), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)].join('\n');
}

export function markdownTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map((_, place) => (rows.every((row) => typeof row[place] !== 'string') ? '---:' : '---'))), ...rows.map((row) => line(columns.map((_, place) => formatCell(row[place] ?? null))))].join('\n');
}
