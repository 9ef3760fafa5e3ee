import { Injectable } from '@nestjs/common';
import type { LabelAdmitted } from '@millrace/contracts';
import type { Transaction } from '@millrace/persistence';

export interface RecordKey {
  readonly stream: string;
  readonly recordId: string;
}

export interface LabelSeen extends RecordKey {
  readonly value: LabelAdmitted['value'];
  readonly eventTime: string;
  readonly position: { readonly topic: string; readonly partition: number; readonly offset: number };
}

interface RecordRow {
  readonly stream: string;
  readonly record_id: string;
  readonly label: Pick<LabelSeen, 'value' | 'eventTime' | 'position'> | null;
  readonly label_partition: number | null;
  readonly label_offset: string | null;
}

/**
 * The rows that both folds lock before they look at the other side. Whoever comes second waits for the first one's
 * commit and then sees what it wrote, so a label and a prediction that arrive together are neither missed nor joined
 * twice. Locks are taken in key order in one statement: no deadlock, and no limit as advisory locks would have.
 */
@Injectable()
export class RecordStore {
  /** Locks the records until the transaction ends; answers the labels that some of them have already. Keys must be distinct. */
  async lock(records: readonly (RecordKey & { readonly eventTime: string })[], transaction: Transaction): Promise<LabelSeen[]> {
    const rows = await transaction.query<RecordRow>(
      `INSERT INTO record AS r (stream, record_id, event_time)
       SELECT stream, record_id, event_time FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n(stream, record_id, event_time) ORDER BY stream, record_id
       ON CONFLICT (stream, record_id) DO UPDATE SET event_time = greatest(r.event_time, EXCLUDED.event_time)
       RETURNING stream, record_id, label`,
      [records.map(({ stream }) => stream), records.map(({ recordId }) => recordId), records.map(({ eventTime }) => eventTime)],
    );
    return rows.flatMap(({ stream, record_id, label }) => (label === null ? [] : [{ stream, recordId: record_id, ...label }]));
  }

  /** Locks the records and keeps these labels where none was; answers those that are the first of their record. Keys must be distinct. */
  async keepFirst(labels: readonly LabelSeen[], transaction: Transaction): Promise<LabelSeen[]> {
    const rows = await transaction.query<RecordRow>(
      `INSERT INTO record AS r (stream, record_id, event_time, label, label_partition, label_offset)
       SELECT stream, record_id, event_time, label::json, label_partition, label_offset
       FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::integer[], $6::bigint[]) AS n(stream, record_id, event_time, label, label_partition, label_offset)
       ORDER BY stream, record_id
       ON CONFLICT (stream, record_id) DO UPDATE SET
         event_time = greatest(r.event_time, EXCLUDED.event_time),
         label = coalesce(r.label, EXCLUDED.label),
         label_partition = CASE WHEN r.label IS NULL THEN EXCLUDED.label_partition ELSE r.label_partition END,
         label_offset = CASE WHEN r.label IS NULL THEN EXCLUDED.label_offset ELSE r.label_offset END
       RETURNING stream, record_id, label_partition, label_offset`,
      [
        labels.map(({ stream }) => stream),
        labels.map(({ recordId }) => recordId),
        labels.map(({ eventTime }) => eventTime),
        labels.map(({ value, eventTime, position }) => JSON.stringify({ value, eventTime, position })),
        labels.map(({ position }) => position.partition),
        labels.map(({ position }) => position.offset),
      ],
    );
    const kept = new Set(rows.map((row) => `${row.label_partition}/${row.label_offset}`));
    return labels.filter(({ position }) => kept.has(`${position.partition}/${position.offset}`));
  }

  /**
   * Forgets records of a stream of which nothing newer was heard; answers how many. A record’s event time is the latest
   * of its predictions and label, so what is forgotten here has only settled predictions, or ones that wait longer than
   * the retention: those still find a label that comes later.
   */
  async forget(stream: string, before: Date, limit: number, transaction: Transaction): Promise<number> {
    const rows = await transaction.query(
      `DELETE FROM record WHERE (stream, record_id) IN (
         SELECT stream, record_id FROM record WHERE stream = $1 AND event_time < $2 LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING 1 AS one`,
      [stream, before, limit],
    );
    return rows.length;
  }
}
