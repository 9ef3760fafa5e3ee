import { randomUUID } from 'node:crypto';
import { canonicalJson, outcomeObserved, parseModelSpec, predictionExplained, predictionServed, sha256Hex, specChanged, verdictIssued, versionRegistered, type ModelSpec, type OutcomeObserved, type PredictionExplained, type PredictionServed, type SpecChanged, type VerdictIssued, type VersionRegistered } from '@millrace/contracts';
import { attributionCounts, emptyAttributions, observeAttributions, referenceCounts, referenceParts, referenceSample, serialiseReferenceParts, serialiseRowSample, type PartsWanted } from '@millrace/core/drift';
import { calibrationOf, validationErrors } from '@millrace/core/performance';
import { emptyPerformance, metricsOf, observeOutcome, serialiseFeatureCounts, type PerformanceSums } from '@millrace/core/statistics';
import { createRingTopics, decodeEvent, encodeEvent, Messaging, type LogDriver, type OutgoingMessage } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { query } from '@millrace/persistence';
import { ServiceLog } from '@millrace/service';
import { eventually, openTestDatabase, seeded, SilentLog, type TestDatabase } from '@millrace/testing';
import type { DataSource } from 'typeorm';
import { CloseWindowsTask } from './close-windows.task.js';
import { ClosingStore } from './closing.store.js';
import { WindowPanes1700000500000 } from './migrations/0001-window-panes.js';
import { MinutePanes1700000500020 } from './migrations/0002-minute-panes.js';
import { OutcomeMonitoring1700000500030 } from './migrations/0003-outcome-monitoring.js';
import { VerdictInputs1700000500040 } from './migrations/0004-verdict-inputs.js';
import { ErrorWatchStore } from './error-watch.store.js';
import { JudgeAttributionsHandler } from './judge-attributions.handler.js';
import { JudgeInputsHandler } from './judge-inputs.handler.js';
import { JudgeOutcomesHandler } from './judge-outcomes.handler.js';
import { LabelHistoryStore } from './label-history.store.js';
import { MonitoredModels } from './monitored-models.js';
import { OutcomeObservedConsumer } from './outcome-observed.consumer.js';
import { PaneStore } from './pane.store.js';
import { PredictionExplainedConsumer } from './prediction-explained.consumer.js';
import { PredictionServedConsumer } from './prediction-served.consumer.js';
import { ReferenceStore } from './reference.store.js';
import { References } from './references.js';
import { VerdictStore } from './verdict.store.js';
import { VerdictsController } from './verdicts.controller.js';
import { VersionRegisteredConsumer } from './version-registered.consumer.js';
import { WatchFreshnessTask } from './watch-freshness.task.js';
import { WatchErrorsTask } from './watch-errors.task.js';
import { Watermarks } from './watermarks.js';

export const model = 'late-flights';
const startMs = Date.UTC(2026, 0, 1);
export const hour = (hours: number): string => new Date(startMs + hours * 3_600_000).toISOString();

export interface Flight {
  readonly recordId: string;
  readonly hours: number;
  readonly distance: number | null;
  readonly carrier: string;
  readonly probability: number;
  readonly late: boolean;
}

/** Flights spread evenly over [from, to) hours. Clean: uniform distances, two carriers, scores that are right (late with probability `score`). */
export function flights(count: number, from: number, to: number, seed: number, change: (flight: Flight) => Flight = (flight) => flight): Flight[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => {
    const probability = random();
    const flight = { recordId: `f${seed}-${index}`, hours: from + ((to - from) * index) / count, distance: random() * 1_000, carrier: random() < 0.7 ? 'AA' : 'UA', probability, late: random() < probability };
    return change(flight);
  });
}

export function prediction({ recordId, hours, distance, carrier, probability }: Flight, version = '1', role: 'primary' | 'shadow' = 'primary'): PredictionServed {
  return {
    model, recordId, predictionId: `${recordId}/${role}`, requestId: recordId, version, role, arm: 'champion', unit: recordId, eventTime: hour(hours), routeRevision: 1,
    output: { label: probability >= 0.5, probability }, armProbability: 1, servedAt: hour(hours), features: { distance, carrier }, latencyMs: 1,
  };
}

