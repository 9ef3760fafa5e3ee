import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query } from '@millrace/persistence';
import type { Plan } from './plan.js';
import type { ProcessIdentity } from './process-identity.js';
import type { DatasetCounts } from './dataset-builder.js';
import type { TrainOutput } from './steps/train.step.js';

export interface Verification {
  readonly id: string;
  readonly runId: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly sameDataset: boolean | null;
  readonly sameBytes: boolean | null;
  readonly expectedSha256: string | null;
  readonly actualSha256: string | null;
  readonly reason: string | null;
  readonly requestedAt: string;
  readonly finishedAt: string | null;
}

export interface VerificationClaim {
  readonly id: string;
  readonly fence: number;
  readonly orphan: ProcessIdentity | null;
  readonly plan: Plan;
  readonly train: TrainOutput | null;
  readonly counts: DatasetCounts | null;
}

export type Finding = Pick<Verification, 'sameDataset' | 'sameBytes' | 'expectedSha256' | 'actualSha256' | 'reason'> & { readonly state: 'done' | 'failed' };

const leaseSeconds = 10;

@Injectable()
export class VerificationStore {
  constructor(private readonly database: DataSource) {}

  async add(id: string, runId: string, now: Date): Promise<void> {
    await query(this.database, `INSERT INTO verification (id, run_id, state, requested_at) VALUES ($1, $2, 'waiting', $3)`, [id, runId, now]);
  }

  async find(id: string): Promise<Verification | undefined> {
    const [row] = await query<Verification & { requestedAt: Date; finishedAt: Date | null }>(
      this.database,
      `SELECT id, run_id AS "runId", state, same_dataset AS "sameDataset", same_bytes AS "sameBytes", expected_sha256 AS "expectedSha256", actual_sha256 AS "actualSha256",
              reason, requested_at AS "requestedAt", finished_at AS "finishedAt" FROM verification WHERE id = $1`,
      [id],
    );
    return row === undefined ? undefined : { ...row, requestedAt: new Date(row.requestedAt).toISOString(), finishedAt: row.finishedAt === null ? null : new Date(row.finishedAt).toISOString() };
  }

  async claim(owner: string): Promise<VerificationClaim | null> {
    const [row] = await query<{ id: string; run_id: string; fence: number; process: ProcessIdentity | null }>(
      this.database,
      `UPDATE verification SET state = 'running', fence = fence + 1, lease_owner = $1, lease_expires = now() + interval '${leaseSeconds} seconds'
       WHERE id = (SELECT id FROM verification WHERE state = 'waiting' OR (state = 'running' AND lease_expires < now()) ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, run_id, fence, process`,
      [owner],
    );
    if (row === undefined) return null;
    const [known] = await query<{ plan: Plan; train: TrainOutput | null; counts: DatasetCounts | null }>(
      this.database,
      `SELECT plan.plan, step.output AS train, dataset.counts FROM run JOIN plan USING (plan_id) LEFT JOIN step ON step.run_id = run.run_id AND step.step = 'train'
       LEFT JOIN dataset ON dataset.dataset_version = plan.plan->>'datasetVersion' WHERE run.run_id = $1`,
      [row.run_id],
    );
    return known === undefined ? null : { id: row.id, fence: row.fence, orphan: row.process, ...known };
  }

  async heartbeat({ id, fence }: VerificationClaim): Promise<boolean> {
    const rows = await query(this.database, `UPDATE verification SET lease_expires = now() + interval '${leaseSeconds} seconds' WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING id`, [id, fence]);
    return rows.length === 1;
  }

  async rememberProcess({ id, fence }: VerificationClaim, process: ProcessIdentity): Promise<void> {
    await query(this.database, 'UPDATE verification SET process = $3 WHERE id = $1 AND fence = $2', [id, fence, JSON.stringify(process)]);
  }

  /** For a process that drains: the next one begins at once. */
  async release({ id, fence }: VerificationClaim): Promise<void> {
    await query(this.database, `UPDATE verification SET state = 'waiting' WHERE id = $1 AND fence = $2 AND state = 'running'`, [id, fence]);
  }

  async finish({ id, fence }: VerificationClaim, finding: Finding, now: Date): Promise<void> {
    await query(
      this.database,
      `UPDATE verification SET state = $3, same_dataset = $4, same_bytes = $5, expected_sha256 = $6, actual_sha256 = $7, reason = $8, finished_at = $9, process = NULL
       WHERE id = $1 AND fence = $2 AND state = 'running'`,
      [id, fence, finding.state, finding.sameDataset, finding.sameBytes, finding.expectedSha256, finding.actualSha256, finding.reason, now],
    );
  }
}
