import 'reflect-metadata';
import { DataSource, type EntityManager, type MigrationInterface } from 'typeorm';
import { MillraceError } from '@millrace/contracts';

export interface DatabaseOptions {
  readonly url: string;
  /** One schema per service; nobody reads another’s. */
  readonly schema: string;
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** TypeORM entities, for the tables that are not on a hot path. */
  readonly entities?: readonly (new (...args: never[]) => object)[];
  readonly poolSize?: number;
}

/** What a store may do inside a transaction. Parameters are `$1…$n`; a row is a plain object. */
export interface Transaction {
  query<Row extends object = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  readonly manager: EntityManager;
}

const migrationLock = 7_400_001;

function schemaName(schema: string): string {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(schema)) throw new MillraceError('CONFIG_INVALID', `${schema} is no schema name`);
  return schema;
}

/**
 * Opens a service’s schema, creating it and running its migrations in order. Replicas that start together wait for each other.
 * @throws MillraceError DEPENDENCY_UNAVAILABLE when PostgreSQL cannot be reached.
 */
export async function openDatabase(options: DatabaseOptions): Promise<DataSource> {
  const schema = schemaName(options.schema);
  const source = new DataSource({
    type: 'postgres',
    url: options.url,
    schema,
    entities: [...(options.entities ?? [])],
    migrations: [...options.migrations],
    migrationsTableName: 'migrations',
    poolSize: options.poolSize ?? 8,
    applicationName: `millrace-${schema}`,
    extra: { options: `-c search_path=${schema}`, connectionTimeoutMillis: 10_000 },
  });
  try {
    await source.initialize();
  } catch (cause) {
    throw new MillraceError('DEPENDENCY_UNAVAILABLE', `PostgreSQL cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  await migrate(source, schema);
  return source;
}

async function migrate(source: DataSource, schema: string): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await runner.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [migrationLock]).catch(() => undefined);
    await runner.release();
  }
}

/** TypeORM answers UPDATE and DELETE with [rows, count]; stores want the rows. */
function rowsOf<Row>(result: unknown): Row[] {
  if (Array.isArray(result) && result.length === 2 && Array.isArray(result[0]) && typeof result[1] === 'number') return result[0] as Row[];
  return result as Row[];
}

/** Runs `work` in one READ COMMITTED transaction; it is rolled back when `work` throws. */
export async function inTransaction<T>(source: DataSource, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return source.transaction((manager) => work(transactionOf(manager)));
}

/** Runs one statement outside a transaction. */
export async function query<Row extends object = Record<string, unknown>>(source: DataSource, sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  return rowsOf<Row>(await source.query(sql, [...parameters]));
}

function transactionOf(manager: EntityManager): Transaction {
  return {
    manager,
    query: async <Row extends object>(sql: string, parameters: readonly unknown[] = []) => rowsOf<Row>(await manager.query(sql, [...parameters])),
  };
}
