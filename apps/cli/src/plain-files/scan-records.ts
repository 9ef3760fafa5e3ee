import { createReadStream, existsSync } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { MillraceError } from '@millrace/contracts';
import { literal, quoted, sourceOf } from './read-table.js';

/** How a cell that was written as text is read; what cannot be read so stays text. */
export type CellKind = 'number' | 'boolean' | 'time' | 'text';
export type ScannedRecord = Record<string, unknown>;

/** One chunk of columns of a file, in the order of the file. */
export interface ScannedColumn {
  readonly name: string;
  /** Times are milliseconds since 1970; truth values the texts `true` and `false`. */
  readonly kind: 'number' | 'time' | 'text';
}

const numberText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u;

const kindOf = (type: string): CellKind => {
  if (/^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL)/u.test(type)) return 'number';
  if (type === 'BOOLEAN') return 'boolean';
  return /^(?:TIMESTAMP|DATE$)/u.test(type) ? 'time' : 'text';
};

function cellOf(kind: CellKind, text: string): unknown {
  switch (kind) {
    case 'number': return numberText.test(text) ? Number(text) : text;
    case 'boolean': return /^true$/iu.test(text) ? true : /^false$/iu.test(text) ? false : text;
    case 'time': return /^\d{4}-\d\d-\d\d \d/u.test(text) ? text.replace(' ', 'T') : text;
    case 'text': return text;
  }
}

const unreadable = (file: string, cause: unknown): MillraceError =>
  cause instanceof MillraceError ? cause : new MillraceError('REQUEST_INVALID', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });

async function connected<T>(file: string, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  if (!existsSync(file)) throw new MillraceError('REQUEST_INVALID', `${file} does not exist`);
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } catch (cause) {
    throw unreadable(file, cause);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function typesOf(connection: DuckDBConnection, source: string): Promise<[string, string][]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
  return described.getRowObjects().map((row) => [String(row['column_name']), String(row['column_type'])]);
}

async function eachChunk(connection: DuckDBConnection, sql: string, take: (columns: readonly (readonly unknown[])[]) => void): Promise<void> {
  const result = await connection.stream(sql);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) take(chunk.getColumns());
}

const formatOf = (file: string): string => extname(file.endsWith('.gz') ? file.slice(0, -3) : file).toLowerCase();

/** CSV with every cell as it was written. An empty cell is null. */
const asWritten = (file: string): string => `read_csv(${literal(file)}, header = true, all_varchar = true${formatOf(file) === '.tsv' ? `, delim = '\t'` : ''})`;

/** Kinds of the columns from all their cells; whole numbers with leading zeros are codes, not numbers. */
async function writtenKinds(connection: DuckDBConnection, file: string): Promise<Map<string, CellKind>> {
  const kinds = new Map((await typesOf(connection, sourceOf(file))).map(([name, type]) => [name, kindOf(type)]));
  for (const [name, kind] of kinds) {
    if (kind !== 'number') continue;
    const answer = await connection.runAndReadAll(`SELECT count(*) > 0 AS coded FROM ${asWritten(file)} WHERE regexp_matches(${quoted(name)}, '^0[0-9]')`);
    if (answer.getRowObjects()[0]?.['coded'] === true) kinds.set(name, 'text');
  }
  return kinds;
}

async function scanWritten(file: string, wanted: ReadonlyMap<string, CellKind> | null, take: (record: ScannedRecord) => void): Promise<string[]> {
  return connected(file, async (connection) => {
    const kinds = wanted ?? (await writtenKinds(connection, file));
    const names = (await typesOf(connection, asWritten(file))).map(([name]) => name);
    await eachChunk(connection, `SELECT * FROM ${asWritten(file)}`, (columns) => {
      const rows = columns[0]?.length ?? 0;
      for (let row = 0; row < rows; row += 1) {
        take(Object.fromEntries(names.map((name, index) => {
          const cell = columns[index]?.[row];
          return [name, typeof cell === 'string' ? cellOf(kinds.get(name) ?? 'text', cell) : null];
        })));
      }
    });
    return names;
  });
}

