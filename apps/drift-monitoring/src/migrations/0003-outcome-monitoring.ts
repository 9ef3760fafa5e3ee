import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = {
  // The error watch of a version: detector state, and where its rows lie in event time.
  error_watch: `CREATE TABLE error_watch (
    model text NOT NULL,
    version text NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (model, version)
  )`,
  // How late a model's labels come, learnt from its closed windows.
  label_history: `CREATE TABLE label_history (
    model text PRIMARY KEY,
    payload json NOT NULL
  )`,
  // Labels that came for the predictions of a window. How many predictions it has is in the verdict on its inputs.
  label_cohort: `CREATE TABLE label_cohort (
    model text NOT NULL,
    version text NOT NULL,
    role text NOT NULL,
    window_start_ms bigint NOT NULL,
    labelled bigint NOT NULL,
    PRIMARY KEY (model, version, role, window_start_ms)
  )`,
} as const;

export class OutcomeMonitoring1700000500030 implements MigrationInterface {
  readonly name = 'OutcomeMonitoring1700000500030';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of Object.values(tables)) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(tables).reverse()) await runner.query(`DROP TABLE ${table}`);
  }
}
