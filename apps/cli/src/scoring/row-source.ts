import { existsSync, statSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { MillraceError, recordAdmitted } from '@millrace/contracts';
import { parseArchiveRange, writtenRange, type ArchiveRange } from '../archive/archive-range.js';
import { openArchive, recordFiles, type Archive } from '../archive/archive-segments.js';
import { archiveOwn, firstOfEachId, inRange, namedAsFeatures } from '../archive/archive-sql.js';
import { sourceOf } from '../plain-files/read-table.js';

/** Rows that were scored, and the smallest range of offsets [fromOffset, toOffset) that holds them. */
export interface ScoredOffsets {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly rows: number;
}

/** Rows with a column per feature, in an order that is the same each time. */
export interface RowSource {
  /** In messages. */
  readonly name: string;
  /** Rows of another fingerprint are other rows. */
  readonly fingerprint: string;
  /** The rows as a table in DuckDB's SQL. What it makes in the database is called `source`. @throws MillraceError REQUEST_INVALID, DATASET_EMPTY */
  open(connection: DuckDBConnection, features: readonly string[]): Promise<string>;
  /** After open: where the rows stand in the log; none for a file. */
  places(connection: DuckDBConnection): Promise<readonly ScoredOffsets[]>;
}

export function fileSource(file: string): RowSource {
  const stats = existsSync(file) ? statSync(file) : undefined;
  return { name: file, fingerprint: `${file} ${stats?.size ?? ''} ${stats?.mtimeMs ?? ''}`, open: () => Promise.resolve(sourceOf(file)), places: () => Promise.resolve([]) };
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjects();
}

/** Copies the range into the database: the archive grows while a run is interrupted, and each of its Parquet files is read once. */
async function copyRange(connection: DuckDBConnection, archive: Archive, range: ArchiveRange, features: readonly string[]): Promise<void> {
  const rows = firstOfEachId(await recordFiles(archive, range));
  const present = (await rowsOf(connection, `DESCRIBE ${rows}`)).map((column) => String(column['column_name']));
  const own = archiveOwn.filter((name) => present.includes(name));
  const { select, missing } = namedAsFeatures([...own, ...present.filter((name) => !own.some((each) => each === name))], features);
  if (missing.length > 0) throw new MillraceError('REQUEST_INVALID', `no record of ${writtenRange(range)} has the feature${missing.length === 1 ? '' : 's'} ${missing.join(', ')}; archived are ${present.join(', ')}`);
  await connection.run(`CREATE TABLE source AS SELECT archive_partition AS millrace_partition, "offset" AS millrace_offset, ${select.join(', ')} FROM (${rows}) WHERE ${inRange(range)} ORDER BY event_time, record_id`);
}

/** @param opened the archive; it is closed as soon as its rows are copied. */
export function archiveSource(range: ArchiveRange, opened: () => Promise<Archive> = openArchive): RowSource {
  const name = writtenRange(range);
  return {
    name,
    fingerprint: name,
    open: async (connection, features) => {
      const [found] = await rowsOf(connection, `SELECT count(*) AS n FROM duckdb_tables() WHERE table_name = 'source'`);
      if (Number(found?.['n'] ?? 0) === 0) {
        const archive = await opened();
        await copyRange(connection, archive, range, features).finally(() => archive.close());
      }
      return '(SELECT * EXCLUDE (millrace_partition, millrace_offset) FROM source)';
    },
    places: async (connection) =>
      (await rowsOf(connection, 'SELECT millrace_partition AS p, min(millrace_offset) AS a, max(millrace_offset) + 1 AS b, count(*) AS n FROM source GROUP BY p ORDER BY p')).map(({ p, a, b, n }) => ({
        topic: recordAdmitted.type, partition: Number(p), fromOffset: Number(a), toOffset: Number(b), rows: Number(n),
      })),
  };
}

/** A file, or a range such as `archive:flights@2013-03-01..2013-04-01`. @throws MillraceError REQUEST_INVALID */
export function rowSource(text: string): RowSource {
  const range = parseArchiveRange(text);
  return range === null ? fileSource(text) : archiveSource(range);
}
