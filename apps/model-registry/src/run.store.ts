import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RunCompleted } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';

@Injectable()
export class RunStore {
  constructor(private readonly database: DataSource) {}

  /** False when this run is known already. */
  async add(transaction: Transaction, run: RunCompleted): Promise<boolean> {
    const rows = await transaction.query(
      'INSERT INTO training_run (run_id, model, outcome, event, completed_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING run_id',
      [run.runId, run.model, run.outcome, JSON.stringify(run), run.completedAt],
    );
    return rows.length === 1;
  }

  async find(runId: string): Promise<RunCompleted | undefined> {
    const [row] = await query<{ event: RunCompleted }>(this.database, 'SELECT event FROM training_run WHERE run_id = $1', [runId]);
    return row?.event;
  }

  /** Newest first; without the candidates’ reference profiles, which are large. */
  async list(model: string): Promise<Omit<RunCompleted, 'candidate'>[]> {
    const rows = await query<{ event: RunCompleted }>(this.database, `SELECT event - 'candidate' AS event FROM training_run WHERE model = $1 ORDER BY completed_at DESC LIMIT 200`, [model]);
    return rows.map(({ event }) => event);
  }
}
