import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import type { ServiceName } from '@millrace/contracts';
import { MillraceTransport, type Messaging } from '@millrace/messaging';
import { Connections } from '../connections.js';
import { Readiness } from '../health.js';
import { ErrorFilter } from '../http.js';
import { ServiceLog } from '../log.js';
import { PlatformModule } from '../run-service.js';

/** A service’s module as `startService` opens it, over the log and the database of a spec: consumers and outbox run, no port is open. */
export async function openInProcess(name: ServiceName, module: DynamicModule, { messaging, database }: { messaging: Messaging; database: DataSource }): Promise<NestFastifyApplication> {
  const log = new ServiceLog(name, 'silent');
  const adapter = new FastifyAdapter();
  const platform = PlatformModule.with({ messaging, database, log, readiness: new Readiness(), connections: new Connections(adapter.getInstance().server) });
  const app = await NestFactory.create<NestFastifyApplication>({ module: class ServiceModule {}, imports: [platform, module] }, adapter, { logger: false, abortOnError: false });
  app.useGlobalFilters(new ErrorFilter(log));
  app.connectMicroservice<MicroserviceOptions>({ strategy: new MillraceTransport(messaging, name) }, { inheritAppConfig: true });
  await app.init();
  await app.startAllMicroservices();
  messaging.startOutbox();
  return app;
}
