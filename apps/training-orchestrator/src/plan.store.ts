import { Injectable } from '@nestjs/common';
import { runSteps } from '@millrace/core/retraining';
import type { Transaction } from '@millrace/persistence';
import type { Plan } from './plan.js';

export interface PastPlan {
  readonly streamTime: Date;
  readonly labelledRows: number;
}

/** Plans are written once, together with the run and its waiting steps, and never changed. */
@Injectable()
export class PlanStore {
  /** Held until the transaction ends: evaluations of one model take turns. */
  async lock(transaction: Transaction, model: string): Promise<void> {
    await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('plan/' || $1, 0))`, [model]);
  }

  /** Latest first. */
  async past(transaction: Transaction, model: string): Promise<PastPlan[]> {
    const rows = await transaction.query<{ stream_time: Date; labelled_rows: string }>('SELECT stream_time, labelled_rows FROM plan WHERE model = $1 ORDER BY stream_time DESC, planned_at DESC LIMIT 1000', [model]);
    return rows.map((row) => ({ streamTime: row.stream_time, labelledRows: Number(row.labelled_rows) }));
  }

  async count(transaction: Transaction, model: string): Promise<number> {
    const [row] = await transaction.query<{ count: string }>('SELECT count(*) AS count FROM plan WHERE model = $1', [model]);
    return Number(row?.count ?? 0);
  }

  async activeRun(transaction: Transaction, model: string): Promise<string | null> {
    const [row] = await transaction.query<{ run_id: string }>(`SELECT run_id FROM run WHERE model = $1 AND state = 'running'`, [model]);
    return row?.run_id ?? null;
  }

  async add(transaction: Transaction, plan: Plan, labelledRows: number, now: Date): Promise<void> {
    await transaction.query('INSERT INTO plan (plan_id, model, stream_time, labelled_rows, plan, planned_at) VALUES ($1, $2, $3, $4, $5, $6)', [plan.planId, plan.model, plan.streamTime, labelledRows, JSON.stringify(plan), now]);
    await transaction.query(`INSERT INTO run (run_id, plan_id, model, state, started_at) VALUES ($1, $2, $3, 'running', $4)`, [plan.runId, plan.planId, plan.model, now]);
    await transaction.query('INSERT INTO step (run_id, step, ordinal) SELECT $1, step, n FROM unnest($2::text[]) WITH ORDINALITY AS s(step, n)', [plan.runId, [...runSteps]]);
  }
}
