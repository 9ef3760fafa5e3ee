import type { DataSource, QueryRunner } from 'typeorm';
import { query } from '@millrace/persistence';
import type { OutgoingMessage } from './driver.js';
import type { RelaySource } from './relay.js';

interface OutboxRow {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Record<string, string>;
  readonly value: Buffer;
}

const batchRowsMax = 1_000;

/**
 * The outbox table as a source for the relay. Rows are claimed under a batch number before they are published; a row that
 * commits late is claimed late, so the order is the order of commits. One relay at a time holds the schema’s advisory lock.
 */
export class Outbox implements RelaySource {
  private lock: QueryRunner | undefined;

  constructor(private readonly database: DataSource) {}

  /** A session lock on a connection of its own; it falls free when this process or its connection dies. */
  async acquire(): Promise<boolean> {
    if (this.lock !== undefined) return true;
    const runner = this.database.createQueryRunner();
    await runner.connect();
    const [answer] = (await runner.query(`SELECT pg_try_advisory_lock(hashtext(current_schema() || '.outbox')) AS held`)) as { held: boolean }[];
    if (answer?.held === true) this.lock = runner;
    else await runner.release();
    return answer?.held === true;
  }

  async release(): Promise<void> {
    const runner = this.lock;
    this.lock = undefined;
    if (runner === undefined) return;
    await runner.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    await runner.release();
  }

  async recover(published: number): Promise<void> {
    await query(this.database, 'DELETE FROM outbox WHERE batch <= $1', [published]);
    await query(this.database, `SELECT setval('outbox_batch', greatest($1::bigint, (SELECT last_value FROM outbox_batch), (SELECT coalesce(max(batch), 0) FROM outbox)) + 1, false)`, [published]);
  }

  async nextBatch(): Promise<{ number: number; messages: OutgoingMessage[] } | null> {
    const [claimed] = await query<{ batch: string | null }>(this.database, 'SELECT min(batch) AS batch FROM outbox WHERE batch IS NOT NULL');
    if (claimed !== undefined && claimed.batch !== null) return this.load(Number(claimed.batch));
    const [claim] = await query<{ batch: string }>(
      this.database,
      `WITH number AS (SELECT nextval('outbox_batch') AS batch WHERE EXISTS (SELECT 1 FROM outbox WHERE batch IS NULL)),
            due AS (SELECT id FROM outbox WHERE batch IS NULL ORDER BY id LIMIT ${batchRowsMax}),
            claimed AS (UPDATE outbox SET batch = number.batch FROM number, due WHERE outbox.id = due.id RETURNING number.batch)
       SELECT batch FROM claimed LIMIT 1`,
    );
    return claim === undefined ? null : this.load(Number(claim.batch));
  }

  private async load(batch: number): Promise<{ number: number; messages: OutgoingMessage[] }> {
    const rows = await query<OutboxRow>(this.database, 'SELECT topic, key, headers, value FROM outbox WHERE batch = $1 ORDER BY id', [batch]);
    return { number: batch, messages: rows };
  }

  async settle(batch: number): Promise<void> {
    await query(this.database, 'DELETE FROM outbox WHERE batch = $1', [batch]);
  }

  /** Seconds that the oldest unpublished row has waited; 0 when none waits. */
  async oldestAgeSeconds(): Promise<number> {
    const [row] = await query<{ age: string | null }>(this.database, 'SELECT extract(epoch FROM now() - min(created_at)) AS age FROM outbox');
    return Number(row?.age ?? 0);
  }
}
