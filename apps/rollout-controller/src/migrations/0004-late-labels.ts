import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `learns_until`: stream time until which a roll-out that has ended still learns from late labels. `revises`: a step whose verdict they changed. */
export class LateLabels1700000940000 implements MigrationInterface {
  readonly name = 'LateLabels1700000940000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rollout ADD COLUMN learns_until timestamptz');
    await runner.query('CREATE INDEX rollout_learning ON rollout (model, number) WHERE learns_until IS NOT NULL');
    await runner.query('ALTER TABLE step ADD COLUMN revises integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE step DROP COLUMN revises');
    await runner.query('DROP INDEX rollout_learning');
    await runner.query('ALTER TABLE rollout DROP COLUMN learns_until');
  }
}
