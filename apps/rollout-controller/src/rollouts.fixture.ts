import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import {
  matches, outcomeObserved, parseModelSpec, routeChanged, specChanged, stepDecided, verdictIssued, versionRegistered,
  type OutcomeObserved, type RouteChanged, type StepDecided, type VersionRegistered,
} from '@millrace/contracts';
import { createRingTopics, decodeEvent, Messaging, MillraceTransport, type OutgoingMessage } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { query } from '@millrace/persistence';
import { ErrorFilter, Readiness, ServiceLog } from '@millrace/service';
import { eventually, openTestDatabase, type TestDatabase } from '@millrace/testing';
import { Rollouts1700000900000 } from './migrations/0001-rollouts.js';
import { RolloutControllerModule } from './rollout-controller.module.js';

@Global()
@Module({})
class FixturePlatform {
  static with(messaging: Messaging, database: DataSource): DynamicModule {
    const providers = [
      { provide: Messaging, useValue: messaging },
      { provide: DataSource, useValue: database },
      { provide: ServiceLog, useValue: new ServiceLog('rollout-controller', 'fatal') },
      { provide: Readiness, useValue: new Readiness() },
    ];
    return { module: FixturePlatform, providers, exports: providers };
  }
}

export const model = 'late-flights';
const armPolicy = { share: 0.5, rowsMin: 40, lossMargin: 0.1, duration: 'P30D' };
export const spec = parseModelSpec({
  apiVersion: 'millrace/v1',
  kind: 'Model',
  metadata: { name: model },
  spec: {
    task: 'binary',
    stream: 'flights',
    features: [{ name: 'distance', type: 'number' }],
    label: { field: 'late', positive: true },
    trainer: { name: 'tabular', algorithm: 'lightgbm' },
    rollout: { lossMargin: 0.02, shadow: { pairsMin: 40, duration: 'P30D' }, canary: armPolicy, ab: armPolicy },
  },
});

const signature: VersionRegistered['signature'] = { inputs: [{ name: 'distance', datatype: 'FP32', shape: [-1, 1] }], outputs: [], task: 'binary', classes: ['false', 'true'], positiveIndex: 1 };
const stepMs = 60_000;
const startMs = Date.parse('2013-03-01T00:00:00Z');

/** The service over the memory twin of Kafka and a PostgreSQL database of its own; it plays the ring around it. */
export class RolloutRing {
  readonly log = new MemoryDriver();
  app!: NestFastifyApplication;
  private messaging!: Messaging;
  private records = 0;
  private looks = 0;

  private constructor(readonly database: TestDatabase) {}

  static async open(): Promise<RolloutRing> {
    const ring = new RolloutRing(await openTestDatabase('rollout_controller', [Rollouts1700000900000]));
    await createRingTopics(ring.log, 2);
    await ring.start();
    return ring;
  }

  async start(): Promise<void> {
    this.messaging = new Messaging({ service: 'rollout-controller', driver: this.log, database: this.database.source, now: () => new Date(), log: { warn: () => undefined } });
    const built = await Test.createTestingModule({ imports: [FixturePlatform.with(this.messaging, this.database.source), RolloutControllerModule.with({ stepEveryOutcomes: 50 })] }).compile();
    this.app = built.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    this.app.useGlobalFilters(new ErrorFilter(new ServiceLog('rollout-controller', 'fatal')));
    this.app.connectMicroservice<MicroserviceOptions>({ strategy: new MillraceTransport(this.messaging, 'rollout-controller') }, { inheritAppConfig: true });
    await this.app.init();
    await this.app.startAllMicroservices();
    this.messaging.startOutbox();
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.messaging.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.database.drop();
  }

  async announceSpec(): Promise<void> {
    await this.publish([this.messaging.encode(specChanged, { model, revision: 1, sha256: '0'.repeat(64), spec, changedAt: '2013-03-01T00:00:00Z' }, { key: model })]);
  }

  async register(version: string, change: Partial<VersionRegistered> = {}): Promise<void> {
    const data: VersionRegistered = {
      model, version, source: 'pipeline', runId: 'run', datasetVersion: null, specRevision: 1, artifact: { sha256: version.padStart(64, '0').replace(/[^0-9a-f]/g, 'a'), sizeBytes: 1 }, signature,
      metrics: [], gate: { outcome: 'passed', checks: [] }, reference: null, registeredAt: '2013-03-01T00:00:00Z', ...change,
    };
    await this.publish([this.messaging.encode(versionRegistered, data, { key: model })]);
    await this.settled(versionRegistered.type, 'versions');
  }

