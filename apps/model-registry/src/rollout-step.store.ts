import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { StepDecided } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';

@Injectable()
export class RolloutStepStore {
  constructor(private readonly database: DataSource) {}

  async add(transaction: Transaction, steps: readonly StepDecided[]): Promise<void> {
    await transaction.query(
      `INSERT INTO rollout_step (rollout_id, sequence, model, candidate_version, event)
       SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::jsonb[]) ON CONFLICT DO NOTHING`,
      [
        steps.map(({ rolloutId }) => rolloutId),
        steps.map(({ sequence }) => sequence),
        steps.map(({ model }) => model),
        steps.map(({ candidateVersion }) => candidateVersion),
        steps.map((step) => JSON.stringify(step)),
      ],
    );
  }

  async ofVersion(model: string, version: string): Promise<StepDecided[]> {
    const rows = await query<{ event: StepDecided }>(this.database, `SELECT event FROM rollout_step WHERE model = $1 AND candidate_version = $2 ORDER BY event->>'decidedAt', sequence`, [model, version]);
    return rows.map(({ event }) => event);
  }
}
