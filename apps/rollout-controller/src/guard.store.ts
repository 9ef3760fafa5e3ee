import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { GuardReading, GuardState } from '@millrace/core/rollout';
import { query, type Transaction } from '@millrace/persistence';

/** One row per roll-out; written under the lock of its model. */
@Injectable()
export class GuardStore {
  constructor(private readonly database: DataSource) {}

  async state(transaction: Transaction, rolloutId: string): Promise<GuardState | undefined> {
    const [row] = await transaction.query<{ state: GuardState }>('SELECT state FROM guard WHERE rollout_id = $1', [rolloutId]);
    return row?.state;
  }

  async save(transaction: Transaction, rolloutId: string, state: GuardState, readings: readonly GuardReading[], updatedAt: string): Promise<void> {
    await transaction.query(
      'INSERT INTO guard (rollout_id, state, readings, updated_at) VALUES ($1, $2, $3, $4) ON CONFLICT (rollout_id) DO UPDATE SET state = EXCLUDED.state, readings = EXCLUDED.readings, updated_at = EXCLUDED.updated_at',
      [rolloutId, JSON.stringify(state), JSON.stringify(readings), updatedAt],
    );
  }

  /** For readers. */
  async readings(rolloutId: string): Promise<GuardReading[]> {
    const [row] = await query<{ readings: GuardReading[] }>(this.database, 'SELECT readings FROM guard WHERE rollout_id = $1', [rolloutId]);
    return row?.readings ?? [];
  }
}
