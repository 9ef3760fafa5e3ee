import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ModelRegistry1700000700000 implements MigrationInterface {
  readonly name = 'ModelRegistry1700000700000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [contractVersion, specRevision, trainingRun, modelVersion, aliasHistory, rolloutStep]) await runner.query(statement);
    await runner.query('CREATE INDEX alias_history_time ON alias_history (model, alias, moved_at, id)');
    await runner.query('CREATE INDEX model_version_artifact ON model_version (artifact_sha256)');
    await runner.query('CREATE INDEX rollout_step_candidate ON rollout_step (model, candidate_version)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rollout_step, alias_history, model_version, training_run, spec_revision, contract_version');
  }
}

/** `sequence` orders the versions of a stream: the highest is in force. */
const contractVersion = `
  CREATE TABLE contract_version (
    stream text NOT NULL,
    version text NOT NULL,
    sequence integer NOT NULL,
    sha256 text NOT NULL,
    document jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (stream, version),
    UNIQUE (stream, sequence)
  )`;

const specRevision = `
  CREATE TABLE spec_revision (
    model text NOT NULL,
    revision integer NOT NULL,
    sha256 text NOT NULL,
    spec jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (model, revision)
  )`;

const trainingRun = `
  CREATE TABLE training_run (
    run_id text PRIMARY KEY,
    model text NOT NULL,
    outcome text NOT NULL,
    event jsonb NOT NULL,
    completed_at timestamptz NOT NULL
  )`;

const modelVersion = `
  CREATE TABLE model_version (
    model text NOT NULL,
    version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('registered', 'corrupt')),
    source text NOT NULL CHECK (source IN ('pipeline', 'manual')),
    run_id text UNIQUE,
    dataset_version text,
    spec_revision integer NOT NULL,
    artifact_sha256 text NOT NULL,
    artifact_size_bytes bigint NOT NULL,
    signature jsonb NOT NULL,
    metrics jsonb NOT NULL,
    gate jsonb NOT NULL,
    reference jsonb,
    registered_by text NOT NULL,
    reason text NOT NULL,
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (model, version)
  )`;

/** Never updated: the row with the latest moved_at not after T tells what the alias named at T. */
const aliasHistory = `
  CREATE TABLE alias_history (
    id bigserial PRIMARY KEY,
    model text NOT NULL,
    alias text NOT NULL,
    version text,
    moved_at timestamptz NOT NULL,
    route_revision integer NOT NULL,
    reason text NOT NULL,
    UNIQUE (model, alias, route_revision)
  )`;

const rolloutStep = `
  CREATE TABLE rollout_step (
    rollout_id text NOT NULL,
    sequence integer NOT NULL,
    model text NOT NULL,
    candidate_version text NOT NULL,
    event jsonb NOT NULL,
    PRIMARY KEY (rollout_id, sequence)
  )`;