/** A score that rests on the distance, and on the carrier as much as `carrierWeight` says. */
export function explained(flight: Flight, carrierWeight = 0.25, version = '1'): PredictionExplained {
  const { recordId, hours, distance, carrier } = flight;
  const contributions = { distance: (distance ?? 500) / 500 - 1, carrier: carrierWeight * (carrier === 'AA' ? 1 : -1) };
  return { model, recordId, predictionId: prediction(flight, version).predictionId, version, eventTime: hour(hours), method: 'tree-path-dependent', unit: 'log-odds', class: 'true', base: 0, output: contributions.distance + contributions.carrier, contributions, explainedAt: hour(hours) };
}

export function outcome(flight: Flight, version = '1'): OutcomeObserved {
  const { model: _, armProbability: _a, servedAt: _s, features: _f, latencyMs: _l, recordId, ...served } = prediction(flight, version);
  const position = { topic: 'validation.label-admitted.v1', partition: 0, offset: 0 };
  return { model, recordId, label: flight.late, labelEventTime: hour(flight.hours), labelPosition: position, predictions: [{ ...served, position }] };
}

const features = [{ name: 'distance', type: 'number' }, { name: 'carrier', type: 'category' }] as const;

const countsOf = (kind: 'number' | 'category', values: readonly unknown[]) => ({ v: 2, kind, counts: Buffer.from(serialiseFeatureCounts(referenceCounts(kind, values))).toString('base64') });

function validated(sums: PerformanceSums, training: readonly Flight[]): Pick<NonNullable<VersionRegistered['reference']>, 'calibration' | 'errors'> {
  const { positives, negatives } = calibrationOf(sums) ?? { positives: [], negatives: [] };
  const errors = validationErrors('binary', training.map(({ probability, late }) => ({ said: { probability }, label: late })), null);
  return { calibration: { positives: [...positives], negatives: [...negatives] }, ...(errors === null ? {} : { errors }) };
}

function attributionsOf(rows: readonly Flight[]): NonNullable<NonNullable<VersionRegistered['reference']>['attributions']> {
  const state = emptyAttributions(false);
  for (const flight of rows) observeAttributions(state, flight.recordId, explained(flight).contributions);
  return attributionCounts(state);
}

/** The sample and the parts that a spec with these segments and season leaves of the training rows. */
function samplesOf(training: readonly Flight[], wanted: PartsWanted): Pick<NonNullable<VersionRegistered['reference']>, 'sample' | 'parts'> {
  const rows = training.map(({ recordId, hours, distance, carrier, probability }) => ({ recordId, eventTimeMs: Date.parse(hour(hours)), features: { distance, carrier }, output: probability }));
  const sample = referenceSample(['distance', 'carrier'], rows, wanted.reference?.season);
  const parts = referenceParts(wanted, features, 'number', rows, rows);
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return { sample: base64(serialiseRowSample(sample)), ...(parts === null ? {} : { parts: base64(serialiseReferenceParts(parts)) }) };
}

export function registered(version: string, withReference = true, wanted: PartsWanted = {}): VersionRegistered {
  const training = flights(4_000, 0, 24, 99);
  const sums = emptyPerformance('binary');
  for (const { probability, late } of training) observeOutcome(sums, { label: probability >= 0.5, probability }, late);
  const metrics = metricsOf(sums).map(({ name, value, n, low, high }) => ({ name, slice: 'overall', value, n, low, high }));
  const reference: VersionRegistered['reference'] = {
    rows: training.length,
    features: { distance: countsOf('number', training.map(({ distance }) => distance)), carrier: countsOf('category', training.map(({ carrier }) => carrier)) },
    output: countsOf('number', training.map(({ probability }) => probability)),
    ...samplesOf(training, wanted),
    metrics,
    attributions: attributionsOf(training.slice(0, 1_000)),
    ...validated(sums, training),
  };
  return {
    model, version, source: withReference ? 'pipeline' : 'manual', runId: null, datasetVersion: null, specRevision: 1, artifact: { sha256: 'b'.repeat(64), sizeBytes: 1 },
    signature: { inputs: [], outputs: [], task: 'binary', classes: ['false', 'true'], positiveIndex: 1 }, metrics, gate: { outcome: 'passed', checks: [] },
    reference: withReference ? reference : null, registeredAt: hour(0),
  };
}

const specWith = (name: string, monitoring: object): ModelSpec =>
  parseModelSpec({
    apiVersion: 'millrace/v1', kind: 'Model', metadata: { name },
    spec: {
      task: 'binary', stream: 'flights', features, label: { field: 'late' },
      trainer: { name: 'tabular', algorithm: 'lightgbm' },
      monitoring: { window: 'P1D', lateness: 'PT1H', rowsMin: 200, performance: [{ metric: 'auc', worseByMax: 0.05 }, { metric: 'brier', worseByMax: 0.05 }], ...monitoring },
    },
  });

