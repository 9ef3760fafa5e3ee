export type Cell = string | number | boolean | null | undefined;

const text = (cell: Cell): string => (cell === null || cell === undefined ? '–' : typeof cell === 'number' && !Number.isInteger(cell) ? cell.toFixed(4) : String(cell));

/** A table for people: columns as wide as they need, numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => row.map(text));
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const numeric = header.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number' || row[column] === null));
  const line = (row: readonly string[]) => row.map((cell, column) => (numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ').trimEnd();
  return [line(header.map((name) => name.toUpperCase())), ...cells.map(line)].join('\n');
}

/** The one place that decides between people and machines. */
export function show(json: boolean, value: unknown, forPeople: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : forPeople()}\n`);
}
