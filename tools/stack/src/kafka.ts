import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '@millrace/contracts';
import { brokerCount, coordinatorIsReady } from './kafka-wire.js';
import { clusterId, kafkaProperties, log4jConfiguration } from './kafka-properties.js';
import { clearLeftover, forgetProcess, recordProcess } from './ledger.js';
import { openLog, tailOf } from './log-file.js';
import { endWithThisProcess, identityOf, terminate } from './processes.js';
import { waitUntil } from './wait-until.js';

export interface KafkaOptions {
  /** Everything the broker keeps is under here: its log segments, its settings, its own log. */
  readonly folder: string;
  readonly port: number;
  readonly controllerPort: number;
  /** The folder with the jars that the bootstrap fetched. */
  readonly jars: string;
  /** Largest heap, MiB. */
  readonly heapMib?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface RunningServer {
  /** Absent when an existing server is used. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

export interface RunningKafka extends RunningServer {
  /** host:port, separated by commas. */
  readonly brokers: string;
}

const name = 'kafka';
const startDeadlineMs = 60_000;
const formatMarker = 'formatted';

/**
 * Starts Apache Kafka on 127.0.0.1, or uses KAFKA_BROKERS. Data is kept between runs; a broker that an earlier, killed run
 * left behind on this folder is stopped first. Ready means: it answers, counts itself, and both coordinators are there.
 * @throws MillraceError STACK_FAILED with the end of the broker's log.
 */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const existing = (options.environment ?? process.env)['KAFKA_BROKERS'];
  if (existing !== undefined && existing !== '') return { brokers: existing, pid: undefined, stop: async () => undefined };
  const home = join(options.folder, name);
  const logPath = join(options.folder, 'logs', 'kafka.log');
  await mkdir(home, { recursive: true });
  await clearLeftover(options.folder, name);
  await writeFile(join(home, 'log4j2.properties'), log4jConfiguration);
  const properties = join(home, 'server.properties');
  await writeFile(properties, kafkaProperties({ ...options, logFolder: join(home, 'log') }));
  await requireJars(options.jars);
  await formatOnce(options, home, properties, logPath);
  const child = await launch(options, home, ['kafka.Kafka', properties], logPath);
  const pid = child.pid ?? 0;
  const release = endWithThisProcess(pid, 'SIGTERM');
  await recordProcess(options.folder, name, pid);
  const stop = async () => {
    release();
    await terminate(pid, { graceMs: 15_000 });
    await forgetProcess(options.folder, name);
  };
  if (!(await becomesReady(options.port, child))) {
    await stop();
    throw new MillraceError('STACK_FAILED', `Kafka did not get ready on 127.0.0.1:${options.port}; the end of ${logPath}:\n${await tailOf(logPath)}`);
  }
  return { brokers: `127.0.0.1:${options.port}`, pid, stop };
}

async function becomesReady(port: number, child: ChildProcess): Promise<boolean> {
  const exited = () => child.exitCode !== null || child.signalCode !== null;
  const answers = async () => exited() || ((await brokerCount(port)) > 0 && (await coordinatorIsReady(port, 'group')) && (await coordinatorIsReady(port, 'transaction')));
  // An answer counts only while our own broker lives: something else might listen on the port.
  return (await waitUntil(answers, { deadlineMs: startDeadlineMs, intervalMs: 50 })) && !exited() && (await identityOf(child.pid ?? 0)) !== undefined;
}

async function requireJars(folder: string): Promise<void> {
  await access(folder).catch((cause: unknown) => {
    throw new MillraceError('STACK_FAILED', `Kafka’s jars are not in ${folder}; fetch them with: node tools/bootstrap/bootstrap.mjs --only kafka (or set KAFKA_BROKERS to use an existing Kafka)`, { cause });
  });
}

/** Formats the log folder once. The marker comes last, so that a format cut short is done again from nothing. */
async function formatOnce(options: KafkaOptions, home: string, properties: string, logPath: string): Promise<void> {
  const marker = join(home, formatMarker);
  if (await access(marker).then(() => true, () => false)) return;
  await rm(join(home, 'log'), { recursive: true, force: true });
  const child = await launch(options, home, ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties], logPath);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new MillraceError('STACK_FAILED', `Kafka’s storage cannot be formatted; the end of ${logPath}:\n${await tailOf(logPath)}`);
  await writeFile(marker, `${clusterId}\n`);
}

async function launch(options: KafkaOptions, home: string, parameters: readonly string[], logPath: string): Promise<ChildProcess> {
  const heapMib = options.heapMib ?? 384;
  const log = await openLog(logPath);
  const java = process.env['JAVA_HOME'] === undefined ? 'java' : join(process.env['JAVA_HOME'], 'bin', 'java');
  const machine = [`-Xms64m`, `-Xmx${heapMib}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Xshare:auto', '-Djava.awt.headless=true', `-Dlog4j2.configurationFile=${join(home, 'log4j2.properties')}`];
  const child = spawn(java, [...machine, '-cp', join(options.jars, '*'), ...parameters], { detached: true, stdio: ['ignore', log.fd, log.fd] });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new MillraceError('STACK_FAILED', `java cannot be started; install Java 17 or later, or set KAFKA_BROKERS to use an existing Kafka`, { cause });
  } finally {
    await log.close();
  }
  return child;
}
