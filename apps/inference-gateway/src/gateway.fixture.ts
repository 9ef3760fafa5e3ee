import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModelSpec, predictionServed, routeChanged, specChanged, type DataOf, type EventDefinition, type ModelSignature, type ModelSpec, type PredictionServed, type RouteChanged, type RouteTarget } from '@millrace/contracts';
import { createRingTopics, decodeEvent, Messaging, type LogDriver } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { logisticModel } from '@millrace/model-runtime/testing';
import { Connections, ErrorFilter, HealthController, Readiness, ServiceLog } from '@millrace/service';
import { openStorage, type Storage } from '@millrace/storage';
import type { InferenceGatewayConfig } from './inference-gateway.config.js';
import { InferenceGatewayModule } from './inference-gateway.module.js';

@Global()
@Module({})
class FixturePlatform {
  static with(messaging: Messaging, log: ServiceLog, readiness: Readiness, connections: Connections): DynamicModule {
    const providers = [{ provide: Messaging, useValue: messaging }, { provide: ServiceLog, useValue: log }, { provide: Readiness, useValue: readiness }, { provide: Connections, useValue: connections }];
    return { module: FixturePlatform, controllers: [HealthController], providers, exports: providers };
  }
}

export const model = 'late-flights';
export const signature: ModelSignature = {
  inputs: [
    { name: 'distance', datatype: 'FP32', shape: [-1, 1] },
    { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] },
  ],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
  ],
  task: 'binary',
  classes: ['false', 'true'],
  positiveIndex: 1,
};

/** P(late) = 1 / (1 + exp(-(intercept + 0.5·distance + weight of the carrier))); AA weighs 1, UA -1, a missing distance counts as 2. */
export function modelBytes(intercept: number): Buffer {
  return logisticModel({ numbers: { distance: { weight: 0.5, impute: 2 } }, categories: { carrier: { AA: 1, UA: -1 } }, intercept });
}
export const probability = (intercept: number, distance: number, carrier: 'AA' | 'UA' | 'other'): number =>
  1 / (1 + Math.exp(-(intercept + 0.5 * distance + { AA: 1, UA: -1, other: 0 }[carrier])));

export const spec = parseModelSpec({
  apiVersion: 'millrace/v1',
  kind: 'Model',
  metadata: { name: model },
  spec: {
    task: 'binary',
    stream: 'flights',
    features: [{ name: 'distance', type: 'number' }, { name: 'carrier', type: 'category' }],
    label: { field: 'late', positive: true },
    trainer: { name: 'tabular', algorithm: 'logistic-regression' },
  },
});

/** The ring around a gateway: a log, a storage place and a folder that outlive it. */
export class Ring {
  readonly folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  readonly log = new MemoryDriver();
  storage!: Storage;
  private revision = 0;
  private looks = 0;

  static async open(): Promise<Ring> {
    const ring = new Ring();
    await createRingTopics(ring.log, 2);
    ring.storage = await openStorage(`file://${ring.folder}/storage`);
    return ring;
  }

  messaging(driver: LogDriver = this.log): Messaging {
    return new Messaging({ service: 'inference-gateway', driver, now: () => new Date(), log: { warn: () => undefined } });
  }

  async target(version: string, intercept: number): Promise<RouteTarget> {
    return { version, artifact: await this.storage.artifacts.put(modelBytes(intercept)), signature };
  }

  async announceSpec(name = model, changes: Partial<ModelSpec['spec']> = {}, revision = 1): Promise<void> {
    const renamed = { ...spec, metadata: { ...spec.metadata, name }, spec: { ...spec.spec, ...changes } };
    await this.publish(this.messaging().encode(specChanged, { model: name, revision, sha256: '0'.repeat(64), spec: renamed, changedAt: '2013-01-01T00:00:00Z' }, { key: name }));
  }

  async announceRoute(route: Partial<RouteChanged> & Pick<RouteChanged, 'champion'>): Promise<number> {
    const revision = (this.revision += 1);
    const full: RouteChanged = { model, revision, rolloutId: null, phase: 'full', salt: `${model}:r1`, candidate: null, reason: 'spec', changedAt: '2013-01-01T00:00:00Z', streamTime: null, ...route };
    await this.publish(this.messaging().encode(routeChanged, full, { key: full.model }));
    return revision;
  }

  /** What the log of predictions holds. */
  logged(): Promise<PredictionServed[]> {
    return this.events(predictionServed);
  }

  async events<D extends EventDefinition>(definition: D): Promise<DataOf<D>[]> {
    const found: DataOf<D>[] = [];
    const consumption = await this.log.consume({ group: `look-${(this.looks += 1)}`, topics: [definition.type], onBatch: async (deliveries) => void found.push(...deliveries.map((delivery) => decodeEvent(definition, delivery).data)) });
    const goal = (await this.log.watermarks(definition.type)).reduce((sum, { high }) => sum + high, 0);
    while (found.length < goal) await new Promise((resolve) => setImmediate(resolve));
    await consumption.stop();
    return found;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async publish(message: Parameters<Awaited<ReturnType<LogDriver['producer']>>['send']>[0][number]): Promise<void> {
    const producer = await this.log.producer();
    await producer.send([message]);
  }
}

export interface Gateway {
  readonly app: NestFastifyApplication;
  readonly messaging: Messaging;
  predict(instances: unknown, name?: string): Promise<{ status: number; body: Record<string, unknown> }>;
  call(method: 'GET' | 'POST', url: string, payload?: string): Promise<{ status: number; contentType: unknown; body: Record<string, unknown> }>;
  stop(): Promise<void>;
}

/** The whole service but for its process: Nest, Fastify, real files, real ONNX models. */
export async function openGateway(ring: Ring, options: { driver?: LogDriver; config?: Partial<InferenceGatewayConfig> } = {}): Promise<Gateway> {
  const messaging = ring.messaging(options.driver);
  const log = new ServiceLog('inference-gateway', 'fatal');
  const readiness = new Readiness();
  const config: InferenceGatewayConfig = { storageUrl: `file://${ring.folder}/storage`, spoolFolder: join(ring.folder, 'spool'), spoolMegabytesMax: 16, batchRowsMax: 256, queueRowsMax: 20_000, shadowQueueMax: 2_000, ...options.config };
  const adapter = new FastifyAdapter();
  const built = await Test.createTestingModule({ imports: [FixturePlatform.with(messaging, log, readiness, new Connections(adapter.getInstance().server)), InferenceGatewayModule.with(config)] }).compile();
  const app = built.createNestApplication<NestFastifyApplication>(adapter, { logger: false });
  app.useGlobalFilters(new ErrorFilter(log));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  readiness.enter('running');
  const call: Gateway['call'] = async (method, url, payload) => {
    const answer = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return { status: answer.statusCode, contentType: answer.headers['content-type'], body: JSON.parse(answer.body) as Record<string, unknown> };
  };
  return {
    app,
    messaging,
    call,
    predict: (instances, name = model) => call('POST', `/v1/models/${name}/predict`, JSON.stringify({ instances })),
    stop: async () => {
      await app.close();
      await messaging.stop();
    },
  };
}
