import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import type { SegmentSealed } from '@millrace/contracts';
import { literal, quoted } from '../plain-files/read-table.js';

export interface ArchivedRow {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly [field: string]: string | number | boolean | null;
}

const type = (value: unknown): string => (typeof value === 'number' ? 'DOUBLE' : typeof value === 'boolean' ? 'BOOLEAN' : 'VARCHAR');
const cell = (value: unknown): string => (value === null || value === undefined ? 'NULL' : typeof value === 'string' ? literal(value) : String(value));

/** An archive as data-validation lays it out, under a folder that STORAGE_URL can name. Row i of a segment has offset `from` + i. */
export class ArchiveOnDisk {
  readonly segments: SegmentSealed[] = [];

  constructor(private readonly folder: string) {}

  get storageUrl(): string {
    return pathToFileURL(this.folder).href;
  }

  async seal(stream: string, kind: SegmentSealed['kind'], partition: number, from: number, rows: readonly ArchivedRow[]): Promise<void> {
    const objectKey = `segments/stream=${stream}/kind=${kind}/date=${rows[0]?.at.slice(0, 10) ?? ''}/p${partition}-${from}.parquet`;
    const file = join(this.folder, 'objects', objectKey);
    mkdirSync(dirname(file), { recursive: true });
    const fields = Object.keys(rows[0] ?? {}).filter((name) => name !== 'id' && name !== 'at');
    const columns = fields.map((name) => `CAST(${quoted(name)} AS ${type(rows.map((row) => row[name]).find((value) => value !== null))}) AS ${quoted(name)}`);
    const values = rows.map((row, index) => `(${from + index}, ${literal(row.id)}, ${literal(row.at)}, '1.0.0', ${fields.map((name) => cell(row[name])).join(', ')})`);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`COPY (SELECT CAST("offset" AS BIGINT) AS "offset", record_id, CAST(told_at AS TIMESTAMPTZ) AS event_time, contract_version, ${columns.join(', ')}
      FROM (VALUES ${values.join(', ')}) AS archived("offset", record_id, told_at, contract_version, ${fields.map(quoted).join(', ')})) TO ${literal(file)} (FORMAT PARQUET)`);
    connection.closeSync();
    instance.closeSync();
    const times = rows.map(({ at }) => new Date(at).toISOString()).sort();
    this.segments.push({
      stream, kind, topic: `validation.${kind}-admitted.v1`, partition, fromOffset: from, toOffset: from + rows.length, rows: rows.length, sha256: '0'.repeat(64), objectKey,
      contractVersion: '1.0.0', eventTimeMin: times[0] ?? '', eventTimeMax: times.at(-1) ?? '', sealedAt: '2026-02-01T00:00:00.000Z',
    });
  }
}
