import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The two tables that each service with state shares in shape: how far it has folded each partition, and what it has
 * decided but not yet published. `batch` is the number under which the relay published a row.
 */
export class MessagingTables1700000000000 implements MigrationInterface {
  readonly name = 'MessagingTables1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fold_offset (
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (consumer_group, topic, partition)
      )`);
    await runner.query(`
      CREATE TABLE outbox (
        id bigserial PRIMARY KEY,
        batch bigint,
        topic text NOT NULL,
        key text,
        headers jsonb NOT NULL,
        value bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX outbox_unclaimed ON outbox (id) WHERE batch IS NULL');
    await runner.query('CREATE INDEX outbox_claimed ON outbox (batch) WHERE batch IS NOT NULL');
    await runner.query('CREATE SEQUENCE outbox_batch');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SEQUENCE outbox_batch');
    await runner.query('DROP TABLE outbox');
    await runner.query('DROP TABLE fold_offset');
  }
}
