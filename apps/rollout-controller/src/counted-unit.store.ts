import { Injectable } from '@nestjs/common';
import type { CountedUnit } from '@millrace/core/rollout';
import type { Transaction } from '@millrace/persistence';

/** The units that have counted: one small row per unit and step, kept while the roll-out learns. */
@Injectable()
export class CountedUnitStore {
  /** Which of these units have counted, and in which steps. */
  async among(transaction: Transaction, rolloutId: string, units: readonly string[]): Promise<CountedUnit[]> {
    if (units.length === 0) return [];
    return transaction.query<CountedUnit>(
      `SELECT step, encode(unit, 'hex') AS unit FROM counted_unit WHERE rollout_id = $1 AND unit IN (SELECT decode(hex, 'hex') FROM unnest($2::text[]) AS hex)`,
      [rolloutId, [...new Set(units)]],
    );
  }

  async add(transaction: Transaction, rolloutId: string, units: readonly CountedUnit[]): Promise<void> {
    if (units.length === 0) return;
    await transaction.query(
      `INSERT INTO counted_unit (rollout_id, step, unit) SELECT $1, step, decode(hex, 'hex') FROM unnest($2::integer[], $3::text[]) AS n(step, hex)`,
      [rolloutId, units.map(({ step }) => step), units.map(({ unit }) => unit)],
    );
  }

  /** Forgets those of the model’s roll-outs that learn no more. */
  async forgetEnded(transaction: Transaction, model: string): Promise<void> {
    await transaction.query(`DELETE FROM counted_unit WHERE rollout_id IN (SELECT rollout_id FROM rollout WHERE model = $1 AND status = 'ended' AND learns_until IS NULL)`, [model]);
  }
}
