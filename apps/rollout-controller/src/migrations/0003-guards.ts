import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the guards of a roll-out remember, and what they said last. */
export class Guards1700000930000 implements MigrationInterface {
  readonly name = 'Guards1700000930000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE guard (
        rollout_id text PRIMARY KEY REFERENCES rollout,
        state jsonb NOT NULL,
        readings jsonb NOT NULL,
        updated_at timestamptz NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE guard');
  }
}
