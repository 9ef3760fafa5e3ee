import 'reflect-metadata';
import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { collectDefaultMetrics, register } from 'prom-client';
import { DataSource, type MigrationInterface } from 'typeorm';
import { MillraceError, topicNames, type ServiceName } from '@millrace/contracts';
import { KafkaDriver, Messaging, MillraceTransport, type LogDriver } from '@millrace/messaging';
import { MessagingTables1700000000000, openDatabase } from '@millrace/persistence';
import { Connections, drainGraces } from './connections.js';
import { HealthController, Readiness } from './health.js';
import { ErrorFilter } from './http.js';
import { httpServerOptions, sendElsewhere } from './http-server.js';
import { ServiceLog } from './log.js';
import { databaseSettings, platformSettings, readSettings, type ConfigOf, type PlatformConfig, type Setting } from './settings.js';

export interface ServiceDefinition<S extends Readonly<Record<string, Setting<unknown>>> = Readonly<Record<string, Setting<unknown>>>> {
  readonly name: ServiceName;
  /** Gets the service’s own settings, already read; returns its module. */
  readonly module: (config: ConfigOf<S>) => Type | DynamicModule;
  readonly settings: S;
  readonly description: string;
  /** Routes that do not go through Nest controllers, for the OpenAPI page. */
  readonly openApiPaths?: OpenAPIObject['paths'];
  /** Present: the service keeps state, in a schema named after it. */
  readonly database?: { readonly migrations: readonly (new () => MigrationInterface)[]; readonly entities?: readonly (new (...args: never[]) => object)[] };
}

export interface RunningService {
  readonly app: NestFastifyApplication;
  readonly url: string;
  /** When `stop` takes longer, it hangs. */
  readonly stopMsMax: number;
  stop(): Promise<void>;
}

const startDeadlineMs = 60_000;

/** What every room may inject: Messaging, DataSource (when it has one), ServiceLog, Readiness, Connections. */
@Global()
@Module({})
export class PlatformModule {
  static with(parts: { messaging: Messaging; database: DataSource | undefined; log: ServiceLog; readiness: Readiness; connections: Connections }): DynamicModule {
    const providers = [
      { provide: Messaging, useValue: parts.messaging },
      { provide: ServiceLog, useValue: parts.log },
      { provide: Readiness, useValue: parts.readiness },
      { provide: Connections, useValue: parts.connections },
      ...(parts.database === undefined ? [] : [{ provide: DataSource, useValue: parts.database }]),
    ];
    return { module: PlatformModule, controllers: [HealthController], providers, exports: providers };
  }
}

