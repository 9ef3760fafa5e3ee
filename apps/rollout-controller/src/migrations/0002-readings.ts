import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `reading`: which stretch of which partition a roll-out learnt from, in order. `inputs` of a step: from what it was decided. */
export class Readings1700000910000 implements MigrationInterface {
  readonly name = 'Readings1700000910000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE reading (
        rollout_id text NOT NULL REFERENCES rollout,
        number integer NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        from_offset bigint NOT NULL,
        to_offset bigint NOT NULL,
        events integer NOT NULL,
        PRIMARY KEY (rollout_id, number)
      )`);
    await runner.query('ALTER TABLE step ADD COLUMN inputs jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE step DROP COLUMN inputs');
    await runner.query('DROP TABLE reading');
  }
}