export interface Pace {
  readonly saveEveryMs: number;
  readonly saveEveryRecords: number;
  readonly patienceSeconds?: number;
}

/** The room as its module wires it, over the memory log with two partitions and the real PostgreSQL. */
export class MonitoringRoom {
  readonly log = new SilentLog();
  now = new Date(startMs);
  private readonly started: Messaging[] = [];

  private constructor(
    readonly driver: LogDriver,
    readonly database: TestDatabase,
    readonly model: string,
    private readonly service: string,
  ) {}

  /** On a broker that others use too, a room needs names of its own. */
  static async open({ driver = new MemoryDriver(), name }: { driver?: LogDriver; name?: string } = {}): Promise<MonitoringRoom> {
    await createRingTopics(driver, 2);
    const room = new MonitoringRoom(driver, await openTestDatabase('drift_monitoring', [WindowPanes1700000500000, MinutePanes1700000500020, OutcomeMonitoring1700000500030, VerdictInputs1700000500040]), name ?? model, name === undefined ? 'drift-monitoring' : `drift-monitoring-${name}`);
    if (name !== undefined) await room.passOver();
    await room.watch({});
    return room;
  }

  spec(monitoring: object = {}): SpecChanged {
    const spec = specWith(this.model, monitoring);
    return { model: this.model, revision: 1, sha256: sha256Hex(canonicalJson(spec)), spec, changedAt: hour(0) };
  }

  /** What others have left in the topics is none of this room’s. */
  private async passOver(): Promise<void> {
    for (const [topic, purpose] of [[predictionServed.type, 'predictions'], [predictionExplained.type, 'explanations'], [outcomeObserved.type, 'outcomes']] as const) {
      for (const { partition, high } of await this.driver.watermarks(topic)) await query(this.database.source, 'INSERT INTO fold_offset (consumer_group, topic, partition, next_offset) VALUES ($1, $2, $3, $4)', [`${this.service}.${purpose}`, topic, partition, high]);
    }
  }

  async close(): Promise<void> {
    for (const messaging of this.started) await messaging.stop();
    await this.driver.close();
    await this.database.drop();
  }

  async instance(pace: Pace = { saveEveryMs: 50, saveEveryRecords: 10_000 }, source: DataSource = this.database.source): Promise<MonitoringInstance> {
    const messaging = new Messaging({ service: this.service, driver: this.driver, database: source, now: () => this.now, log: this.log });
    this.started.push(messaging);
    const instance = new MonitoringInstance(source, messaging, pace);
    await instance.start();
    return instance;
  }

  /** Members of `monitoring` beside the usual ones; for instances that start later. */
  async watch(monitoring: object): Promise<void> {
    await this.publish([this.encode(specChanged, this.spec(monitoring), this.model)]);
  }

  async register(...versions: VersionRegistered[]): Promise<void> {
    await this.publish(versions.map((version) => this.encode(versionRegistered, version, this.model)));
    await eventually('the references', async () => (await query(this.database.source, 'SELECT 1 FROM reference WHERE model = $1', [this.model])).length >= versions.length);
  }

  async predictions(...events: PredictionServed[]): Promise<void> {
    await this.publish(events.map((event) => this.encode(predictionServed, event, event.recordId)));
  }

  async explanations(...events: PredictionExplained[]): Promise<void> {
    await this.publish(events.map((event) => this.encode(predictionExplained, event, event.recordId)));
  }

  async outcomes(...events: OutcomeObserved[]): Promise<void> {
    await this.publish(events.map((event) => this.encode(outcomeObserved, event, event.recordId)));
  }

  /** Sends it, and tells the partition that the log has given it. */
  async partitionOf(event: PredictionServed): Promise<number> {
    const before = new Map((await this.driver.watermarks(predictionServed.type)).map(({ partition, high }) => [partition, high]));
    await this.predictions(event);
    return (await this.driver.watermarks(predictionServed.type)).find(({ partition, high }) => high > (before.get(partition) ?? 0))?.partition ?? -1;
  }

