import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { batchesPerBasis, type GuardBatch, type GuardState, type GuardTrail } from '@millrace/core/rollout';
import { query, type Transaction } from '@millrace/persistence';

const columns = 'number, topic, partition, from_offset::float8 AS "fromOffset", to_offset::float8 AS "toOffset", observations, route_revision::float8 AS "routeRevision", step';
const batchesOf = `SELECT ${columns} FROM guard_batch WHERE rollout_id = $1 ORDER BY number`;
const basisOf = 'SELECT state FROM guard_basis WHERE rollout_id = $1 ORDER BY number LIMIT 1';

/** The way to the guards’ state: at most 20,000 batches of each roll-out. Written under the lock of its model. */
@Injectable()
export class GuardBatchStore {
  constructor(private readonly database: DataSource) {}

  /** @param state after the batch. */
  async add(transaction: Transaction, rolloutId: string, batch: Omit<GuardBatch, 'number'>, state: GuardState): Promise<void> {
    const [row] = await transaction.query<{ number: number }>(
      `INSERT INTO guard_batch (rollout_id, number, topic, partition, from_offset, to_offset, observations, route_revision, step)
       SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM guard_batch WHERE rollout_id = $1 RETURNING number`,
      [rolloutId, batch.topic, batch.partition, batch.fromOffset, batch.toOffset, batch.observations, batch.routeRevision, JSON.stringify(batch.step)],
    );
    const number = row?.number ?? 0;
    if (number % batchesPerBasis !== 0) return;
    await transaction.query('INSERT INTO guard_basis (rollout_id, number, state) VALUES ($1, $2, $3)', [rolloutId, number, JSON.stringify(state)]);
    await transaction.query('DELETE FROM guard_batch WHERE rollout_id = $1 AND number <= $2', [rolloutId, number - batchesPerBasis]);
    await transaction.query('DELETE FROM guard_basis WHERE rollout_id = $1 AND number < $2', [rolloutId, number - batchesPerBasis]);
  }

  async trail(transaction: Transaction, rolloutId: string): Promise<GuardTrail> {
    return trailOf(await transaction.query<GuardBatch>(batchesOf, [rolloutId]), await transaction.query<StoredBasis>(basisOf, [rolloutId]));
  }

  /** For readers. */
  async trailOf(rolloutId: string): Promise<GuardTrail> {
    return trailOf(await query<GuardBatch>(this.database, batchesOf, [rolloutId]), await query<StoredBasis>(this.database, basisOf, [rolloutId]));
  }
}

interface StoredBasis {
  readonly state: GuardState;
}

/** The first basis lies among the batches until those before it are forgotten. */
function trailOf(batches: readonly GuardBatch[], [first]: readonly StoredBasis[]): GuardTrail {
  return { basis: batches[0]?.number === 1 ? null : (first?.state ?? null), batches };
}
