import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ServedPrediction } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';
import type { LabelSeen } from './record.store.js';

export type PredictionState = 'open' | 'joined' | 'expired';

export interface LoggedPrediction {
  readonly model: string;
  readonly stream: string;
  readonly recordId: string;
  readonly expiresAt: Date;
  readonly served: ServedPrediction;
}

/** What the store answers of rows that it has changed. `counted`: the first primary prediction of its record and model. */
export interface SettledPrediction {
  readonly model: string;
  readonly recordId: string;
  readonly counted: boolean;
  readonly state: PredictionState;
  readonly served: ServedPrediction;
}

export interface RecordOfModel {
  readonly model: string;
  readonly recordId: string;
}

export interface FoundPrediction extends LoggedPrediction {
  readonly state: PredictionState;
  readonly label: Pick<LabelSeen, 'value' | 'eventTime' | 'position'> | null;
}

interface SettledRow {
  readonly model: string;
  readonly record_id: string;
  readonly counted: boolean;
  readonly state: PredictionState;
  readonly served: ServedPrediction;
}

const settled = ({ model, record_id, counted, state, served }: SettledRow): SettledPrediction => ({ model, recordId: record_id, counted, state, served });

/** Callers of insert and settle hold the locks of the records (RecordStore), so a record’s predictions do not change under them, except that overdue ones expire. */
@Injectable()
export class PredictionStore {
  constructor(private readonly database: DataSource) {}

  /** Inserts what is new, in order; answers the new rows only. The first primary one of a (model, record) is the one that is counted. */
  async insert(predictions: readonly LoggedPrediction[], transaction: Transaction): Promise<{ predictionId: string; counted: boolean }[]> {
    const column = <T>(of: (prediction: LoggedPrediction) => T): T[] => predictions.map(of);
    const rows = await transaction.query<{ prediction_id: string; counted: boolean }>(
      `INSERT INTO prediction (prediction_id, model, stream, record_id, counted, state, event_time, expires_at, served)
       SELECT n.prediction_id, n.model, n.stream, n.record_id,
         n.first_primary AND NOT EXISTS (SELECT 1 FROM prediction p WHERE p.model = n.model AND p.record_id = n.record_id AND p.counted),
         'open', n.event_time, n.expires_at, n.served::json
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[], $7::timestamptz[], $8::text[])
         WITH ORDINALITY AS n(prediction_id, model, stream, record_id, first_primary, event_time, expires_at, served, place)
       ORDER BY n.place
       ON CONFLICT (prediction_id) DO NOTHING
       RETURNING prediction_id, counted`,
      [
        column(({ served }) => served.predictionId),
        column(({ model }) => model),
        column(({ stream }) => stream),
        column(({ recordId }) => recordId),
        firstPrimaries(predictions),
        column(({ served }) => served.eventTime),
        column(({ expiresAt }) => expiresAt),
        column(({ served }) => JSON.stringify(served)),
      ],
    );
    return rows.map(({ prediction_id, counted }) => ({ predictionId: prediction_id, counted }));
  }

  /**
   * Settles the open predictions of these records now that their label is known: joined, or expired when the label is
   * younger than the deadline. A shadow prediction waits for its primary one, so that pairs stand together.
   */
  async settle(labelled: readonly (RecordOfModel & { readonly labelEventTime: string })[], transaction: Transaction): Promise<SettledPrediction[]> {
    const rows = await transaction.query<SettledRow>(
      `UPDATE prediction p SET state = CASE WHEN l.event_time <= p.expires_at THEN 'joined' ELSE 'expired' END
       FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS l(model, record_id, event_time)
       WHERE p.model = l.model AND p.record_id = l.record_id AND p.state = 'open'
         AND EXISTS (SELECT 1 FROM prediction q WHERE q.model = l.model AND q.record_id = l.record_id AND q.counted AND q.state <> 'expired')
       RETURNING p.model, p.record_id, p.counted, p.state, p.served`,
      [labelled.map(({ model }) => model), labelled.map(({ recordId }) => recordId), labelled.map(({ labelEventTime }) => labelEventTime)],
    );
    return rows.map(settled);
  }

  /** How many of these records, per model, had expired before. */
  async countExpired(records: readonly RecordOfModel[], transaction: Transaction): Promise<Map<string, number>> {
    const rows = await transaction.query<{ model: string; count: string }>(
      `SELECT p.model, count(*) AS count FROM unnest($1::text[], $2::text[]) AS l(model, record_id)
       JOIN prediction p ON p.model = l.model AND p.record_id = l.record_id WHERE p.counted AND p.state = 'expired' GROUP BY p.model`,
      [records.map(({ model }) => model), records.map(({ recordId }) => recordId)],
    );
    return new Map(rows.map(({ model, count }) => [model, Number(count)]));
  }

  /** Expires open predictions whose deadline is before the stream clock, oldest first. Rows in other hands are left for the next time. */
  async expire(stream: string, clock: Date, limit: number, transaction: Transaction): Promise<{ model: string; counted: boolean }[]> {
    return transaction.query<{ model: string; counted: boolean }>(
      `UPDATE prediction SET state = 'expired' WHERE prediction_id IN (
         SELECT prediction_id FROM prediction WHERE stream = $1 AND state = 'open' AND expires_at < $2 ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED)
       RETURNING model, counted`,
      [stream, clock, limit],
    );
  }

  /** Forgets settled predictions of a stream that are older. Answers how many. */
  async forget(stream: string, before: Date, limit: number, transaction: Transaction): Promise<number> {
    const rows = await transaction.query(
      `DELETE FROM prediction WHERE prediction_id IN (
         SELECT prediction_id FROM prediction WHERE stream = $1 AND state <> 'open' AND event_time < $2 LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING 1 AS one`,
      [stream, before, limit],
    );
    return rows.length;
  }

  async find(predictionId: string): Promise<FoundPrediction | undefined> {
    const [row] = await query<SettledRow & { stream: string; expires_at: Date; label: FoundPrediction['label'] }>(
      this.database,
      `SELECT p.model, p.stream, p.record_id, p.counted, p.state, p.expires_at, p.served, r.label
       FROM prediction p LEFT JOIN record r ON r.stream = p.stream AND r.record_id = p.record_id WHERE p.prediction_id = $1`,
      [predictionId],
    );
    return row === undefined ? undefined : { model: row.model, stream: row.stream, recordId: row.record_id, state: row.state, expiresAt: row.expires_at, served: row.served, label: row.label };
  }
}

function firstPrimaries(predictions: readonly LoggedPrediction[]): boolean[] {
  const seen = new Set<string>();
  return predictions.map(({ model, recordId, served }) => {
    if (served.role !== 'primary') return false;
    const before = seen.size;
    return seen.add(JSON.stringify([model, recordId])).size > before;
  });
}
