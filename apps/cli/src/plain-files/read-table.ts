import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { MillraceError } from '@millrace/contracts';

/** A column of numbers, or of times in milliseconds since 1970 (UTC). Where `present` is 0 the value is NaN. */
export interface NumberColumn {
  readonly name: string;
  readonly kind: 'number' | 'time';
  readonly values: Float64Array;
  readonly present: Uint8Array;
}
/** Anything else as text; truth values are 'true' and 'false'. */
export interface TextColumn {
  readonly name: string;
  readonly kind: 'text';
  readonly values: readonly (string | null)[];
}
export type Column = NumberColumn | TextColumn;

export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The file as a table in DuckDB’s SQL; a pattern such as `day=*\/*.parquet` names several. @throws MillraceError REQUEST_INVALID for an unknown kind. */
export function sourceOf(file: string): string {
  const name = file.endsWith('.gz') ? file.slice(0, -3) : file;
  switch (extname(name).toLowerCase()) {
    case '.parquet': return `read_parquet(${literal(file)})`;
    case '.csv': return `read_csv_auto(${literal(file)}, header = true, sample_size = -1)`;
    case '.tsv': return `read_csv_auto(${literal(file)}, header = true, sample_size = -1, delim = '\t')`;
    case '.jsonl': case '.ndjson': return `read_json_auto(${literal(file)}, format = 'newline_delimited', sample_size = -1)`;
    default: throw new MillraceError('REQUEST_INVALID', `${file}: only .csv, .tsv, .jsonl and .parquet are read (.gz too where it is text)`);
  }
}

type Kind = Column['kind'];

function kindOf(type: string): Kind {
  if (/^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT|FLOAT|DOUBLE|DECIMAL)/u.test(type)) return 'number';
  return /^(TIMESTAMP|DATE$)/u.test(type) ? 'time' : 'text';
}

/** Everything leaves DuckDB as DOUBLE or VARCHAR, so that its types end here. */
const cast = (name: string, kind: Kind): string => {
  if (kind === 'text') return `CAST(${quoted(name)} AS VARCHAR)`;
  return kind === 'time' ? `CAST(epoch_us(CAST(${quoted(name)} AS TIMESTAMP)) AS DOUBLE) / 1000` : `CAST(${quoted(name)} AS DOUBLE)`;
};

function numberColumn(name: string, kind: 'number' | 'time', cells: readonly unknown[]): NumberColumn {
  const values = new Float64Array(cells.length).fill(NaN);
  const present = new Uint8Array(cells.length);
  cells.forEach((cell, row) => {
    if (typeof cell !== 'number') return;
    values[row] = cell;
    present[row] = Number.isNaN(cell) ? 0 : 1;
  });
  return { name, kind, values, present };
}

async function columnsOf(connection: DuckDBConnection, source: string): Promise<{ name: string; kind: Kind }[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
  return described.getRowObjects().map((row) => ({ name: String(row['column_name']), kind: kindOf(String(row['column_type'])) }));
}

/**
 * Reads a file of rows whole into memory, in the file's order; CSV types are found from all of its rows.
 * @param wanted only these columns, in this order.
 * @throws MillraceError REQUEST_INVALID for a file that is missing, of another kind, unreadable, or lacks a wanted column.
 */
export async function readTable(file: string, wanted?: readonly string[]): Promise<Table> {
  if (!existsSync(file)) throw new MillraceError('REQUEST_INVALID', `${file} does not exist`);
  const source = sourceOf(file);
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    const found = await columnsOf(connection, source);
    const columns = wanted === undefined ? found : wanted.map((name) => {
      const column = found.find((each) => each.name === name);
      if (column === undefined) throw new MillraceError('REQUEST_INVALID', `${file} has no column ${name}; its columns are ${found.map((each) => each.name).join(', ')}`);
      return column;
    });
    const read = await connection.runAndReadAll(`SELECT ${columns.map(({ name, kind }) => cast(name, kind)).join(', ')} FROM ${source}`);
    const cells = read.getColumns();
    return {
      rows: read.currentRowCount,
      columns: columns.map(({ name, kind }, index) => (kind === 'text' ? { name, kind, values: (cells[index] ?? []) as (string | null)[] } : numberColumn(name, kind, cells[index] ?? []))),
    };
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError('REQUEST_INVALID', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
