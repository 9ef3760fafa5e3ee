import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256Hex, type SegmentSealed } from '@millrace/contracts';
import { literal } from './dataset-sql.js';
import { withDuckDb } from './parquet.js';

export interface ArchivedRow {
  readonly id: string;
  readonly at: string;
  readonly [field: string]: string | number | boolean | null;
}

const columnType = (value: unknown): string => (typeof value === 'number' ? 'DOUBLE' : typeof value === 'boolean' ? 'BOOLEAN' : 'VARCHAR');
const cell = (value: unknown): string => (value === null || value === undefined ? 'NULL' : typeof value === 'string' ? literal(value) : String(value));

/** A segment file with the archive’s columns; row i has offset `from` + i. */
export async function writeSegment(file: string, from: number, rows: readonly ArchivedRow[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const fields = Object.keys(rows[0] ?? {}).filter((name) => name !== 'id' && name !== 'at');
  const types = fields.map((name) => columnType(rows.map((row) => row[name]).find((value) => value !== null)));
  const lines = rows.map((row, index) => `(${from + index}, ${literal(row.id)}, ${literal(row.at)}, '1.0.0', ${fields.map((name) => cell(row[name])).join(', ')})`);
  const columns = fields.map((name, index) => `CAST("${name}" AS ${types[index] ?? 'VARCHAR'}) AS "${name}"`);
  await withDuckDb(async (connection) => {
    await connection.run(`COPY (SELECT CAST("offset" AS BIGINT) AS "offset", record_id, CAST(told_at AS TIMESTAMPTZ) AS event_time, contract_version, ${columns.join(', ')}
      FROM (VALUES ${lines.join(', ')}) AS archived("offset", record_id, told_at, contract_version, ${fields.map((name) => `"${name}"`).join(', ')})) TO ${literal(file)} (FORMAT PARQUET)`);
  });
}

export function segmentOf(stream: string, kind: 'record' | 'label', partition: number, from: number, rows: readonly ArchivedRow[], objectKey: string): SegmentSealed {
  const times = rows.map(({ at }) => at).sort();
  return {
    stream, kind, topic: `validation.${kind}-admitted.v1`, partition, fromOffset: from, toOffset: from + rows.length, rows: rows.length, sha256: sha256Hex(JSON.stringify(rows)),
    objectKey, contractVersion: '1.0.0', eventTimeMin: times[0] ?? '', eventTimeMax: times[times.length - 1] ?? '', sealedAt: '2026-02-01T00:00:00Z',
  };
}