  /** Waits until everything sent so far is saved: then the wall clock moves on by the save interval in each look. */
  async allSaved(): Promise<void> {
    const goals: { group: string; partition: number; high: number }[] = [];
    for (const [topic, purpose] of [[predictionServed.type, 'predictions'], [predictionExplained.type, 'explanations'], [outcomeObserved.type, 'outcomes']] as const) {
      // Fixed before the looks: on a broker that others use too, more comes all the time.
      for (const { partition, high } of await this.driver.watermarks(topic)) if (high > 0) goals.push({ group: `${this.service}.${purpose}`, partition, high });
    }
    await eventually('everything saved', async () => {
      this.now = new Date(this.now.getTime() + 100);
      for (const { group, partition, high } of goals) {
        const rows = await query<{ next_offset: string }>(this.database.source, 'SELECT next_offset FROM fold_offset WHERE consumer_group = $1 AND partition = $2', [group, partition]);
        if (Number(rows[0]?.next_offset ?? 0) < high) return false;
      }
      return true;
    });
  }

  /** Every prediction of the log, in the order of its partition. */
  async predictionsLogged(): Promise<{ data: PredictionServed; partition: number; offset: number }[]> {
    const all = (await this.driver.watermarks(predictionServed.type)).reduce((sum, { high }) => sum + high, 0);
    const seen: { data: PredictionServed; partition: number; offset: number }[] = [];
    const consumption = await this.driver.consume({
      group: randomUUID(), topics: [predictionServed.type],
      onBatch: async (batch) => void seen.push(...batch.map((delivery) => ({ data: decodeEvent(predictionServed, delivery).data, partition: delivery.partition, offset: Number(delivery.offset) }))),
    });
    await eventually(`${all} predictions`, () => seen.length >= all);
    await consumption.stop();
    return seen;
  }

  async verdictsPublished(count: number): Promise<VerdictIssued[]> {
    const seen: VerdictIssued[] = [];
    const consumption = await this.driver.consume({ group: randomUUID(), topics: [verdictIssued.type], onBatch: async (batch) => void seen.push(...batch.map((delivery) => decodeEvent(verdictIssued, delivery).data)) });
    await eventually(`${count} verdicts`, () => seen.length >= count);
    await consumption.stop();
    return seen;
  }

  private encode(definition: Parameters<typeof encodeEvent>[0], data: unknown, key: string): OutgoingMessage {
    return encodeEvent(definition, data, { key, source: '/millrace/test', time: hour(0) });
  }

  private async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    await (await this.driver.producer()).send(messages);
  }
}

export class MonitoringInstance {
  readonly closer: CloseWindowsTask;
  readonly errors: WatchErrorsTask;
  readonly freshness: WatchFreshnessTask;
  readonly edge: VerdictsController;
  private readonly consumers: { onApplicationBootstrap(): Promise<void> }[];
  private readonly references: VersionRegisteredConsumer;

  constructor(
    source: DataSource,
    readonly messaging: Messaging,
    pace: Pace,
  ) {
    const settings = { idleSeconds: 15, closeEveryMs: 3_600_000, patienceSeconds: 5, ...pace };
    const [panes, closing, verdicts, kept] = [new PaneStore(source), new ClosingStore(source), new VerdictStore(source), new ReferenceStore(source)];
    const [labels, log] = [new LabelHistoryStore(source), new ServiceLog('drift-monitoring', 'fatal')];
    const models = new MonitoredModels(messaging);
    const references = new References(kept, models, messaging, settings);
    this.references = new VersionRegisteredConsumer(kept);
    this.consumers = [PredictionServedConsumer, PredictionExplainedConsumer, OutcomeObservedConsumer].map((Consumer) => new Consumer(messaging, models, references, settings, panes, closing));
    const watermarks = new Watermarks(closing, models, messaging, settings);
    this.closer = new CloseWindowsTask(source, messaging, models, closing, watermarks, verdicts, new JudgeInputsHandler(panes, references, verdicts), new JudgeAttributionsHandler(panes, references, verdicts), new JudgeOutcomesHandler(panes, references, labels, verdicts), settings, log);
    this.freshness = new WatchFreshnessTask(source, messaging, models, closing, verdicts, settings, log);
    this.errors = new WatchErrorsTask(source, messaging, models, references, panes, closing, watermarks, new ErrorWatchStore(), verdicts, settings, log);
    this.edge = new VerdictsController(verdicts, models, labels);
  }

  async start(): Promise<void> {
    await this.messaging.fold('references', { event: versionRegistered, apply: (events, transaction) => this.references.fold({ events, transaction }) });
    for (const consumer of this.consumers) await consumer.onApplicationBootstrap();
    this.messaging.startOutbox();
  }
}
