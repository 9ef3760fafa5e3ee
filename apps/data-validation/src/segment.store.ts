import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SegmentSealed } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';

interface SegmentRow {
  stream: string;
  kind: SegmentSealed['kind'];
  topic: string;
  partition: number;
  from_offset: string;
  to_offset: string;
  rows: number;
  sha256: string;
  object_key: string;
  contract_version: string;
  event_time_min: Date;
  event_time_max: Date;
  sealed_at: Date;
}

const columns = 'stream, kind, topic, partition, from_offset, to_offset, rows, sha256, object_key, contract_version, event_time_min, event_time_max, sealed_at';

function segmentOf(row: SegmentRow): SegmentSealed {
  return {
    stream: row.stream,
    kind: row.kind,
    topic: row.topic,
    partition: row.partition,
    fromOffset: Number(row.from_offset),
    toOffset: Number(row.to_offset),
    rows: row.rows,
    sha256: row.sha256,
    objectKey: row.object_key,
    contractVersion: row.contract_version,
    eventTimeMin: row.event_time_min.toISOString(),
    eventTimeMax: row.event_time_max.toISOString(),
    sealedAt: row.sealed_at.toISOString(),
  };
}

/** The archive’s table of contents. A file that is not listed here is a leftover of a crash and belongs to nobody. */
@Injectable()
export class SegmentStore {
  constructor(private readonly database: DataSource) {}

  async add(transaction: Transaction, segments: readonly SegmentSealed[]): Promise<void> {
    await transaction.query(
      `INSERT INTO segment (${columns})
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::int[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[])`,
      [
        segments.map(({ stream }) => stream),
        segments.map(({ kind }) => kind),
        segments.map(({ topic }) => topic),
        segments.map(({ partition }) => partition),
        segments.map(({ fromOffset }) => fromOffset),
        segments.map(({ toOffset }) => toOffset),
        segments.map(({ rows }) => rows),
        segments.map(({ sha256 }) => sha256),
        segments.map(({ objectKey }) => objectKey),
        segments.map(({ contractVersion }) => contractVersion),
        segments.map(({ eventTimeMin }) => eventTimeMin),
        segments.map(({ eventTimeMax }) => eventTimeMax),
        segments.map(({ sealedAt }) => sealedAt),
      ],
    );
  }

  /** In the order of the log. */
  async list(stream: string, kind?: string): Promise<SegmentSealed[]> {
    const rows = await query<SegmentRow>(
      this.database,
      `SELECT ${columns} FROM segment WHERE stream = $1 AND ($2::text IS NULL OR kind = $2) ORDER BY kind DESC, partition, from_offset`,
      [stream, kind ?? null],
    );
    return rows.map(segmentOf);
  }
}
