import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query } from '@millrace/persistence';
import type { Plan } from './plan.js';

export interface RunSummary {
  readonly runId: string;
  readonly planId: string;
  readonly model: string;
  readonly state: string;
  readonly trigger: string;
  readonly reason: string;
  readonly datasetVersion: string;
  readonly streamTime: string;
  readonly step: string | null;
  readonly startedAt: string;
  readonly completedAt: string | null;
}

export interface RunStepView {
  readonly step: string;
  readonly state: string;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly output: unknown;
  readonly error: unknown;
}

export interface RunView extends RunSummary {
  readonly plan: Plan;
  readonly progress: unknown;
  readonly steps: readonly RunStepView[];
}

interface RunRow {
  readonly run_id: string;
  readonly plan_id: string;
  readonly model: string;
  readonly state: string;
  readonly reason: string;
  readonly progress: unknown;
  readonly started_at: Date;
  readonly completed_at: Date | null;
  readonly plan: Plan;
  readonly current: string | null;
}

const select = `SELECT run.*, plan.plan, (SELECT step FROM step WHERE step.run_id = run.run_id AND step.state <> 'succeeded' ORDER BY ordinal LIMIT 1) AS current FROM run JOIN plan USING (plan_id)`;

@Injectable()
export class RunStore {
  constructor(private readonly database: DataSource) {}

  /** Newest first. */
  async list(model: string, limit: number): Promise<RunSummary[]> {
    const rows = await query<RunRow>(this.database, `${select} WHERE run.model = $1 ORDER BY run.started_at DESC, run.run_id DESC LIMIT $2`, [model, limit]);
    return rows.map(summaryOf);
  }

  async find(runId: string): Promise<RunView | undefined> {
    const [row] = await query<RunRow>(this.database, `${select} WHERE run.run_id = $1`, [runId]);
    if (row === undefined) return undefined;
    const steps = await query<{ step: string; state: string; attempts: number; started_at: Date | null; finished_at: Date | null; output: unknown; error: unknown }>(
      this.database,
      'SELECT step, state, attempts, started_at, finished_at, output, error FROM step WHERE run_id = $1 ORDER BY ordinal',
      [runId],
    );
    return {
      ...summaryOf(row),
      plan: row.plan,
      progress: row.progress,
      steps: steps.map(({ started_at, finished_at, ...step }) => ({ ...step, startedAt: started_at?.toISOString() ?? null, finishedAt: finished_at?.toISOString() ?? null })),
    };
  }
}

function summaryOf(row: RunRow): RunSummary {
  return {
    runId: row.run_id, planId: row.plan_id, model: row.model, state: row.state, trigger: row.plan.trigger, reason: row.reason, datasetVersion: row.plan.datasetVersion,
    streamTime: row.plan.streamTime, step: row.current, startedAt: row.started_at.toISOString(), completedAt: row.completed_at?.toISOString() ?? null,
  };
}
