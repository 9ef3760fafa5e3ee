import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Units that come again: which of them has counted in which step (64 bits of the unit’s hash). */
export class CountedUnits1700000960000 implements MigrationInterface {
  readonly name = 'CountedUnits1700000960000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE counted_unit (
        rollout_id text NOT NULL REFERENCES rollout,
        step integer NOT NULL,
        unit bytea NOT NULL,
        PRIMARY KEY (rollout_id, step, unit)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE counted_unit');
  }
}
