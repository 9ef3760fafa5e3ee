import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { contractChanged, parseModelSpec, runCompleted, segmentSealed, specChanged, type DataOf, type EventDefinition, type RunCompleted } from '@millrace/contracts';
import { createRingTopics, decodeEvent, Messaging } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { openInProcess } from '@millrace/service/testing';
import { eventually, openTestDatabase, seeded, segmentOf, SilentLog, writeSegment, type ArchivedRow, type TestDatabase } from '@millrace/testing';
import { TrainingOrchestrator1700000800000 } from './migrations/0001-training-orchestrator.js';
import { TrainingOrchestratorModule } from './training-orchestrator.module.js';

export interface Trainer {
  readonly python: string;
  readonly folder: string;
}

/** The orchestrator as it runs, over HTTP, consumers and worker: memory log, real PostgreSQL, a storage folder, a trainer process. */
export class OrchestratorUnderTest {
  private sealed = 0;

  private constructor(
    readonly app: NestFastifyApplication,
    readonly driver: MemoryDriver,
    readonly messaging: Messaging,
    readonly database: TestDatabase,
    readonly folder: string,
  ) {}

  static async start(trainer: Trainer | string): Promise<OrchestratorUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-training-'));
    const { python, folder: trainerFolder } = typeof trainer === 'string' ? await scriptedTrainer(folder, trainer) : trainer;
    const database = await openTestDatabase('training_orchestrator', [TrainingOrchestrator1700000800000]);
    const driver = new MemoryDriver();
    await createRingTopics(driver, 1);
    const messaging = new Messaging({ service: 'training-orchestrator', driver, database: database.source, now: () => new Date(), log: new SilentLog() });
    const config = { storageUrl: pathToFileURL(join(folder, 'storage')).toString(), workFolder: join(folder, 'work'), trainerPython: python, trainerFolder, concurrency: 1 };
    const app = await openInProcess('training-orchestrator', TrainingOrchestratorModule.with(config), { messaging, database: database.source });
    return new OrchestratorUnderTest(app, driver, messaging, database, folder);
  }

  async send<D extends EventDefinition>(definition: D, data: DataOf<D>, key: string): Promise<void> {
    const producer = await this.driver.producer();
    await producer.send([this.messaging.encode(definition, data, { key })]);
  }

  /** Contract first, as the registry wants it. */
  async apply(spec: object): Promise<void> {
    const model = parseModelSpec(spec);
    const { stream } = model.spec;
    const changedAt = '2026-01-01T00:00:00Z';
    await this.send(contractChanged, { stream, version: '1.0.0', sha256: 'c'.repeat(64), document: {}, changedAt }, stream);
    await this.send(specChanged, { model: model.metadata.name, revision: 1, sha256: 'e'.repeat(64), spec: model, changedAt }, model.metadata.name);
    await eventually('the spec is in force', async () => (await this.get(`/v1/models/${model.metadata.name}/runs`)).status === 200);
  }

  /** Archives rows as one segment and tells the ring. */
  async seal(stream: string, kind: 'record' | 'label', rows: readonly ArchivedRow[]): Promise<void> {
    const from = this.sealed;
    this.sealed += rows.length;
    const key = `${stream}/${kind}/${from}.parquet`;
    await writeSegment(join(this.folder, 'storage', 'objects', key), from, rows);
    await this.send(segmentSealed, segmentOf(stream, kind, 0, from, rows, key), stream);
  }

  get(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
    return this.call('GET', url);
  }

  async call(method: 'GET' | 'POST', url: string, payload?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await this.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return { status: response.statusCode, body: JSON.parse(response.body) as Record<string, unknown> };
  }

  async completed(count: number): Promise<RunCompleted[]> {
    const found: RunCompleted[] = [];
    await this.driver.consume({ group: `spec-${process.hrtime.bigint()}`, topics: [runCompleted.type], onBatch: async (batch) => void found.push(...batch.map((delivery) => decodeEvent(runCompleted, delivery).data)) });
    return eventually(`${count} runs have ended`, () => (found.length >= count ? found : undefined));
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.messaging.stop();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A shell script in the trainer’s place; it sees the environment and the job folder of the contract. */
async function scriptedTrainer(folder: string, script: string): Promise<Trainer> {
  const python = join(folder, 'scripted-trainer.sh');
  await writeFile(python, `#!/bin/sh\n${script}\n`);
  await chmod(python, 0o755);
  return { python, folder };
}

export interface Truth {
  readonly size: number;
  readonly kind: string;
  readonly noise: number;
}

/** `count` records, ten minutes apart, each with its label an hour later. */
export function history(count: number, label: (truth: Truth) => string | number | boolean, seed = 7): { records: ArchivedRow[]; labels: ArchivedRow[]; endMs: number } {
  const draw = seeded(seed);
  const startMs = Date.parse('2026-01-01T00:00:00Z');
  const at = (index: number, delayMs: number) => new Date(startMs + index * 600_000 + delayMs).toISOString();
  const truths = Array.from({ length: count }, (): Truth => ({ size: Math.round(draw() * 1000) / 10, kind: ['round', 'square', 'flat'][Math.floor(draw() * 3)] ?? 'flat', noise: draw() }));
  return {
    records: truths.map(({ size, kind }, index) => ({ id: `r${index}`, at: at(index, 0), size: index % 50 === 0 ? null : size, kind })),
    labels: truths.map((truth, index) => ({ id: `r${index}`, at: at(index, 3_600_000), outcome: label(truth) })),
    endMs: startMs + count * 600_000 + 3_600_000,
  };
}

export const modelSpec = (changes: object): object => ({
  apiVersion: 'millrace/v1',
  kind: 'Model',
  metadata: { name: 'shapes' },
  spec: {
    task: 'binary', stream: 'shapes', features: [{ name: 'size', type: 'number' }, { name: 'kind', type: 'category' }], label: { field: 'outcome' },
    trainer: { name: 'tabular', algorithm: 'lightgbm', hyperparameters: { num_iterations: 40, min_data_in_leaf: 10 } },
    retraining: { initialRows: 500 }, ...changes,
  },
});
