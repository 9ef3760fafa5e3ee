import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which requests the guards of a roll-out took in, in order, and now and then their state: what a breach is made again from. */
export class GuardBatches1700000970000 implements MigrationInterface {
  readonly name = 'GuardBatches1700000970000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE guard_batch (
        rollout_id text NOT NULL REFERENCES rollout,
        number integer NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        from_offset bigint NOT NULL,
        to_offset bigint NOT NULL,
        observations integer NOT NULL,
        route_revision bigint NOT NULL,
        step jsonb NOT NULL,
        PRIMARY KEY (rollout_id, number)
      )`);
    // The guards’ state after the batch with this number.
    await runner.query('CREATE TABLE guard_basis (rollout_id text NOT NULL REFERENCES rollout, number integer NOT NULL, state jsonb NOT NULL, PRIMARY KEY (rollout_id, number))');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE guard_basis');
    await runner.query('DROP TABLE guard_batch');
  }
}
