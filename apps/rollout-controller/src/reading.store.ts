import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Reading } from '@millrace/core/rollout';
import { query, type Transaction } from '@millrace/persistence';

export interface ReadRange {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

const columns = 'number, topic, partition, from_offset::float8 AS "fromOffset", to_offset::float8 AS "toOffset", events';

/** In which order roll-outs have learnt: changed only in the transaction that learns. */
@Injectable()
export class ReadingStore {
  constructor(private readonly database: DataSource) {}

  async last(transaction: Transaction, rolloutId: string): Promise<Reading | undefined> {
    const [row] = await transaction.query<Reading>(`SELECT ${columns} FROM reading WHERE rollout_id = $1 ORDER BY number DESC LIMIT 1`, [rolloutId]);
    return row;
  }

  /** New readings, and those that went on. */
  async save(transaction: Transaction, rolloutId: string, readings: readonly Reading[]): Promise<void> {
    if (readings.length === 0) return;
    const column = <T>(of: (reading: Reading) => T): T[] => readings.map(of);
    await transaction.query(
      `INSERT INTO reading (rollout_id, number, topic, partition, from_offset, to_offset, events)
       SELECT $1, * FROM unnest($2::integer[], $3::text[], $4::integer[], $5::bigint[], $6::bigint[], $7::integer[])
       ON CONFLICT (rollout_id, number) DO UPDATE SET to_offset = EXCLUDED.to_offset, events = EXCLUDED.events`,
      [rolloutId, column(({ number }) => number), column(({ topic }) => topic), column(({ partition }) => partition), column(({ fromOffset }) => fromOffset), column(({ toOffset }) => toOffset), column(({ events }) => events)],
    );
  }

  /** Everything read so far, per partition. */
  async ranges(transaction: Transaction, rolloutId: string): Promise<ReadRange[]> {
    return transaction.query<ReadRange>(
      `SELECT topic, partition, min(from_offset)::float8 AS "fromOffset", max(to_offset)::float8 AS "toOffset" FROM reading WHERE rollout_id = $1 GROUP BY topic, partition ORDER BY topic COLLATE "C", partition`,
      [rolloutId],
    );
  }

  async list(rolloutId: string): Promise<Reading[]> {
    return query<Reading>(this.database, `SELECT ${columns} FROM reading WHERE rollout_id = $1 ORDER BY number`, [rolloutId]);
  }
}
