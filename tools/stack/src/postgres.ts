import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { MillraceError } from '@millrace/contracts';
import type { RunningServer } from './kafka.js';
import { clearLeftover, forgetProcess, recordProcess } from './ledger.js';
import { openLog, tailOf } from './log-file.js';
import { placeOfData, stopOrphan, stopSignal } from './postgres-place.js';
import { accountForPostgres, findPostgres, type Account, type PostgresBinaries } from './postgres-binaries.js';
import { endWithThisProcess, terminate } from './processes.js';
import { waitUntil } from './wait-until.js';

export interface PostgresOptions {
  readonly folder: string;
  readonly port: number;
  /** False gives up durability across a power cut for speed (fsync off): for tests only. A killed process loses nothing either way. */
  readonly durable?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface RunningPostgres extends RunningServer {
  readonly url: string;
}

const name = 'postgres';
const user = 'millrace';
const password = 'millrace';
const database = 'millrace';
const startDeadlineMs = 60_000;

/**
 * Starts PostgreSQL on 127.0.0.1 with the database `millrace`, or uses DATABASE_URL. Data is kept between runs. A server
 * that a killed run left behind on this folder is stopped first.
 * @throws MillraceError STACK_FAILED with the end of its log.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const existing = (options.environment ?? process.env)['DATABASE_URL'];
  if (existing !== undefined && existing !== '') return { url: existing, pid: undefined, stop: async () => undefined };
  const account = await accountForPostgres();
  const binaries = await findPostgres(account);
  const data = await placeOfData(options.folder, account);
  const logPath = join(options.folder, 'logs', 'postgres.log');
  await clearLeftover(options.folder, name);
  await stopOrphan(data);
  await initialiseOnce(binaries, account, data);
  const child = await launch(binaries, account, data, options, logPath);
  const pid = child.pid ?? 0;
  const release = endWithThisProcess(pid, stopSignal);
  await recordProcess(options.folder, name, pid, stopSignal);
  const stop = async () => {
    release();
    await terminate(pid, { signal: stopSignal });
    await forgetProcess(options.folder, name);
  };
  if (!(await becomesReady(options.port, child))) {
    await stop();
    throw new MillraceError('STACK_FAILED', `PostgreSQL did not get ready on 127.0.0.1:${options.port}; the end of ${logPath}:\n${await tailOf(logPath)}`);
  }
  return { url: urlOf(options.port, database), pid, stop };
}

function urlOf(port: number, name: string): string {
  return `postgresql://${user}:${password}@127.0.0.1:${port}/${name}`;
}

/** initdb into a draft that is renamed when complete, so that one cut short is done again from nothing. */
async function initialiseOnce(binaries: PostgresBinaries, account: Account | undefined, data: string): Promise<void> {
  if (await access(join(data, 'PG_VERSION')).then(() => true, () => false)) return;
  await rm(data, { recursive: true, force: true });
  const draft = `${data}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const passwordFile = join(tmpdir(), `millrace-postgres-${randomBytes(6).toString('hex')}`);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) await Promise.all([chown(draft, account.uid, account.gid), chown(passwordFile, account.uid, account.gid)]);
  const parameters = [`--pgdata=${draft}`, '--auth=scram-sha-256', `--username=${user}`, `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
  try {
    await promisify(execFile)(binaries.initdb, parameters, { ...account, cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
  } catch (cause) {
    throw new MillraceError('STACK_FAILED', `PostgreSQL’s data folder ${data} cannot be set up: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, data);
}

function settings(options: PostgresOptions): readonly string[] {
  const values: Readonly<Record<string, string>> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    // No socket file: its folder may not be writable, and nobody would use it.
    unix_socket_directories: '',
    // Eight services with a pool of ten each, and room for tests and people.
    max_connections: '200',
    shared_buffers: '64MB',
    max_wal_size: '256MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    ...(options.durable === false ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

async function launch(binaries: PostgresBinaries, account: Account | undefined, data: string, options: PostgresOptions, logPath: string): Promise<ChildProcess> {
  const log = await openLog(logPath);
  try {
    const child = spawn(binaries.postgres, ['-D', data, ...settings(options)], { ...account, cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd], env: { ...process.env, LC_ALL: 'C' } });
    await once(child, 'spawn');
    return child;
  } catch (cause) {
    throw new MillraceError('STACK_FAILED', `PostgreSQL cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    await log.close();
  }
}

async function becomesReady(port: number, child: ChildProcess): Promise<boolean> {
  const exited = () => child.exitCode !== null || child.signalCode !== null;
  return (await waitUntil(async () => exited() || createDatabase(port), { deadlineMs: startDeadlineMs, intervalMs: 30 })) && !exited();
}

/** True once it answers and has the database; throws while it does not answer. */
async function createDatabase(port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: urlOf(port, 'postgres'), connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
    return true;
  } finally {
    await client.end();
  }
}
