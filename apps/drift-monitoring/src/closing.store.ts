import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query, type Transaction } from '@millrace/persistence';
import type { PaneSource } from './pane.js';

export interface PartitionTime {
  readonly model: string;
  readonly eventTimeMs: number;
  readonly movedAt: Date;
}

export interface ClockRow {
  readonly model: string;
  readonly partition: number;
  readonly eventTimeMs: number;
  readonly movedAtMs: number;
}

/** How far each partition has come, and up to where windows are closed. */
@Injectable()
export class ClosingStore {
  constructor(private readonly database: DataSource) {}

  /** Up to where windows of these models are closed, and stay so until the transaction ends. */
  async hold(source: PaneSource, models: readonly string[], transaction: Transaction): Promise<Map<string, number>> {
    const sorted = [...models].sort();
    await transaction.query('INSERT INTO closing (model, source, closed_until_ms) SELECT model, $1, 0 FROM unnest($2::text[]) AS n(model) ON CONFLICT DO NOTHING', [source, sorted]);
    const rows = await transaction.query<{ model: string; closed_until_ms: string }>('SELECT model, closed_until_ms FROM closing WHERE source = $1 AND model = ANY($2::text[]) ORDER BY model FOR SHARE', [source, sorted]);
    return new Map(rows.map(({ model, closed_until_ms }) => [model, Number(closed_until_ms)]));
  }

  /** True when this transaction is the one that closes windows up to `untilMs`; false when another one has. */
  async advance(model: string, source: PaneSource, untilMs: number, transaction: Transaction): Promise<boolean> {
    const rows = await transaction.query('UPDATE closing SET closed_until_ms = $3 WHERE model = $1 AND source = $2 AND closed_until_ms < $3 RETURNING model', [model, source, untilMs]);
    return rows.length === 1;
  }

  async closedUntil(source: PaneSource): Promise<Map<string, number>> {
    const rows = await query<{ model: string; closed_until_ms: string }>(this.database, 'SELECT model, closed_until_ms FROM closing WHERE source = $1', [source]);
    return new Map(rows.map(({ model, closed_until_ms }) => [model, Number(closed_until_ms)]));
  }

  async saveTimes(source: PaneSource, partition: number, times: readonly PartitionTime[], transaction: Transaction): Promise<void> {
    await transaction.query(
      `INSERT INTO partition_clock AS c (model, source, partition, event_time_ms, moved_at)
       SELECT model, $1, $2, event_time_ms, moved_at FROM unnest($3::text[], $4::bigint[], $5::timestamptz[]) AS n(model, event_time_ms, moved_at)
       ON CONFLICT (model, source, partition) DO UPDATE SET event_time_ms = greatest(c.event_time_ms, EXCLUDED.event_time_ms), moved_at = greatest(c.moved_at, EXCLUDED.moved_at)`,
      [source, partition, times.map(({ model }) => model), times.map(({ eventTimeMs }) => eventTimeMs), times.map(({ movedAt }) => movedAt)],
    );
  }

  async clocks(source: PaneSource): Promise<ClockRow[]> {
    const rows = await query<{ model: string; partition: number; event_time_ms: string; moved_at: Date }>(this.database, 'SELECT model, partition, event_time_ms, moved_at FROM partition_clock WHERE source = $1', [source]);
    return rows.map(({ model, partition, event_time_ms, moved_at }) => ({ model, partition, eventTimeMs: Number(event_time_ms), movedAtMs: moved_at.getTime() }));
  }

  /** How far a fold has read predictions: the next offset of each partition. */
  async positions(group: string): Promise<Record<string, number>> {
    const rows = await query<{ partition: number; next_offset: string }>(this.database, 'SELECT partition, next_offset FROM fold_offset WHERE consumer_group = $1 ORDER BY partition', [group]);
    return Object.fromEntries(rows.map(({ partition, next_offset }) => [String(partition), Number(next_offset)]));
  }
}
