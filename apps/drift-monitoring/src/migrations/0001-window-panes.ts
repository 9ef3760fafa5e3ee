import type { MigrationInterface, QueryRunner } from 'typeorm';

// Event times are milliseconds since the epoch: windows are arithmetic on them.
const tables = {
  reference: `CREATE TABLE reference (
    model text NOT NULL,
    version text NOT NULL,
    reference json,
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (model, version)
  )`,
  pane: `CREATE TABLE pane (
    model text NOT NULL,
    source text NOT NULL,
    version text NOT NULL,
    role text NOT NULL,
    window_start_ms bigint NOT NULL,
    window_end_ms bigint NOT NULL,
    partition integer NOT NULL,
    rows integer NOT NULL,
    first_offset bigint NOT NULL,
    last_offset bigint NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (model, source, version, role, window_start_ms, window_end_ms, partition)
  )`,
  partition_clock: `CREATE TABLE partition_clock (
    model text NOT NULL,
    source text NOT NULL,
    partition integer NOT NULL,
    event_time_ms bigint NOT NULL,
    moved_at timestamptz NOT NULL,
    PRIMARY KEY (model, source, partition)
  )`,
  // Windows that end at or before closed_until_ms are closed. Whoever saves panes holds the row FOR SHARE, whoever closes FOR UPDATE.
  closing: `CREATE TABLE closing (
    model text NOT NULL,
    source text NOT NULL,
    closed_until_ms bigint NOT NULL,
    PRIMARY KEY (model, source)
  )`,
  verdict: `CREATE TABLE verdict (
    sequence bigserial PRIMARY KEY,
    verdict_id text NOT NULL UNIQUE,
    model text NOT NULL,
    version text NOT NULL,
    role text NOT NULL,
    kind text NOT NULL,
    window_start_ms bigint NOT NULL,
    window_end_ms bigint NOT NULL,
    watermark_ms bigint NOT NULL,
    outcome text NOT NULL,
    rows integer NOT NULL,
    findings json NOT NULL,
    metrics json NOT NULL,
    offsets json NOT NULL,
    state json NOT NULL
  )`,
} as const;

export class WindowPanes1700000500000 implements MigrationInterface {
  readonly name = 'WindowPanes1700000500000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of Object.values(tables)) await runner.query(sql);
    await runner.query('CREATE INDEX pane_of_partition ON pane (source, partition)');
    await runner.query('CREATE INDEX verdict_of_model ON verdict (model, window_start_ms)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(tables).reverse()) await runner.query(`DROP TABLE ${table}`);
  }
}
