import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `model` is also the lock: whoever changes anything of a model holds its row. `version` keeps what a route must carry.
 * One roll-out of a model is active at a time; those that wait stand in the order of their start.
 */
export class Rollouts1700000900000 implements MigrationInterface {
  readonly name = 'Rollouts1700000900000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE model (
        model text PRIMARY KEY,
        revision bigint NOT NULL DEFAULT 0,
        route jsonb,
        stream_time timestamptz
      )`);
    await runner.query(`
      CREATE TABLE version (
        model text NOT NULL REFERENCES model,
        version text NOT NULL,
        source text NOT NULL,
        gate text NOT NULL,
        artifact jsonb NOT NULL,
        signature jsonb NOT NULL,
        registered_at timestamptz NOT NULL,
        PRIMARY KEY (model, version)
      )`);
    await runner.query(`
      CREATE TABLE rollout (
        rollout_id text PRIMARY KEY,
        number bigserial,
        model text NOT NULL REFERENCES model,
        candidate_version text NOT NULL,
        champion_version text,
        status text NOT NULL CHECK (status IN ('waiting', 'active', 'paused', 'ended')),
        phase text NOT NULL,
        plan jsonb,
        state jsonb,
        sequence integer NOT NULL DEFAULT 0,
        outcomes bigint NOT NULL DEFAULT 0,
        started_by text NOT NULL,
        reason text NOT NULL,
        created_at timestamptz NOT NULL,
        ended_at timestamptz
      )`);
    await runner.query(`CREATE UNIQUE INDEX rollout_one_active ON rollout (model) WHERE status IN ('active', 'paused')`);
    await runner.query('CREATE INDEX rollout_of_model ON rollout (model, number)');
    await createStory(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['note', 'step', 'rollout', 'version', 'model']) await runner.query(`DROP TABLE ${table}`);
  }
}

/** What is told of roll-outs: each step with its evidence, and notes beside them. */
async function createStory(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE step (
      rollout_id text NOT NULL REFERENCES rollout,
      sequence integer NOT NULL,
      from_phase text NOT NULL,
      to_phase text NOT NULL,
      verdict text NOT NULL,
      reason text NOT NULL,
      evidence jsonb NOT NULL,
      decided_at timestamptz NOT NULL,
      stream_time timestamptz,
      PRIMARY KEY (rollout_id, sequence)
    )`);
  await runner.query(`
    CREATE TABLE note (
      note_id text PRIMARY KEY,
      model text NOT NULL,
      version text NOT NULL,
      text text NOT NULL,
      noted_at timestamptz NOT NULL
    )`);
  await runner.query('CREATE INDEX note_of_version ON note (model, version)');
}