async function persist<T>(what: string, log: ServiceLog, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + startDeadlineMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const hopeless = error instanceof MillraceError && !error.retryable;
      if (hopeless || Date.now() > deadline) throw error;
      log.warn({ err: error }, `${what} is not there yet; trying again`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

async function requireTopics(driver: LogDriver): Promise<void> {
  for (const topic of topicNames) {
    await driver.watermarks(topic).catch((cause: unknown) => {
      throw new MillraceError('DEPENDENCY_UNAVAILABLE', `Kafka or its topic ${topic} is not there; the stack creates topics before services start`, { cause });
    });
  }
}

/**
 * Start order: settings, database and migrations, Kafka topics, the Nest module (its bootstrap hooks fill tables),
 * consumers, outbox relay, HTTP edge; then ready. Stop order: not ready, HTTP edge drained, consumers, relay, database.
 * @throws MillraceError when it cannot start; `runService` prints it and exits.
 */
export async function startService<S extends Readonly<Record<string, Setting<unknown>>>>(definition: ServiceDefinition<S>, environment: NodeJS.ProcessEnv = process.env): Promise<RunningService> {
  const settings: Readonly<Record<string, Setting<unknown>>> = { ...platformSettings, ...(definition.database === undefined ? {} : databaseSettings), ...definition.settings };
  const config = readSettings(settings, environment) as PlatformConfig & ConfigOf<S> & { databaseUrl?: string };
  const log = new ServiceLog(definition.name, config.logLevel);
  const readiness = new Readiness();
  const database = await openOwnDatabase(definition.name, definition.database, config.databaseUrl, log);
  const driver = new KafkaDriver({
    brokers: config.brokers,
    clientId: definition.name,
    onLog: ({ level, message, details }) => log[level === 'error' ? 'warn' : 'debug'](details, `kafka: ${message}`),
  });
  await persist('Kafka', log, () => requireTopics(driver));
  const messaging = new Messaging({ service: definition.name, driver, database, now: () => new Date(), log });
  const adapter = new FastifyAdapter({ ...httpServerOptions, bodyLimit: config.bodyLimitMb * 1_048_576 });
  const connections = new Connections(adapter.getInstance().server);
  sendElsewhere(adapter.getInstance(), connections);
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: class ServiceModule {}, imports: [PlatformModule.with({ messaging, database, log, readiness, connections }), definition.module(config)] },
    adapter,
    { logger: log.forNest(), abortOnError: false, forceCloseConnections: true },
  );
  app.useGlobalFilters(new ErrorFilter(log));
  app.connectMicroservice<MicroserviceOptions>({ strategy: new MillraceTransport(messaging, definition.name) }, { inheritAppConfig: true });
  if (register.getSingleMetric('process_cpu_user_seconds_total') === undefined) collectDefaultMetrics();
  SwaggerModule.setup('docs', app, () => describeEdge(app, definition), { jsonDocumentUrl: 'openapi.json' });
  // Bootstrap hooks (tables) first: a consumer that started before them would judge with an empty table.
  await app.init();
  await app.startAllMicroservices();
  messaging.startOutbox();
  await app.listen(config.port, config.host);
  if (database !== undefined) {
    readiness.add('database', async () => {
      await database.query('SELECT 1');
      return true as const;
    });
  }
  readiness.enter('running');
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  log.info({ url }, `${definition.name} is ready`);
  return { app, url, stopMsMax: 15_000 + drainGraces * config.drainMs, stop: () => drain({ app, connections, messaging, database, readiness, log, drainMs: config.drainMs }) };
}

function describeEdge(app: NestFastifyApplication, { name, description, openApiPaths }: Pick<ServiceDefinition, 'name' | 'description' | 'openApiPaths'>): OpenAPIObject {
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().setTitle(`Millrace ${name}`).setDescription(description).setVersion('1').build());
  return { ...document, paths: { ...openApiPaths, ...document.paths } };
}

async function openOwnDatabase(name: ServiceName, database: ServiceDefinition['database'], url: string | undefined, log: ServiceLog): Promise<DataSource | undefined> {
  if (database === undefined || url === undefined) return undefined;
  return persist('PostgreSQL', log, () =>
    openDatabase({
      url,
      schema: name.replaceAll('-', '_'),
      migrations: [MessagingTables1700000000000, ...database.migrations],
      entities: database.entities ?? [],
    }),
  );
}

interface Draining {
  readonly app: NestFastifyApplication;
  readonly connections: Connections;
  readonly messaging: Messaging;
  readonly database: DataSource | undefined;
  readonly readiness: Readiness;
  readonly log: ServiceLog;
  readonly drainMs: number;
}

async function drain({ app, connections, messaging, database, readiness, log, drainMs }: Draining): Promise<void> {
  readiness.enter('draining');
  log.info({}, 'draining');
  // Not ready, but answering still, with a word to come back elsewhere: a port closed at once resets clients on their way.
  await connections.drain(drainMs);
  await app.close();
  await messaging.stop();
  await database?.destroy();
  log.info({}, 'stopped');
}

/** The whole of a service’s main.ts: run until told to stop; say why when that is not possible, and exit 1. */
export function runService<S extends Readonly<Record<string, Setting<unknown>>>>(definition: ServiceDefinition<S>): void {
  startService(definition).then(stopOnSignals, (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof MillraceError ? error.code : 'INTERNAL';
    process.stderr.write(`${JSON.stringify({ level: 60, service: definition.name, code, msg: `${definition.name} cannot start: ${reason}`, stack: error instanceof Error ? error.stack : undefined })}\n`);
    process.exit(1);
  });
}

function stopOnSignals(service: RunningService): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    // A drain that hangs must not keep a port: the supervisor would have to kill us anyway.
    setTimeout(() => process.exit(1), service.stopMsMax).unref();
    service.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (process.env['MILLRACE_SUPERVISED'] === '1') {
    // The supervisor holds the other end of standard input: when it is gone, however it went, nobody is left to stop us.
    process.stdin.on('end', stop).on('error', stop).resume();
  }
}
