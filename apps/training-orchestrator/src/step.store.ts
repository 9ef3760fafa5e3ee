import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RunStep } from '@millrace/core/retraining';
import { inTransaction, query, type Transaction } from '@millrace/persistence';
import type { Plan } from './plan.js';
import type { ProcessIdentity } from './process-identity.js';

/** The right to work on one attempt of one step. Whoever holds an older fence can no longer write anything. */
export interface Claim {
  readonly plan: Plan;
  readonly step: RunStep;
  readonly attempt: number;
  readonly failures: number;
  readonly fence: number;
  /** The process that an earlier attempt has started and may have left behind. */
  readonly orphan: ProcessIdentity | null;
  readonly outputs: Readonly<Partial<Record<RunStep, unknown>>>;
}

export interface StepFailure {
  readonly code: string;
  readonly reason: string;
}

const leaseSeconds = 10;

/** Leases run on the database’s clock, the one that all instances share. */
@Injectable()
export class StepStore {
  constructor(private readonly database: DataSource) {}

  /** The first unfinished step of the oldest run that nobody works on; null when there is none. */
  async claim(owner: string): Promise<Claim | null> {
    return inTransaction(this.database, async (transaction) => {
      const [row] = await transaction.query<{ run_id: string; step: RunStep; attempts: number; failures: number; fence: number; process: ProcessIdentity | null }>(
        `UPDATE step SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_owner = $1, lease_expires = now() + interval '${leaseSeconds} seconds', started_at = now(), finished_at = NULL
         WHERE (run_id, step) = (
           SELECT s.run_id, s.step FROM step s JOIN run r USING (run_id)
           WHERE r.state = 'running'
             AND s.ordinal = (SELECT min(ordinal) FROM step WHERE run_id = s.run_id AND state <> 'succeeded')
             AND ((s.state = 'waiting' AND coalesce(s.not_before, '-infinity') <= now()) OR (s.state = 'running' AND s.lease_expires < now()))
           ORDER BY r.started_at, s.run_id LIMIT 1 FOR UPDATE OF s SKIP LOCKED)
         RETURNING run_id, step, attempts, failures, fence, process`,
        [owner],
      );
      if (row === undefined) return null;
      const [plan] = await transaction.query<{ plan: Plan }>('SELECT plan FROM plan JOIN run USING (plan_id) WHERE run_id = $1', [row.run_id]);
      if (plan === undefined) return null;
      const done = await transaction.query<{ step: RunStep; output: unknown }>(`SELECT step, output FROM step WHERE run_id = $1 AND state = 'succeeded'`, [row.run_id]);
      return { plan: plan.plan, step: row.step, attempt: row.attempts, failures: row.failures, fence: row.fence, orphan: row.process, outputs: Object.fromEntries(done.map(({ step, output }) => [step, output])) };
    });
  }

  /** False: the lease was lost, and the work must stop. */
  async heartbeat({ plan, step, fence }: Claim, progress: object | null): Promise<boolean> {
    const rows = await query(this.database, `UPDATE step SET lease_expires = now() + interval '${leaseSeconds} seconds' WHERE run_id = $1 AND step = $2 AND fence = $3 AND state = 'running' RETURNING run_id`, [plan.runId, step, fence]);
    if (rows.length === 1 && progress !== null) await query(this.database, 'UPDATE run SET progress = $2 WHERE run_id = $1', [plan.runId, JSON.stringify(progress)]);
    return rows.length === 1;
  }

  async rememberProcess({ plan, step, fence }: Claim, process: ProcessIdentity): Promise<void> {
    await query(this.database, 'UPDATE step SET process = $4 WHERE run_id = $1 AND step = $2 AND fence = $3', [plan.runId, step, fence, JSON.stringify(process)]);
  }

  /** Keeps the output only while the claim holds. @returns false when somebody else has taken over. */
  async succeed(transaction: Transaction, { plan, step, fence }: Claim, output: object): Promise<boolean> {
    const rows = await transaction.query(
      `UPDATE step SET state = 'succeeded', output = $4, error = NULL, process = NULL, lease_owner = NULL, lease_expires = NULL, finished_at = now() WHERE run_id = $1 AND step = $2 AND fence = $3 AND state = 'running' RETURNING run_id`,
      [plan.runId, step, fence, JSON.stringify(output)],
    );
    return rows.length === 1;
  }

  /** Ends the attempt; with `retryInMs` the step waits for another, without it has failed for good. `counts`: it uses up the retry budget. */
  async fail(transaction: Transaction, { plan, step, fence }: Claim, failure: StepFailure, retryInMs: number | null, counts: boolean): Promise<boolean> {
    const rows = await transaction.query(
      `UPDATE step SET state = $4, error = $5, failures = failures + $7, process = NULL, lease_owner = NULL, lease_expires = NULL, finished_at = now(),
              not_before = now() + make_interval(secs => $6::double precision / 1000)
       WHERE run_id = $1 AND step = $2 AND fence = $3 AND state = 'running' RETURNING run_id`,
      [plan.runId, step, fence, retryInMs === null ? 'failed' : 'waiting', JSON.stringify(failure), retryInMs ?? 0, counts ? 1 : 0],
    );
    return rows.length === 1;
  }

  async complete(transaction: Transaction, runId: string, state: 'succeeded' | 'rejected' | 'failed', reason: string, now: Date): Promise<void> {
    await transaction.query(`UPDATE run SET state = $2, reason = $3, completed_at = $4 WHERE run_id = $1 AND state = 'running'`, [runId, state, reason, now]);
  }

  async leases(): Promise<{ runId: string; step: RunStep; owner: string }[]> {
    return query(this.database, `SELECT run_id AS "runId", step, lease_owner AS owner FROM step WHERE state = 'running' AND lease_expires > now()`);
  }

  /** For leases whose owner is known to be dead: nobody has to wait for them. */
  async expire(runId: string, step: RunStep, owner: string): Promise<void> {
    await query(this.database, `UPDATE step SET lease_expires = now() - interval '1 second' WHERE run_id = $1 AND step = $2 AND lease_owner = $3 AND state = 'running'`, [runId, step, owner]);
  }

  async activeRuns(): Promise<number> {
    const [row] = await query<{ count: string }>(this.database, `SELECT count(*) AS count FROM run WHERE state = 'running'`);
    return Number(row?.count ?? 0);
  }
}