  /** What the gateway and the joining would tell of `count` records under the route in force. `champion` and `candidate`: what each says with certainty of the truth. */
  async observe(count: number, said: { champion: number; candidate: number }, change: (outcome: OutcomeObserved) => OutcomeObserved = (outcome) => outcome): Promise<OutgoingMessage[]> {
    const route = await this.route();
    const messages = Array.from({ length: count }, () => {
      const number = (this.records += 1);
      return this.messaging.encode(outcomeObserved, change(this.outcome(route, number, said)), { key: `record-${number}`, id: `outcome:record-${number}` });
    });
    await this.publish(messages);
    await this.settled(outcomeObserved.type, 'outcomes');
    return messages;
  }

  async failPerformance(version: string): Promise<void> {
    const data = { verdictId: `verdict:${version}`, model, version, kind: 'performance' as const, window: { from: '2013-03-01T00:00:00Z', to: '2013-03-02T00:00:00Z' }, watermark: '2013-03-02T00:00:00Z', outcome: 'failed' as const, rows: 100, findings: [], offsets: [] };
    await this.publish([this.messaging.encode(verdictIssued, data, { key: model })]);
    await this.settled(verdictIssued.type, 'verdicts');
  }

  /** Sets Kafka’s idea of the groups’ positions back to the beginning. */
  async forgetOffsets(...groups: readonly (readonly [topic: string, purpose: string])[]): Promise<void> {
    const producer = await this.log.transactionalProducer('forget');
    for (const [topic, purpose] of groups) {
      for (const { partition } of await this.log.watermarks(topic)) await producer.transact([], { group: `rollout-controller.${purpose}`, topic, partition, offset: 0 });
    }
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    await (await this.log.producer()).send(messages);
  }

  async call(method: 'GET' | 'POST', url: string, payload?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await this.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, unknown> };
  }

  /** As the service tells it. */
  async route(): Promise<RouteChanged> {
    const { body } = await this.call('GET', `/v1/models/${model}/route`);
    if (!matches(routeChanged.schema, body)) throw new Error(`no route: ${JSON.stringify(body)}`);
    return body;
  }

  async published(): Promise<{ routes: RouteChanged[]; steps: StepDecided[] }> {
    await eventually('the outbox is empty', async () => (await query(this.database.source, 'SELECT 1 FROM outbox')).length === 0);
    const read = async <T>(topic: string, decode: (delivery: Parameters<typeof decodeEvent>[1]) => T): Promise<T[]> => {
      const found: T[] = [];
      const goal = (await this.log.watermarks(topic)).reduce((sum, { high }) => sum + high, 0);
      const consumption = await this.log.consume({ group: `look-${(this.looks += 1)}`, topics: [topic], onBatch: async (deliveries) => void found.push(...deliveries.map(decode)) });
      await eventually(`${topic} is read`, () => found.length === goal || undefined);
      await consumption.stop();
      return found;
    };
    return {
      routes: await read(routeChanged.type, (delivery) => decodeEvent(routeChanged, delivery).data),
      steps: await read(stepDecided.type, (delivery) => decodeEvent(stepDecided, delivery).data),
    };
  }

  /** Everything that stands in the topic has been folded by the group. */
  private async settled(topic: string, purpose: string): Promise<void> {
    const goal = (await this.log.watermarks(topic)).reduce((sum, { high }) => sum + high, 0);
    await eventually(`${topic} is folded`, async () => {
      const [row] = await query<{ folded: string }>(this.database.source, 'SELECT coalesce(sum(next_offset), 0) AS folded FROM fold_offset WHERE consumer_group = $1 AND topic = $2', [`rollout-controller.${purpose}`, topic]);
      return Number(row?.folded) === goal;
    });
  }

  private outcome(route: RouteChanged, number: number, said: { champion: number; candidate: number }): OutcomeObserved {
    const label = number % 2 === 0;
    const instant = new Date(startMs + number * stepMs).toISOString();
    const prediction = (arm: 'champion' | 'candidate', role: 'primary' | 'shadow'): OutcomeObserved['predictions'][number] => ({
      predictionId: `p-${number}-${arm}`, requestId: `q-${number}`, version: (arm === 'champion' ? route.champion : (route.candidate ?? route.champion)).version, role, arm, unit: `u-${number}`, eventTime: instant,
      routeRevision: route.revision, output: { probability: label ? said[arm] : 1 - said[arm] }, position: { topic: 'inference.prediction-served.v1', partition: 0, offset: number },
    });
    const answering = route.phase !== 'full' && route.phase !== 'shadow' && number % 4 < 2 ? 'candidate' : 'champion';
    const predictions = [prediction(answering, 'primary'), ...(route.candidate?.mirror === true ? [prediction(answering === 'champion' ? 'candidate' : 'champion', 'shadow')] : [])];
    return { model, recordId: `record-${number}`, label, labelEventTime: instant, labelPosition: { topic: 'validation.label-admitted.v1', partition: 0, offset: number }, predictions };
  }
}
