import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  canonicalJson, matches, outcomeObserved, parseModelSpec, routeChanged, sha256Hex, specChanged, stepDecided, verdictIssued, versionRegistered,
  type ModelSpec, type OutcomeObserved, type RouteChanged, type StepDecided, type VersionRegistered,
} from '@millrace/contracts';
import { createRingTopics, decodeEvent, Messaging, type LogDriver, type OutgoingMessage } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { query } from '@millrace/persistence';
import { openInProcess } from '@millrace/service/testing';
import { eventually, openTestDatabase, type TestDatabase } from '@millrace/testing';
import { Rollouts1700000900000 } from './migrations/0001-rollouts.js';
import { Readings1700000910000 } from './migrations/0002-readings.js';
import { Guards1700000930000 } from './migrations/0003-guards.js';
import { LateLabels1700000940000 } from './migrations/0004-late-labels.js';
import { CandidatesAtOnce1700000950000 } from './migrations/0005-candidates-at-once.js';
import { CountedUnits1700000960000 } from './migrations/0006-counted-units.js';
import { GuardBatches1700000970000 } from './migrations/0007-guard-batches.js';
import { RolloutControllerModule } from './rollout-controller.module.js';

export const model = 'late-flights';
const armPolicy = { share: 0.5, rowsMin: 40, lossMargin: 0.1, duration: 'P30D' };
const standardRollout = { lossMargin: 0.02, shadow: { pairsMin: 40, duration: 'P30D' }, canary: armPolicy, ab: armPolicy };
export const specOf = (name: string, rollout: object = standardRollout): ModelSpec => parseModelSpec({
  apiVersion: 'millrace/v1',
  kind: 'Model',
  metadata: { name },
  spec: {
    task: 'binary',
    stream: 'flights',
    features: [{ name: 'distance', type: 'number' }, { name: 'carrier', type: 'category' }],
    label: { field: 'late', positive: true },
    trainer: { name: 'tabular', algorithm: 'lightgbm' },
    rollout,
  },
});

const signature: VersionRegistered['signature'] = { inputs: [{ name: 'distance', datatype: 'FP32', shape: [-1, 1] }], outputs: [], task: 'binary', classes: ['false', 'true'], positiveIndex: 1 };
const stepMs = 60_000;
const startMs = Date.parse('2013-03-01T00:00:00Z');

