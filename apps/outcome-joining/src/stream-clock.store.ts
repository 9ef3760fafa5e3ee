import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query, type Transaction } from '@millrace/persistence';

export interface ClockReading {
  readonly stream: string;
  readonly eventTime: string;
}

export interface ClockRow {
  readonly stream: string;
  readonly source: 'predictions' | 'labels';
  readonly partition: number;
  readonly event_time: Date;
  readonly moved_at: Date;
}

/** How far each partition has come in event time, per stream and source (predictions or labels). */
@Injectable()
export class StreamClockStore {
  constructor(private readonly database: DataSource) {}

  async advance(source: 'predictions' | 'labels', partition: number, readings: readonly ClockReading[], now: Date, transaction: Transaction): Promise<void> {
    const latest = new Map<string, { text: string; ms: number }>();
    for (const { stream, eventTime } of readings) {
      const ms = Date.parse(eventTime);
      if (ms > (latest.get(stream)?.ms ?? -Infinity)) latest.set(stream, { text: eventTime, ms });
    }
    const streams = [...latest.keys()].sort();
    await transaction.query(
      `INSERT INTO stream_clock AS c (stream, source, partition, event_time, moved_at)
       SELECT stream, $1, $2, event_time, $3 FROM unnest($4::text[], $5::timestamptz[]) AS n(stream, event_time)
       ON CONFLICT (stream, source, partition) DO UPDATE SET event_time = greatest(c.event_time, EXCLUDED.event_time), moved_at = greatest(c.moved_at, EXCLUDED.moved_at)`,
      [source, partition, now, streams, streams.map((stream) => latest.get(stream)?.text)],
    );
  }

  async rows(): Promise<ClockRow[]> {
    return query<ClockRow>(this.database, 'SELECT stream, source, partition, event_time, moved_at FROM stream_clock');
  }
}