const asJson = (name: string, type: string): string => {
  const kind = kindOf(type);
  if (kind === 'number') return `CAST(${quoted(name)} AS DOUBLE)`;
  if (kind === 'boolean') return quoted(name);
  if (kind === 'time') return type === 'DATE' ? `CAST(${quoted(name)} AS VARCHAR)` : `strftime(CAST(${quoted(name)} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ')`;
  return `CAST(${quoted(name)} AS VARCHAR)`;
};

async function scanParquet(file: string, take: (record: ScannedRecord) => void): Promise<string[]> {
  return connected(file, async (connection) => {
    const types = await typesOf(connection, sourceOf(file));
    await eachChunk(connection, `SELECT ${types.map(([name, type]) => asJson(name, type)).join(', ')} FROM ${sourceOf(file)}`, (columns) => {
      const rows = columns[0]?.length ?? 0;
      for (let row = 0; row < rows; row += 1) take(Object.fromEntries(types.map(([name], index) => [name, columns[index]?.[row] ?? null])));
    });
    return types.map(([name]) => name);
  });
}

async function scanJsonLines(file: string, take: (record: ScannedRecord) => void): Promise<string[]> {
  if (!existsSync(file)) throw new MillraceError('REQUEST_INVALID', `${file} does not exist`);
  const names = new Set<string>();
  let line = 0;
  const bytes = createReadStream(file);
  const lines = createInterface({ input: file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes, crlfDelay: Infinity });
  try {
    for await (const text of lines) {
      line += 1;
      if (text.trim() === '') continue;
      const record: unknown = JSON.parse(text);
      if (typeof record !== 'object' || record === null || Array.isArray(record)) throw new SyntaxError('no JSON object');
      for (const name of Object.keys(record)) names.add(name);
      take(record as ScannedRecord);
    }
  } catch (cause) {
    throw new MillraceError('REQUEST_INVALID', `${file}, line ${line}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return [...names];
}

/**
 * Hands over each row of a file as a record of JSON values, in its order, one by one.
 * @param wanted how the cells of CSV and TSV are read; null finds it from all of them. JSON lines and Parquet bring their own types.
 * @returns the names of its columns.
 * @throws MillraceError REQUEST_INVALID for a file that is missing, of another kind or unreadable.
 */
export function scanRecords(file: string, wanted: ReadonlyMap<string, CellKind> | null, take: (record: ScannedRecord) => void): Promise<string[]> {
  switch (formatOf(file)) {
    case '.csv': case '.tsv': return scanWritten(file, wanted, take);
    case '.jsonl': case '.ndjson': return scanJsonLines(file, take);
    case '.parquet': return scanParquet(file, take);
    default: return Promise.reject(new MillraceError('REQUEST_INVALID', `${file}: only .csv, .tsv, .jsonl and .parquet are read (.gz too where it is text)`));
  }
}

/**
 * Hands over the columns of a file in chunks of some thousand rows, in its order.
 * @param open is told the columns before the first chunk.
 * @returns the number of rows.
 * @throws MillraceError REQUEST_INVALID as scanRecords.
 */
export function scanColumns(file: string, open: (columns: readonly ScannedColumn[]) => (cells: readonly (readonly unknown[])[]) => void): Promise<number> {
  return connected(file, async (connection) => {
    const source = sourceOf(file);
    const columns = (await typesOf(connection, source)).map(([name, type]) => ({ name, kind: kindOf(type) === 'boolean' ? 'text' as const : kindOf(type) as ScannedColumn['kind'] }));
    const take = open(columns);
    const cells = columns.map(({ name, kind }) =>
      kind === 'text' ? `CAST(${quoted(name)} AS VARCHAR)` : kind === 'time' ? `CAST(epoch_us(CAST(${quoted(name)} AS TIMESTAMP)) AS DOUBLE) / 1000` : `CAST(${quoted(name)} AS DOUBLE)`);
    let rows = 0;
    await eachChunk(connection, `SELECT ${cells.join(', ')} FROM ${source}`, (chunk) => {
      rows += chunk[0]?.length ?? 0;
      take(chunk);
    });
    return rows;
  });
}
