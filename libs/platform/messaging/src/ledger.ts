import type { DataSource } from 'typeorm';
import { inTransaction, query, type Transaction } from '@millrace/persistence';
import type { OutgoingMessage } from './driver.js';

/** Where a fold keeps how far it has come, in the same transaction as what it has learnt and what it will publish. */
export interface FoldLedger<Tx> {
  nextOffset(group: string, topic: string, partition: number): Promise<number | null>;
  transact<T>(work: (transaction: Tx) => Promise<T>): Promise<T>;
  /** Compare-and-set: false when `from` is no longer what is stored, i.e. somebody else has folded on. */
  advance(transaction: Tx, group: string, topic: string, partition: number, from: number | null, to: number): Promise<boolean>;
  enqueue(transaction: Tx, messages: readonly OutgoingMessage[]): Promise<void>;
}

export class PostgresLedger implements FoldLedger<Transaction> {
  constructor(
    private readonly database: DataSource,
    private readonly onEnqueued: () => void = () => undefined,
  ) {}

  async nextOffset(group: string, topic: string, partition: number): Promise<number | null> {
    const rows = await query<{ next_offset: string }>(this.database, 'SELECT next_offset FROM fold_offset WHERE consumer_group = $1 AND topic = $2 AND partition = $3', [group, topic, partition]);
    return rows[0] === undefined ? null : Number(rows[0].next_offset);
  }

  async transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const result = await inTransaction(this.database, work);
    this.onEnqueued();
    return result;
  }

  async advance(transaction: Transaction, group: string, topic: string, partition: number, from: number | null, to: number): Promise<boolean> {
    const place = [group, topic, partition];
    const rows =
      from === null
        ? await transaction.query('INSERT INTO fold_offset (consumer_group, topic, partition, next_offset) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING partition', [...place, to])
        : await transaction.query('UPDATE fold_offset SET next_offset = $4 WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND next_offset = $5 RETURNING partition', [...place, to, from]);
    return rows.length === 1;
  }

  async enqueue(transaction: Transaction, messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await transaction.query(
      `INSERT INTO outbox (topic, key, headers, value)
       SELECT topic, key, headers::jsonb, value FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS row(topic, key, headers, value, n) ORDER BY n`,
      [
        messages.map(({ topic }) => topic),
        messages.map(({ key }) => key),
        messages.map(({ headers }) => JSON.stringify(headers)),
        messages.map(({ value }) => value ?? Buffer.alloc(0)),
      ],
    );
  }
}
