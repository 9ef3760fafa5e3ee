import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError, services as everyService, type ServiceName } from '@millrace/contracts';
import { serviceScript, trainerFolder, trainerPython } from './checkout.js';
import { endpointsPath, removeEndpoints, writeEndpoints, type Endpoints } from './endpoints.js';
import { tailOf } from './log-file.js';
import { portsFrom, type StackPorts } from './ports.js';
import { startServers, type RunningServers, type ServersOptions } from './servers.js';
import { Supervisor, type SupervisorEvent } from './supervise.js';
import { waitUntil } from './wait-until.js';

export interface RingOptions extends Omit<ServersOptions, 'only' | 'furtherPorts'> {
  /** Default: all eight. */
  readonly services?: readonly ServiceName[];
  /** Runs when Kafka and PostgreSQL answer and before any service starts; topics are created here. */
  readonly prepare: (endpoints: Endpoints) => Promise<void>;
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** Called as the parts get ready, for progress lines. */
  readonly onReady?: (part: string, elapsedMs: number) => void;
  /** Added to every service’s environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly readyDeadlineMs?: number;
}

export interface RunningRing {
  readonly endpoints: Endpoints;
  readonly servers: RunningServers;
  readonly supervisor: Supervisor;
  stop(): Promise<void>;
}

const readyDeadlineMs = 60_000;
/** MiB. A young generation of 16 keeps garbage short-lived; the old one is bounded well above what a service needs. */
const nodeFlags = ['--enable-source-maps', '--max-semi-space-size=16', '--max-old-space-size=512'];

/**
 * The whole ring: servers, topics, services; ready when every /health/ready answers 200.
 * @throws MillraceError with the name of the part that is not ready and the end of its log; everything is stopped by then.
 */
export async function startRing(options: RingOptions): Promise<RunningRing> {
  const folder = resolve(options.folder);
  const names = options.services ?? everyService;
  const ports = portsFrom(options.portBase);
  const startedAt = Date.now();
  const report = (part: string) => options.onReady?.(part, Date.now() - startedAt);
  const furtherPorts = names.map((name) => ({ port: ports.services[name], purpose: name }));
  await removeEndpoints(folder);
  const servers = await startServers({ ...options, folder, furtherPorts });
  const supervisor = new Supervisor({ folder, ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }) });
  const stop = async () => {
    await removeEndpoints(folder);
    await supervisor.stopAll();
    await servers.stop();
  };
  try {
    report('Kafka and PostgreSQL');
    const endpoints = await describe(folder, names, servers, ports);
    await options.prepare(endpoints);
    report('topics');
    const environment = { ...environmentOf(folder, endpoints), ...options.environment };
    for (const name of names) {
      await supervisor.start({ name, script: serviceScript(name), nodeFlags, environment: { ...environment, PORT: String(ports.services[name]) } });
    }
    await Promise.all(names.map((name) => requireReady(name, endpoints, supervisor, options.readyDeadlineMs ?? readyDeadlineMs).then(() => report(name))));
    await writeEndpoints(folder, endpoints);
    return { endpoints, servers, supervisor, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function describe(folder: string, names: readonly ServiceName[], servers: RunningServers, ports: StackPorts): Promise<Endpoints> {
  const storage = join(folder, 'storage');
  await mkdir(storage, { recursive: true });
  const addresses: Partial<Record<ServiceName, string>> = {};
  for (const name of names) addresses[name] = `http://127.0.0.1:${ports.services[name]}`;
  return {
    kafka: servers.kafka?.brokers ?? '',
    postgres: servers.postgres?.url ?? '',
    storage: pathToFileURL(storage).href,
    services: addresses,
    portBase: ports.base,
    pid: process.pid,
  };
}

/** What every service is told; each reads the part that it knows. */
function environmentOf(folder: string, endpoints: Endpoints): Readonly<Record<string, string>> {
  return {
    KAFKA_BROKERS: endpoints.kafka,
    DATABASE_URL: endpoints.postgres,
    STORAGE_URL: endpoints.storage,
    HOST: '127.0.0.1',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'info',
    NODE_ENV: 'production',
    TRAINER_PYTHON: process.env['TRAINER_PYTHON'] ?? trainerPython,
    TRAINER_FOLDER: process.env['TRAINER_FOLDER'] ?? trainerFolder,
    SPOOL_FOLDER: join(folder, 'spool'),
    WORK_FOLDER: join(folder, 'work'),
    CREATE_PRODUCER_TOPICS: '1',
    IDLE_SECONDS: '5',
    MILLRACE_ENDPOINTS: endpointsPath(folder),
  };
}

async function requireReady(name: ServiceName, endpoints: Endpoints, supervisor: Supervisor, deadlineMs: number): Promise<void> {
  const url = `${endpoints.services[name] ?? ''}/health/ready`;
  const answers = async () => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).status === 200;
  // A service that exits again and again will not get better by waiting: what it needs was there before it started.
  const hopeless = () => supervisor.restartsOf(name) >= 3;
  const settled = await waitUntil(async () => hopeless() || (await answers()), { deadlineMs, intervalMs: 100 });
  if (settled && !hopeless()) return;
  const log = supervisor.logOf(name);
  const what = hopeless() ? 'keeps exiting' : `is not ready after ${Math.round(deadlineMs / 1000)} s`;
  throw new MillraceError('STACK_FAILED', `${name} ${what} (${url}); the end of ${log}:\n${await tailOf(log)}`);
}
