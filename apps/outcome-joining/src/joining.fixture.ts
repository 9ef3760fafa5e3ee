import { randomUUID } from 'node:crypto';
import { labelAdmitted, outcomeObserved, parseModelSpec, predictionServed, specChanged, type DataOf, type EventDefinition, type LabelAdmitted, type OutcomeObserved, type PredictionServed } from '@millrace/contracts';
import { createRingTopics, decodeEvent, encodeEvent, Messaging, type FoldBatch, type OutgoingMessage, type Received } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { inTransaction } from '@millrace/persistence';
import { ServiceLog } from '@millrace/service';
import { eventually, openTestDatabase, SilentLog, type TestDatabase } from '@millrace/testing';
import type { DataSource } from 'typeorm';
import { ExpirePredictionsTask } from './expire-predictions.task.js';
import { JoinLabelsHandler } from './join-labels.handler.js';
import { JoinPredictionsHandler } from './join-predictions.handler.js';
import { LabelAdmittedConsumer } from './label-admitted.consumer.js';
import { OpenPredictions1700000400000 } from './migrations/0001-open-predictions.js';
import { ModelSpecs } from './model-specs.js';
import { PredictionServedConsumer } from './prediction-served.consumer.js';
import { PredictionStore } from './prediction.store.js';
import { PredictionsController } from './predictions.controller.js';
import { RecordStore } from './record.store.js';
import { StreamClockStore } from './stream-clock.store.js';
import { StreamClocks } from './stream-clocks.js';
import { TallyStore } from './tally.store.js';

export const model = 'late-flights';
export const stream = 'flights';
const startMs = Date.UTC(2026, 0, 1);

/** An event time, hours after the beginning of the story. */
export const hour = (hours: number): string => new Date(startMs + hours * 3_600_000).toISOString();

export function prediction(recordId: string, hours: number, options: Partial<PredictionServed> = {}): PredictionServed {
  const role = options.role ?? 'primary';
  return {
    model, recordId, predictionId: `${recordId}/${role}`, requestId: recordId, version: role === 'primary' ? '1' : '2', role, arm: role === 'primary' ? 'champion' : 'candidate', unit: recordId,
    eventTime: hour(hours), routeRevision: 1, output: { label: true, probability: 0.7 }, armProbability: 1, servedAt: hour(hours), features: { distance: 1 }, latencyMs: 1, ...options,
  };
}

export function label(recordId: string, hours: number, value: Record<string, unknown> = { late: true }): LabelAdmitted {
  return { stream, kind: 'label', recordId, eventTime: hour(hours), contractVersion: '1', value, origin: { via: 'http', requestId: recordId, index: 0 }, replay: null };
}

/** An event as a fold gets it, for handlers that are called directly. */
export function received<Data>(data: Data, topic: string, offset: number, partition = 0): Received<Data> {
  return { data, id: `${topic}@${offset}`, time: hour(0), key: 'key', traceparent: undefined, topic, partition, offset };
}

function spec(name: string, fairness: readonly object[] = []): ReturnType<typeof parseModelSpec> {
  return parseModelSpec({
    apiVersion: 'millrace/v1', kind: 'Model', metadata: { name },
    spec: { task: 'binary', stream, features: [{ name: 'distance', type: 'number' }], label: { field: 'late', maximumDelay: 'PT48H' }, trainer: { name: 'tabular', algorithm: 'lightgbm' }, monitoring: { fairness } },
  });
}

/** The room as its module wires it, over the memory log and the real PostgreSQL. */
export class JoiningRoom {
  readonly log = new SilentLog();
  now = new Date(startMs);
  private readonly started: Messaging[] = [];
  private constructor(
    readonly driver: MemoryDriver,
    readonly database: TestDatabase,
  ) {}

  static async open(partitions = 2): Promise<JoiningRoom> {
    const driver = new MemoryDriver();
    await createRingTopics(driver, partitions);
    const room = new JoiningRoom(driver, await openTestDatabase('outcome_joining', [OpenPredictions1700000400000]));
    await room.send(specChanged, { model, revision: 1, sha256: 'a'.repeat(64), spec: spec(model), changedAt: hour(0) });
    return room;
  }

  /** For instances that start later. */
  async judgeGroups(...by: string[]): Promise<void> {
    await this.send(specChanged, { model, revision: 2, sha256: 'b'.repeat(64), spec: spec(model, by.map((field) => ({ by: field }))), changedAt: hour(0) });
  }

  async close(): Promise<void> {
    // In order of their start: a later instance waits for the outbox lock of an earlier one.
    for (const messaging of this.started) await messaging.stop();
    await this.driver.close();
    await this.database.drop();
  }

