import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Several roll-outs of one model may be under way, as many as its spec’s `candidatesMax`. `units_from`: where the candidate’s units begin on [0, 1). */
export class CandidatesAtOnce1700000950000 implements MigrationInterface {
  readonly name = 'CandidatesAtOnce1700000950000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rollout ADD COLUMN units_from double precision NOT NULL DEFAULT 0 CHECK (units_from >= 0 AND units_from < 1)');
    await runner.query('DROP INDEX rollout_one_active');
    await runner.query(`CREATE UNIQUE INDEX rollout_version_once ON rollout (model, candidate_version) WHERE status IN ('active', 'paused')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX rollout_version_once');
    await runner.query(`CREATE UNIQUE INDEX rollout_one_active ON rollout (model) WHERE status IN ('active', 'paused')`);
    await runner.query('ALTER TABLE rollout DROP COLUMN units_from');
  }
}
