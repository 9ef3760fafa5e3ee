import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { sha256Hex, type SegmentSealed } from '@millrace/contracts';
import { archiveColumn } from '@millrace/core/dataset';

/** A row of the archive; the fields are named as the contract names them. */
export interface ArchivedRow {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly [field: string]: string | number | boolean | null;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const columnType = (value: unknown): string => (typeof value === 'number' ? 'DOUBLE' : typeof value === 'boolean' ? 'BOOLEAN' : 'VARCHAR');
const cell = (value: unknown): string => (value === null || value === undefined ? 'NULL' : typeof value === 'string' ? literal(value) : String(value));

/** A segment file laid out as data-validation does it; row i has offset `from` + i. */
export async function writeSegment(file: string, from: number, rows: readonly ArchivedRow[]): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const fields = Object.keys(rows[0] ?? {}).filter((name) => name !== 'id' && name !== 'at');
  const columns = fields.map((name) => `CAST(${quoted(`own_${name}`)} AS ${columnType(rows.map((row) => row[name]).find((value) => value !== null))}) AS ${quoted(archiveColumn(name))}`);
  const values = rows.map((row, index) => `(${from + index}, ${literal(row.id)}, ${literal(row.at)}, '1.0.0', ${fields.map((name) => cell(row[name])).join(', ')})`);
  // Loaded only by those who write one.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT CAST("offset" AS BIGINT) AS "offset", record_id, CAST(told_at AS TIMESTAMPTZ) AS event_time, contract_version, ${columns.join(', ')}
    FROM (VALUES ${values.join(', ')}) AS archived("offset", record_id, told_at, contract_version, ${fields.map((name) => quoted(`own_${name}`)).join(', ')})) TO ${literal(file)} (FORMAT PARQUET)`);
  connection.closeSync();
  instance.closeSync();
}

/** What data-validation tells of a segment that it has sealed. */
export function segmentOf(stream: string, kind: SegmentSealed['kind'], partition: number, from: number, rows: readonly ArchivedRow[], objectKey: string): SegmentSealed {
  const times = rows.map(({ at }) => new Date(at).toISOString()).sort();
  return {
    stream, kind, topic: `validation.${kind}-admitted.v1`, partition, fromOffset: from, toOffset: from + rows.length, rows: rows.length, sha256: sha256Hex(JSON.stringify(rows)), objectKey,
    contractVersion: '1.0.0', eventTimeMin: times[0] ?? '', eventTimeMax: times.at(-1) ?? '', sealedAt: '2026-02-01T00:00:00.000Z',
  };
}
