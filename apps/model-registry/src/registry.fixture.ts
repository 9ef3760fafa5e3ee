import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataOf, EventDefinition, RouteChanged, RunCompleted } from '@millrace/contracts';
import { createRingTopics, decodeEvent, Messaging } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { openInProcess } from '@millrace/service/testing';
import { openTestDatabase, SilentLog, type TestDatabase } from '@millrace/testing';
import { ModelRegistry1700000700000 } from './migrations/0001-model-registry.js';
import { ModelRegistryModule } from './model-registry.module.js';

/** The registry as it runs, over HTTP and its consumers: memory log, real PostgreSQL, a storage folder. */
export class RegistryUnderTest {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly driver: MemoryDriver,
    readonly messaging: Messaging,
    readonly database: TestDatabase,
    readonly folder: string,
    readonly clock: { now: Date },
  ) {}

  static async start(): Promise<RegistryUnderTest> {
    const database = await openTestDatabase('model_registry', [ModelRegistry1700000700000]);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-registry-'));
    const driver = new MemoryDriver();
    await createRingTopics(driver, 2);
    const clock = { now: new Date('2026-01-01T00:00:00Z') };
    const messaging = new Messaging({ service: 'model-registry', driver, database: database.source, now: () => clock.now, log: new SilentLog() });
    const app = await openInProcess('model-registry', ModelRegistryModule.with({ storageUrl: pathToFileURL(folder).toString() }), { messaging, database: database.source });
    return new RegistryUnderTest(app, driver, messaging, database, folder, clock);
  }

  async call(method: 'GET' | 'PUT' | 'POST', url: string, payload?: object | Buffer): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = Buffer.isBuffer(payload) ? { 'content-type': 'application/octet-stream' } : {};
    const response = await this.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    const isJson = String(response.headers['content-type']).includes('json');
    return { status: response.statusCode, body: isJson ? (JSON.parse(response.body) as Record<string, unknown>) : { bytes: response.rawPayload } };
  }

  /** What the registry has published of one kind so far. */
  async published<D extends EventDefinition>(definition: D): Promise<DataOf<D>[]> {
    const found: DataOf<D>[] = [];
    const [{ high } = { high: 0 }] = await this.driver.watermarks(definition.type);
    if (high === 0) return found;
    await new Promise<void>((resolve, reject) => {
      this.driver
        .consume({ group: `spec-${process.hrtime.bigint()}`, topics: [definition.type], onBatch: async (batch) => void found.push(...batch.map((delivery) => decodeEvent(definition, delivery).data)), onPosition: ({ offset, end }) => { if (offset >= end) resolve(); } })
        .catch(reject);
    });
    return found;
  }

  async send<D extends EventDefinition>(definition: D, data: DataOf<D>, key: string): Promise<void> {
    const producer = await this.driver.producer();
    await producer.send([this.messaging.encode(definition, data, { key })]);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.messaging.stop();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export const contractDocument = (version = '1.0.0', description = 'as first agreed'): object => ({
  apiVersion: 'v3.1.0',
  kind: 'DataContract',
  id: 'parcels',
  version,
  description: { purpose: description },
  schema: [
    { name: 'record', physicalName: 'parcels.records', customProperties: [{ property: 'eventTime', value: 'at' }], properties: [
      { name: 'id', logicalType: 'string', required: true, primaryKey: true }, { name: 'at', logicalType: 'timestamp', required: true },
      { name: 'weight', logicalType: 'number' }, { name: 'depot', logicalType: 'string' } ] },
    { name: 'label', physicalName: 'parcels.labels', customProperties: [{ property: 'eventTime', value: 'at' }], properties: [
      { name: 'id', logicalType: 'string', required: true, primaryKey: true }, { name: 'at', logicalType: 'timestamp', required: true },
      { name: 'late', logicalType: 'boolean', required: true } ] },
  ],
});

export const specDocument = (changes: object = {}): object => ({
  apiVersion: 'millrace/v1',
  kind: 'Model',
  metadata: { name: 'parcel-delay', description: 'whether a parcel comes late', owner: 'logistics' },
  spec: {
    task: 'binary',
    stream: 'parcels',
    features: [{ name: 'weight', type: 'number' }, { name: 'depot', type: 'category' }],
    label: { field: 'late', positive: true },
    trainer: { name: 'tabular', algorithm: 'lightgbm' },
    ...changes,
  },
});

export const signature: NonNullable<RunCompleted['candidate']>['signature'] = {
  inputs: [{ name: 'weight', datatype: 'FP32', shape: [-1, 1] }, { name: 'depot', datatype: 'BYTES', shape: [-1, 1] }],
  outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }, { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
  task: 'binary',
  classes: ['false', 'true'],
  positiveIndex: 1,
};

export const completedRun = (runId: string, artifact: { sha256: string; sizeBytes: number }, changes: Partial<RunCompleted> = {}): RunCompleted => ({
  model: 'parcel-delay', runId, planId: `plan-of-${runId}`, specRevision: 1, outcome: 'succeeded', reason: 'all gates passed', trigger: 'initial',
  datasetVersion: 'd'.repeat(64), seed: 42, trainer: null, completedAt: '2026-01-02T00:00:00Z', streamTime: '2026-01-02T00:00:00Z',
  candidate: {
    artifact, signature,
    metrics: [{ name: 'auc', slice: 'overall', value: 0.8, n: 1000, low: 0.77, high: 0.83 }],
    gate: { outcome: 'passed', checks: [] },
    reference: { rows: 700, features: {}, output: null, metrics: [] },
  },
  ...changes,
});

export const route = (revision: number, champion: string, candidate: string | null, changedAt: string, artifact: { sha256: string; sizeBytes: number }): RouteChanged => ({
  model: 'parcel-delay', revision, rolloutId: null, phase: candidate === null ? 'full' : 'canary', salt: 's',
  champion: { version: champion, artifact, signature },
  candidate: candidate === null ? null : { version: candidate, artifact, signature, share: 0.1, mirror: false },
  reason: `revision ${revision}`, changedAt, streamTime: null,
});

