/*
 * Goal: the local Kafka and PostgreSQL start, keep what was written, and start again after being killed or orphaned.
 * Method: the real servers on free ports; PostgreSQL judged by its own SQL, Kafka by its protocol. The environment is
 * passed in empty, so that servers named there for other specs are not used instead.
 */
import { existsSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { kafkaJarsFolder } from './checkout.js';
import { brokerCount, coordinatorIsReady } from './kafka-wire.js';
import { startKafka, type RunningServer } from './kafka.js';
import { forgetProcess } from './ledger.js';
import { findFreePortBase, portsFrom } from './ports.js';
import { removePostgresFiles } from './postgres-place.js';
import { startPostgres } from './postgres.js';
import { identityOf } from './processes.js';
import { temporaryFolders } from './temporary-folder.fixture.js';
import { waitUntil } from './wait-until.js';

const environment = {};
const started: RunningServer[] = [];
const databaseFolders: string[] = [];
/** So that a failed expectation leaves no server and no files behind; stopping twice is harmless. */
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  for (const folder of databaseFolders.splice(0)) await removePostgresFiles(folder);
});

// Hooks run in the order in which they are registered: folders go after the servers in them.
const makeFolder = temporaryFolders();

async function remember<T extends RunningServer>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  started.push(server);
  return server;
}

const isGone = (pid: number) => waitUntil(async () => (await identityOf(pid)) === undefined, { deadlineMs: 20_000, intervalMs: 20 });

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // Ending a server that a client still talks to is what the test does.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('local servers', () => {
  // Someone who tests on an existing Kafka (KAFKA_BROKERS) has no jars; the skip is counted and shown.
  (existsSync(kafkaJarsFolder) ? it : it.skip)('Kafka starts again on its folder after SIGKILL, and replaces a broker that was left running', async () => {
    const folder = await makeFolder();
    const ports = portsFrom(await findFreePortBase());
    const start = () => remember(startKafka({ folder, port: ports.kafka, controllerPort: ports.kafkaController, jars: kafkaJarsFolder, environment }));
    const first = await start();
    expect(first.brokers).toBe(`127.0.0.1:${ports.kafka}`);
    process.kill(first.pid ?? 0, 'SIGKILL');
    expect(await isGone(first.pid ?? 0)).toBe(true);
    const second = await start();
    // Not stopped: to the third start it is what a killed stack leaves behind.
    const third = await start();
    expect(await identityOf(second.pid ?? 0)).toBeUndefined();
    expect(await brokerCount(ports.kafka)).toBe(1);
    expect(await coordinatorIsReady(ports.kafka, 'transaction')).toBe(true);
    await third.stop();
    expect(await identityOf(third.pid ?? 0)).toBeUndefined();
  });

  it('PostgreSQL keeps committed rows across SIGKILL and across an orphan that no ledger knows', async () => {
    const folder = await makeFolder();
    const { postgres: port } = portsFrom(await findFreePortBase());
    const start = () => remember(startPostgres({ folder, port, durable: false, environment }));
    databaseFolders.push(folder);
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(first.pid ?? 0, 'SIGKILL');
    expect(await isGone(first.pid ?? 0)).toBe(true);
    const second = await start();
    // The ledger forgets the running server: its own pid file must be enough.
    await forgetProcess(folder, 'postgres');
    const third = await start();
    expect(await identityOf(second.pid ?? 0)).toBeUndefined();
    expect(await query(third.url, 'SELECT answer, current_database() AS name FROM kept')).toEqual([{ answer: 42, name: 'millrace' }]);
  });

  // Only root has a folder that the account of the database cannot enter.
  (process.getuid?.() === 0 ? it : it.skip)('PostgreSQL kept outside a closed folder belongs to that folder, not to its path', async () => {
    const closed = await makeFolder();
    await chmod(closed, 0o700);
    const folder = join(closed, 'stack');
    const { postgres: port } = portsFrom(await findFreePortBase());
    const start = () => remember(startPostgres({ folder, port, durable: false, environment }));
    databaseFolders.push(folder);
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const again = await start();
    expect(await query(again.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await again.stop();
    await rm(folder, { recursive: true });
    const another = await start();
    expect(await query(another.url, `SELECT to_regclass('kept') AS found`)).toEqual([{ found: null }]);
  });

  it('uses existing servers instead when the environment names them', async () => {
    const folder = await makeFolder();
    const named = { KAFKA_BROKERS: 'kafka.example:9092', DATABASE_URL: 'postgresql://somebody@db.example/theirs' };
    const kafka = await startKafka({ folder, port: 1, controllerPort: 2, jars: 'nowhere', environment: named });
    const postgres = await startPostgres({ folder, port: 3, environment: named });
    expect([kafka.brokers, kafka.pid, postgres.url, postgres.pid]).toEqual([named.KAFKA_BROKERS, undefined, named.DATABASE_URL, undefined]);
  });

  it('says how to get the jars when they are not there', async () => {
    const folder = await makeFolder();
    await expect(startKafka({ folder, port: 1, controllerPort: 2, jars: `${folder}/nowhere`, environment })).rejects.toMatchObject({
      code: 'STACK_FAILED',
      message: expect.stringContaining('bootstrap.mjs --only kafka'),
    });
  });
});
