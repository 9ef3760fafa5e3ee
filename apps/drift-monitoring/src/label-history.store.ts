import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { DelayCounts } from '@millrace/core/performance';
import { query, type Transaction } from '@millrace/persistence';

/** What the closed windows of a model tell of how late its labels come. Times in milliseconds since the epoch. */
export interface LabelHistory {
  readonly v: 1;
  readonly modelSinceMs: number | null;
  readonly versionSinceMs: Readonly<Record<string, number>>;
  /** Of windows in which a label of any delay could have come. */
  readonly matured: DelayCounts;
}

export interface LabelCohort {
  readonly version: string;
  readonly role: string;
  readonly windowStartMs: number;
  readonly predicted: number;
  readonly labelled: number;
}

const empty: LabelHistory = { v: 1, modelSinceMs: null, versionSinceMs: {}, matured: {} };

/** Callers hold the model’s closing row, so nobody else writes. */
@Injectable()
export class LabelHistoryStore {
  constructor(private readonly database: DataSource) {}

  async read(model: string, transaction: Transaction): Promise<LabelHistory> {
    const [row] = await transaction.query<{ payload: LabelHistory }>('SELECT payload FROM label_history WHERE model = $1', [model]);
    return row?.payload ?? empty;
  }

  async keep(model: string, history: LabelHistory, transaction: Transaction): Promise<void> {
    await transaction.query('INSERT INTO label_history (model, payload) VALUES ($1, $2::json) ON CONFLICT (model) DO UPDATE SET payload = EXCLUDED.payload', [model, JSON.stringify(history)]);
  }

  async addLabelled(model: string, version: string, role: string, cohorts: Readonly<Record<string, number>>, transaction: Transaction): Promise<void> {
    const starts = Object.keys(cohorts).sort();
    await transaction.query(
      `INSERT INTO label_cohort AS c (model, version, role, window_start_ms, labelled)
       SELECT $1, $2, $3, start, labelled FROM unnest($4::bigint[], $5::bigint[]) AS n(start, labelled)
       ON CONFLICT (model, version, role, window_start_ms) DO UPDATE SET labelled = c.labelled + EXCLUDED.labelled`,
      [model, version, role, starts, starts.map((start) => cohorts[start] ?? 0)],
    );
  }

  /** Windows of predictions that have been judged and start no earlier, with the labels that came for them. */
  async cohorts(model: string, fromMs: number): Promise<LabelCohort[]> {
    const rows = await query<{ version: string; role: string; window_start_ms: string; predicted: string; labelled: string }>(
      this.database,
      `SELECT v.version, v.role, v.window_start_ms, max(v.rows) AS predicted, max(coalesce(c.labelled, 0)) AS labelled
       FROM verdict v LEFT JOIN label_cohort c ON c.model = v.model AND c.version = v.version AND c.role = v.role AND c.window_start_ms = v.window_start_ms
       WHERE v.model = $1 AND v.kind = 'drift' AND v.verdict_id NOT LIKE '%:freshness:%' AND v.verdict_id NOT LIKE '%:attribution:%' AND v.window_start_ms >= $2 GROUP BY v.version, v.role, v.window_start_ms ORDER BY v.window_start_ms, v.version, v.role`,
      [model, fromMs],
    );
    return rows.map(({ version, role, window_start_ms, predicted, labelled }) => ({ version, role, windowStartMs: Number(window_start_ms), predicted: Number(predicted), labelled: Number(labelled) }));
  }
}
