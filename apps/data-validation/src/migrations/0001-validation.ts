import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = {
  segment: `CREATE TABLE segment (
    stream text NOT NULL,
    kind text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    from_offset bigint NOT NULL,
    to_offset bigint NOT NULL,
    rows integer NOT NULL,
    sha256 text NOT NULL,
    object_key text NOT NULL,
    contract_version text NOT NULL,
    event_time_min timestamptz NOT NULL,
    event_time_max timestamptz NOT NULL,
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (stream, kind, partition, from_offset)
  )`,
  contract_version: `CREATE TABLE contract_version (
    stream text NOT NULL,
    version text NOT NULL,
    sha256 text NOT NULL,
    event json NOT NULL,
    PRIMARY KEY (stream, version)
  )`,
  // json, not jsonb: producers may send \\u0000, which jsonb refuses.
  quarantine: `CREATE TABLE quarantine (
    seq bigserial PRIMARY KEY,
    id text NOT NULL UNIQUE,
    stream text NOT NULL,
    kind text NOT NULL,
    record_id text NOT NULL,
    event_time timestamptz NOT NULL,
    contract_version text NOT NULL,
    violations json NOT NULL,
    rules text[] NOT NULL,
    value json NOT NULL,
    origin json NOT NULL,
    accepted json NOT NULL,
    status text NOT NULL CHECK (status IN ('waiting', 'replayed')),
    quarantined_at timestamptz NOT NULL,
    replayed_at timestamptz,
    fix_sha256 text
  )`,
  quality_day: `CREATE TABLE quality_day (
    stream text NOT NULL,
    kind text NOT NULL,
    contract_version text NOT NULL,
    day date NOT NULL,
    judged bigint NOT NULL,
    quarantined bigint NOT NULL,
    event_time_min timestamptz NOT NULL,
    event_time_max timestamptz NOT NULL,
    PRIMARY KEY (stream, kind, contract_version, day)
  )`,
  quality_rule: `CREATE TABLE quality_rule (
    stream text NOT NULL,
    kind text NOT NULL,
    contract_version text NOT NULL,
    day date NOT NULL,
    rule text NOT NULL,
    field text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (stream, kind, contract_version, day, rule, field)
  )`,
  quality_range: `CREATE TABLE quality_range (
    stream text NOT NULL,
    kind text NOT NULL,
    contract_version text NOT NULL,
    day date NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    from_offset bigint NOT NULL,
    to_offset bigint NOT NULL,
    PRIMARY KEY (stream, kind, contract_version, day, topic, partition)
  )`,
  contract_breach: `CREATE TABLE contract_breach (
    stream text NOT NULL,
    contract_version text NOT NULL,
    day date NOT NULL,
    judged bigint NOT NULL,
    quarantined bigint NOT NULL,
    broken_at timestamptz NOT NULL,
    PRIMARY KEY (stream, contract_version, day)
  )`,
  refused_count: `CREATE TABLE refused_count (
    stream text NOT NULL,
    kind text NOT NULL,
    code text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (stream, kind, code)
  )`,
};

export class Validation1700000200000 implements MigrationInterface {
  readonly name = 'Validation1700000200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of Object.values(tables)) await runner.query(sql);
    await runner.query('CREATE INDEX segment_sealed ON segment (stream, kind, sealed_at)');
    await runner.query('CREATE INDEX quarantine_place ON quarantine (stream, status, seq)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(tables).reverse()) await runner.query(`DROP TABLE ${table}`);
  }
}