/** The service over the memory twin of Kafka and a PostgreSQL database of its own; it plays the ring around it. */
export class RolloutRing {
  readonly registered = new Map<string, VersionRegistered>();
  app!: NestFastifyApplication;
  private messaging!: Messaging;
  private records = 0;
  private looks = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly log: LogDriver,
    readonly model: string,
    private readonly service: string,
    private readonly rollout?: object,
  ) {}

  /** On a broker that others use too, a ring needs names of its own. */
  static async open({ log = new MemoryDriver(), name, rollout }: { log?: LogDriver; name?: string; rollout?: object } = {}): Promise<RolloutRing> {
    const database = await openTestDatabase('rollout_controller', [Rollouts1700000900000, Readings1700000910000, Guards1700000930000, LateLabels1700000940000, CandidatesAtOnce1700000950000, CountedUnits1700000960000, GuardBatches1700000970000]);
    const ring = name === undefined ? new RolloutRing(database, log, model, 'rollout-controller', rollout) : new RolloutRing(database, log, name, `rollout-controller-${name}`, rollout);
    await createRingTopics(log, 2);
    await ring.start();
    return ring;
  }

  async start(): Promise<void> {
    this.messaging = new Messaging({ service: this.service, driver: this.log, database: this.database.source, now: () => new Date(), log: { warn: () => undefined } });
    this.app = await openInProcess('rollout-controller', RolloutControllerModule.with({ stepEveryOutcomes: 50 }), { messaging: this.messaging, database: this.database.source });
  }

  /** What the registry would say: the spec by its revision, and versions. */
  registryAnswer(path: string): unknown {
    const model = `/v1/models/${this.model}`;
    if (path === `${model}/specs/1`) return { model: this.model, revision: 1, sha256: sha256Hex(canonicalJson(this.spec)), spec: this.spec, changedAt: '2013-03-01T00:00:00Z' };
    return path.startsWith(`${model}/versions/`) ? this.registered.get(path.slice(`${model}/versions/`.length)) : undefined;
  }

  /** For those who ask over HTTP from outside. */
  async listen(): Promise<string> {
    await this.app.listen(0, '127.0.0.1');
    return this.app.getUrl();
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.messaging.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.database.drop();
  }

  get spec(): ModelSpec {
    return specOf(this.model, this.rollout);
  }

  async announceSpec(): Promise<void> {
    await this.publish([this.messaging.encode(specChanged, { model: this.model, revision: 1, sha256: sha256Hex(canonicalJson(this.spec)), spec: this.spec, changedAt: '2013-03-01T00:00:00Z' }, { key: this.model })]);
  }

  async register(version: string, change: Partial<VersionRegistered> = {}): Promise<void> {
    const data: VersionRegistered = {
      model: this.model, version, source: 'pipeline', runId: 'run', datasetVersion: null, specRevision: 1, artifact: { sha256: version.padStart(64, '0').replace(/[^0-9a-f]/g, 'a'), sizeBytes: 1 }, signature,
      metrics: [], gate: { outcome: 'passed', checks: [] }, reference: null, registeredAt: '2013-03-01T00:00:00Z', ...change,
    };
    this.registered.set(version, data);
    await this.publish([this.messaging.encode(versionRegistered, data, { key: this.model })]);
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
    const data = { verdictId: `verdict:${version}`, model: this.model, version, kind: 'performance' as const, window: { from: '2013-03-01T00:00:00Z', to: '2013-03-02T00:00:00Z' }, watermark: '2013-03-02T00:00:00Z', outcome: 'failed' as const, rows: 100, findings: [], offsets: [] };
    await this.publish([this.messaging.encode(verdictIssued, data, { key: this.model })]);
    await this.settled(verdictIssued.type, 'verdicts');
  }

  /** Sets Kafka’s idea of the groups’ positions back to the beginning. */
  async forgetOffsets(...groups: readonly (readonly [topic: string, purpose: string])[]): Promise<void> {
    const producer = await this.log.transactionalProducer('forget');
    for (const [topic, purpose] of groups) {
      for (const { partition } of await this.log.watermarks(topic)) await producer.transact([], { group: this.messaging.group(purpose), topic, partition, offset: 0 });
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
    const { body } = await this.call('GET', `/v1/models/${this.model}/route`);
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

  /** Everything that stands in the topic has been folded by the group; on a broker that others use too, more may come meanwhile. */
  private async settled(topic: string, purpose: string): Promise<void> {
    const goals = (await this.log.watermarks(topic)).filter(({ high }) => high > 0);
    await eventually(`${topic} is folded`, async () => {
      const rows = await query<{ partition: number; next: string }>(this.database.source, 'SELECT partition, next_offset AS next FROM fold_offset WHERE consumer_group = $1 AND topic = $2', [this.messaging.group(purpose), topic]);
      const folded = new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
      return goals.every(({ partition, high }) => (folded.get(partition) ?? 0) >= high);
    });
  }

  private outcome(route: RouteChanged, number: number, said: { champion: number; candidate: number }): OutcomeObserved {
    const label = number % 2 === 0;
    const instant = new Date(startMs + number * stepMs).toISOString();
    const prediction = (arm: 'champion' | 'candidate', role: 'primary' | 'shadow'): OutcomeObserved['predictions'][number] => ({
      predictionId: `p-${number}-${arm}`, requestId: `q-${number}`, version: (arm === 'champion' ? route.champion : (route.candidate ?? route.champion)).version, role, arm, unit: `u-${number}`, eventTime: instant,
      routeRevision: route.revision, output: { probability: label ? said[arm] : 1 - said[arm] }, position: { topic: 'inference.prediction-served.v1', partition: 0, offset: number },
    });
    // Exactly in its share, and as often with one label as with the other.
    const share = route.candidate?.share ?? 0;
    const answering = share > 0 && number % Math.round(2 / share) < 2 ? 'candidate' : 'champion';
    const predictions = [prediction(answering, 'primary'), ...(route.candidate?.mirror === true ? [prediction(answering === 'champion' ? 'candidate' : 'champion', 'shadow')] : [])];
    return { model: this.model, recordId: `record-${number}`, label, labelEventTime: instant, labelPosition: { topic: 'validation.label-admitted.v1', partition: 0, offset: number }, predictions };
  }
}
