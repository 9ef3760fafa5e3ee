import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RetrainingDecision, RetrainingEvidence, RetrainingReason } from '@millrace/core/retraining';
import { query, type Transaction } from '@millrace/persistence';
import type { Cause } from './plan.js';

/** Consecutive answers that follow the same pattern of rules are one row: how often, since when, and the latest figures. */
export interface Evaluation {
  readonly id: number;
  readonly model: string;
  readonly decision: string;
  readonly trigger: string | null;
  readonly reasons: readonly RetrainingReason[];
  readonly evidence: RetrainingEvidence;
  readonly cause: Cause;
  readonly runId: string | null;
  readonly times: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

interface EvaluationRow {
  readonly id: string;
  readonly model: string;
  readonly decision: string;
  readonly trigger: string | null;
  readonly reasons: RetrainingReason[];
  readonly evidence: RetrainingEvidence;
  readonly cause: Cause;
  readonly run_id: string | null;
  readonly times: number;
  readonly first_at: Date;
  readonly last_at: Date;
}

const patternOf = (decision: RetrainingDecision): string => `${decision.decision}|${decision.reasons.map(({ rule, outcome }) => `${rule}:${outcome}`).join(',')}`;

@Injectable()
export class EvaluationStore {
  constructor(private readonly database: DataSource) {}

  async record(transaction: Transaction, model: string, decision: RetrainingDecision, evidence: RetrainingEvidence, cause: Cause, runId: string | null, now: Date): Promise<void> {
    const pattern = patternOf(decision);
    const values = [JSON.stringify(decision.reasons), JSON.stringify(evidence), JSON.stringify(cause), now];
    if (decision.decision === 'no') {
      const same = await transaction.query(
        `UPDATE evaluation SET times = times + 1, reasons = $3, evidence = $4, cause = $5, last_at = $6
         WHERE id = (SELECT max(id) FROM evaluation WHERE model = $1) AND pattern = $2 RETURNING id`,
        [model, pattern, ...values],
      );
      if (same.length === 1) return;
    }
    await transaction.query(
      `INSERT INTO evaluation (model, pattern, reasons, evidence, cause, first_at, last_at, decision, trigger, run_id)
       VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)`,
      [model, pattern, ...values, decision.decision, decision.trigger, runId],
    );
  }

  /** Newest first. */
  async list(model: string, limit: number): Promise<Evaluation[]> {
    const rows = await query<EvaluationRow>(this.database, 'SELECT * FROM evaluation WHERE model = $1 ORDER BY id DESC LIMIT $2', [model, limit]);
    return rows.map((row) => ({
      id: Number(row.id), model: row.model, decision: row.decision, trigger: row.trigger, reasons: row.reasons, evidence: row.evidence, cause: row.cause,
      runId: row.run_id, times: row.times, firstAt: row.first_at.toISOString(), lastAt: row.last_at.toISOString(),
    }));
  }
}
