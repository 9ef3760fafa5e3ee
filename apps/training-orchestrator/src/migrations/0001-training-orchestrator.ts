import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TrainingOrchestrator1700000800000 implements MigrationInterface {
  readonly name = 'TrainingOrchestrator1700000800000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...evidenceTables, ...runTables]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE verification, dataset, step, run, plan, evaluation, alias, model_version, contract_break, verdict, segment');
  }
}

const evidenceTables = [
  `CREATE TABLE segment (
    topic text NOT NULL,
    partition integer NOT NULL,
    from_offset bigint NOT NULL,
    to_offset bigint NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('record', 'label')),
    rows integer NOT NULL,
    sha256 text NOT NULL,
    object_key text NOT NULL,
    event_time_min timestamptz NOT NULL,
    event_time_max timestamptz NOT NULL,
    PRIMARY KEY (stream, topic, partition, from_offset)
  )`,
  'CREATE INDEX segment_stream ON segment (stream, kind)',
  `CREATE TABLE verdict (
    verdict_id text PRIMARY KEY,
    model text NOT NULL,
    version text NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    watermark timestamptz NOT NULL,
    reason text NOT NULL,
    position jsonb NOT NULL
  )`,
  'CREATE INDEX verdict_latest ON verdict (model, version, kind, watermark DESC)',
  `CREATE TABLE contract_break (
    stream text PRIMARY KEY,
    contract_version text NOT NULL,
    event_time_to timestamptz NOT NULL,
    share double precision NOT NULL,
    share_max double precision NOT NULL,
    position jsonb NOT NULL
  )`,
  `CREATE TABLE model_version (
    model text NOT NULL,
    version text NOT NULL,
    artifact_sha256 text NOT NULL,
    signature jsonb NOT NULL,
    metrics jsonb NOT NULL,
    PRIMARY KEY (model, version)
  )`,
  `CREATE TABLE alias (
    model text NOT NULL,
    alias text NOT NULL,
    version text,
    route_revision integer NOT NULL,
    PRIMARY KEY (model, alias)
  )`,
  `CREATE TABLE evaluation (
    id bigserial PRIMARY KEY,
    model text NOT NULL,
    decision text NOT NULL,
    trigger text,
    pattern text NOT NULL,
    reasons jsonb NOT NULL,
    evidence jsonb NOT NULL,
    cause jsonb NOT NULL,
    run_id text,
    times integer NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
  )`,
  'CREATE INDEX evaluation_model ON evaluation (model, id DESC)',
];

const runTables = [
  `CREATE TABLE plan (
    plan_id text PRIMARY KEY,
    model text NOT NULL,
    stream_time timestamptz NOT NULL,
    labelled_rows bigint NOT NULL,
    plan jsonb NOT NULL,
    planned_at timestamptz NOT NULL
  )`,
  'CREATE INDEX plan_model ON plan (model, stream_time DESC)',
  `CREATE TABLE run (
    run_id text PRIMARY KEY,
    plan_id text NOT NULL UNIQUE REFERENCES plan,
    model text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'succeeded', 'rejected', 'failed')),
    reason text NOT NULL DEFAULT '',
    progress jsonb,
    started_at timestamptz NOT NULL,
    completed_at timestamptz
  )`,
  // One run per model at a time, whatever two evaluations that race may think.
  `CREATE UNIQUE INDEX run_active ON run (model) WHERE state = 'running'`,
  `CREATE TABLE step (
    run_id text NOT NULL REFERENCES run,
    step text NOT NULL,
    ordinal integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'succeeded', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    fence integer NOT NULL DEFAULT 0,
    not_before timestamptz,
    lease_owner text,
    lease_expires timestamptz,
    process jsonb,
    output jsonb,
    error jsonb,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (run_id, step)
  )`,
  `CREATE TABLE dataset (
    dataset_version text PRIMARY KEY,
    model text NOT NULL,
    manifest jsonb NOT NULL,
    counts jsonb NOT NULL,
    created_at timestamptz NOT NULL
  )`,
  `CREATE TABLE verification (
    id text PRIMARY KEY,
    run_id text NOT NULL REFERENCES run,
    state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    fence integer NOT NULL DEFAULT 0,
    lease_owner text,
    lease_expires timestamptz,
    process jsonb,
    same_dataset boolean,
    same_bytes boolean,
    expected_sha256 text,
    actual_sha256 text,
    reason text,
    requested_at timestamptz NOT NULL,
    finished_at timestamptz
  )`,
];