  async send<D extends EventDefinition>(event: D, ...data: DataOf<D>[]): Promise<void> {
    const producer = await this.driver.producer();
    await producer.send(data.map((value) => encodeEvent(event, value, { key: keyOf(value), source: '/millrace/test', time: hour(0), id: randomUUID() })));
  }

  async instance(source: DataSource = this.database.source): Promise<JoiningInstance> {
    const messaging = new Messaging({ service: 'outcome-joining', driver: this.driver, database: source, now: () => this.now, log: this.log });
    this.started.push(messaging);
    const specs = new ModelSpecs(messaging);
    await specs.onApplicationBootstrap();
    return new JoiningInstance(source, messaging, specs);
  }

  /** Every outcome published so far, read as a consumer of committed records would. */
  async outcomes(atLeast: number): Promise<Received<OutcomeObserved>[]> {
    const seen: Received<OutcomeObserved>[] = [];
    const consumption = await this.driver.consume({ group: randomUUID(), topics: [outcomeObserved.type], onBatch: async (batch) => void seen.push(...batch.map((delivery) => decodeEvent(outcomeObserved, delivery))) });
    await eventually(`${atLeast} outcomes, saw ${seen.length}`, () => seen.length >= atLeast);
    await consumption.stop();
    return seen;
  }
}

const keyOf = (value: unknown): string => (typeof value === 'object' && value !== null && 'recordId' in value ? String(value.recordId) : model);
const settings = { idleSeconds: 15, expireEveryMs: 3_600_000, retentionDays: 90, specPatienceSeconds: 10 };

export class JoiningInstance {
  readonly predictionStore: PredictionStore;
  readonly joinPredictions: JoinPredictionsHandler;
  readonly joinLabels: JoinLabelsHandler;
  readonly expiry: ExpirePredictionsTask;
  readonly edge: PredictionsController;

  constructor(
    private readonly database: DataSource,
    readonly messaging: Messaging,
    specs: ModelSpecs,
  ) {
    const [records, clock, tallies] = [new RecordStore(), new StreamClockStore(database), new TallyStore(database)];
    const clocks = new StreamClocks(clock, messaging, settings);
    this.predictionStore = new PredictionStore(database);
    this.joinPredictions = new JoinPredictionsHandler(messaging, specs, records, this.predictionStore, clock, tallies, settings);
    this.joinLabels = new JoinLabelsHandler(messaging, specs, records, this.predictionStore, clock, tallies);
    this.expiry = new ExpirePredictionsTask(database, messaging, this.predictionStore, records, clocks, tallies, settings, new ServiceLog('outcome-joining', 'fatal'));
    this.edge = new PredictionsController(this.predictionStore, tallies, clocks, specs);
  }

  /** `afterEach` runs inside the transaction, after the handler: where it throws, the process may be imagined to die. */
  async start(afterEach: (purpose: 'predictions' | 'labels') => void = () => undefined): Promise<this> {
    const [predictions, labels] = [new PredictionServedConsumer(this.joinPredictions), new LabelAdmittedConsumer(this.joinLabels)];
    const after = async (purpose: 'predictions' | 'labels', work: Promise<OutgoingMessage[]>): Promise<OutgoingMessage[]> => {
      const messages = await work;
      afterEach(purpose);
      return messages;
    };
    await this.messaging.fold('predictions', { event: predictionServed, apply: (events, transaction) => after('predictions', predictions.fold({ events, transaction })) });
    await this.messaging.fold('labels', { event: labelAdmitted, apply: (events, transaction) => after('labels', labels.fold({ events, transaction })) });
    this.messaging.startOutbox();
    return this;
  }

  foldPredictions(events: FoldBatch<typeof predictionServed>['events']): Promise<OutgoingMessage[]> {
    return inTransaction(this.database, (transaction) => this.joinPredictions.handle(events, transaction));
  }

  foldLabels(events: FoldBatch<typeof labelAdmitted>['events']): Promise<OutgoingMessage[]> {
    return inTransaction(this.database, (transaction) => this.joinLabels.handle(events, transaction));
  }

  /** Waits until the account says so; answers it. */
  async settled(expected: Record<string, number>): Promise<Record<string, unknown>> {
    let last: unknown;
    return eventually(`the account ${JSON.stringify(expected)}`, async () => {
      const account = { ...(await this.edge.accounting(model)) } as Record<string, unknown>;
      last = account;
      return Object.entries(expected).every(([name, count]) => account[name] === count) ? account : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; last seen ${JSON.stringify(last)}`);
    });
  }
}
