import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DataSource, MigrationInterface } from 'typeorm';
import { MessagingTables1700000000000, openDatabase } from '@millrace/persistence';

export interface TestDatabase {
  readonly source: DataSource;
  /** Opens a second pool on the same database, as a second replica of the service would. */
  replica(): Promise<DataSource>;
  drop(): Promise<void>;
}

/** The value of a variable that `npm test` sets. @throws Error that says how to run integration specs. */
export function requiredFromEnvironment(variable: 'DATABASE_URL' | 'KAFKA_BROKERS'): string {
  const value = process.env[variable];
  if (value === undefined || value === '') throw new Error(`${variable} is not set: run \`npm test\`, which starts Kafka and PostgreSQL`);
  return value;
}

/** A database of this spec’s own on the real PostgreSQL, migrated, dropped at the end. */
export async function openTestDatabase(schema: string, migrations: readonly (new () => MigrationInterface)[]): Promise<TestDatabase> {
  const server = new URL(requiredFromEnvironment('DATABASE_URL'));
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const sources: DataSource[] = [];
  const open = async (): Promise<DataSource> => {
    const source = await openDatabase({ url: url.toString(), schema, migrations: [MessagingTables1700000000000, ...migrations], poolSize: 6 });
    sources.push(source);
    return source;
  };
  return {
    source: await open(),
    replica: open,
    drop: async () => {
      for (const source of sources) if (source.isInitialized) await source.destroy();
      await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(url: URL, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
