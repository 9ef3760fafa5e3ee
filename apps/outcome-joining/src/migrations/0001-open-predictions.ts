import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = {
  // One row per record that a prediction or a label spoke of. Both folds upsert it first, so its row lock is what makes
  // the join safe. json, not jsonb: producers may send \u0000, which jsonb refuses.
  record: `CREATE TABLE record (
    stream text NOT NULL,
    record_id text NOT NULL,
    event_time timestamptz NOT NULL,
    label json,
    label_partition integer,
    label_offset bigint,
    PRIMARY KEY (stream, record_id)
  ) WITH (fillfactor = 85)`,
  prediction: `CREATE TABLE prediction (
    prediction_id text PRIMARY KEY,
    model text NOT NULL,
    stream text NOT NULL,
    record_id text NOT NULL,
    counted boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'joined', 'expired')),
    event_time timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    served json NOT NULL
  ) WITH (fillfactor = 85)`,
  // One writer per (fold, partition), so that partitions never wait for each other's counts.
  tally: `CREATE TABLE tally (
    subject text NOT NULL,
    name text NOT NULL,
    writer text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (subject, name, writer)
  ) WITH (fillfactor = 50)`,
  stream_clock: `CREATE TABLE stream_clock (
    stream text NOT NULL,
    source text NOT NULL,
    partition integer NOT NULL,
    event_time timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    PRIMARY KEY (stream, source, partition)
  ) WITH (fillfactor = 50)`,
} as const;

const indexes = [
  'CREATE INDEX prediction_of_record ON prediction (model, record_id)',
  `CREATE INDEX prediction_open ON prediction (stream, expires_at) WHERE state = 'open'`,
  // Rows come nearly in event-time order: a block range index serves the clean-up and costs the folds nothing.
  'CREATE INDEX prediction_age ON prediction USING brin (event_time)',
  'CREATE INDEX record_age ON record USING brin (event_time)',
];

export class OpenPredictions1700000400000 implements MigrationInterface {
  readonly name = 'OpenPredictions1700000400000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [...Object.values(tables), ...indexes]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(tables).reverse()) await runner.query(`DROP TABLE ${table}`);
  }
}
