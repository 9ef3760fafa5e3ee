import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startKafka, type RunningKafka } from './kafka.js';
import { claimFolder } from './ledger.js';
import { kafkaJarsFolder } from './checkout.js';
import { portsFrom, assertPortsFree, type NamedPort, type StackPorts } from './ports.js';
import { startPostgres, type RunningPostgres } from './postgres.js';
import { removePostgresFiles } from './postgres-place.js';

export type ServerName = 'kafka' | 'postgres';

export interface ServersOptions {
  readonly portBase: number;
  /** What the stack keeps: data, logs, pids, endpoints. */
  readonly folder: string;
  readonly only?: readonly ServerName[];
  /** Forget what earlier runs kept here. */
  readonly reset?: boolean;
  /** See PostgresOptions.durable. */
  readonly durable?: boolean;
  /** Further ports that must be free before anything starts. */
  readonly furtherPorts?: readonly NamedPort[];
}

export interface RunningServers {
  readonly ports: StackPorts;
  readonly kafka: RunningKafka | undefined;
  readonly postgres: RunningPostgres | undefined;
  stop(): Promise<void>;
}

/**
 * Kafka and PostgreSQL, side by side, in a folder that this process owns until `stop`.
 * @throws MillraceError STACK_RUNNING, PORT_IN_USE or STACK_FAILED; what was started by then is stopped again.
 */
export async function startServers(options: ServersOptions): Promise<RunningServers> {
  const ports = portsFrom(options.portBase);
  await mkdir(options.folder, { recursive: true });
  const release = await claimFolder(options.folder);
  try {
    if (options.reset === true) await resetFolder(options.folder);
    await assertPortsFree([...ownPorts(options, ports), ...(options.furtherPorts ?? [])]);
    const { kafka, postgres } = await startBoth(options, ports);
    const stop = async () => {
      await Promise.all([kafka?.stop(), postgres?.stop()]);
      await release();
    };
    return { ports, kafka, postgres, stop };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Deletes everything a stack keeps in its folder, apart from the ledger that says who owns it. */
export async function resetFolder(folder: string): Promise<void> {
  await removePostgresFiles(folder);
  for (const name of ['kafka', 'storage', 'spool', 'work', 'logs', 'endpoints.json']) await rm(join(folder, name), { recursive: true, force: true });
}

/** Deletes a stack's folder and all that belongs to it, stopping what a killed run left. @throws MillraceError STACK_RUNNING when it is in use. */
export async function removeStackFolder(folder: string): Promise<void> {
  await claimFolder(folder, { patienceMs: 0 });
  await resetFolder(folder);
  await rm(folder, { recursive: true, force: true });
}

function wants(options: ServersOptions, server: ServerName): boolean {
  return options.only === undefined || options.only.includes(server);
}

function ownPorts(options: ServersOptions, ports: StackPorts): readonly NamedPort[] {
  const needed: NamedPort[] = [];
  if (wants(options, 'kafka') && !process.env['KAFKA_BROKERS']) needed.push({ port: ports.kafka, purpose: 'Kafka' }, { port: ports.kafkaController, purpose: 'Kafka’s controller' });
  if (wants(options, 'postgres') && !process.env['DATABASE_URL']) needed.push({ port: ports.postgres, purpose: 'PostgreSQL' });
  return needed;
}

async function startBoth(options: ServersOptions, ports: StackPorts): Promise<Pick<RunningServers, 'kafka' | 'postgres'>> {
  const { folder } = options;
  const [kafka, postgres] = await Promise.allSettled([
    wants(options, 'kafka') ? startKafka({ folder, port: ports.kafka, controllerPort: ports.kafkaController, jars: kafkaJarsFolder }) : undefined,
    wants(options, 'postgres') ? startPostgres({ folder, port: ports.postgres, durable: options.durable ?? true }) : undefined,
  ]);
  if (kafka.status === 'fulfilled' && postgres.status === 'fulfilled') return { kafka: kafka.value, postgres: postgres.value };
  if (kafka.status === 'fulfilled') await kafka.value?.stop();
  if (postgres.status === 'fulfilled') await postgres.value?.stop();
  throw kafka.status === 'rejected' ? kafka.reason : postgres.status === 'rejected' ? postgres.reason : new Error('unreachable');
}
