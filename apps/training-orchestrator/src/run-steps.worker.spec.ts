/**
 * Goal: a run goes on where it stopped: finished steps are never done again, a dead owner keeps nobody waiting, a zombie
 * can write nothing, failures end or repeat as their kind says, and the ring hears of the end once.
 * Method: the worker over real PostgreSQL with steps that count and fail on demand; a second worker plays the restarted
 * process; the dead owner is a child process that has really ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseModelSpec, runCompleted } from '@millrace/contracts';
import { runSteps, type RunStep } from '@millrace/core/retraining';
import { createRingTopics, Messaging } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { inTransaction, query } from '@millrace/persistence';
import { ServiceLog } from '@millrace/service';
import { eventually, openTestDatabase, SilentLog, type TestDatabase } from '@millrace/testing';
import { TrainingOrchestrator1700000800000 } from './migrations/0001-training-orchestrator.js';
import { StepError, type PipelineStep, type StepContext } from './pipeline-step.js';
import type { Plan } from './plan.js';
import { PlanStore } from './plan.store.js';
import { identityOf, ownerText } from './process-identity.js';
import { RunEnd } from './run-end.js';
import { RunStepsWorker, type Steps } from './run-steps.worker.js';
import { StepStore } from './step.store.js';
import type { VerifyRunHandler } from './verify-run.handler.js';

const spec = parseModelSpec({
  apiVersion: 'millrace/v1', kind: 'Model', metadata: { name: 'm' },
  spec: { task: 'binary', stream: 's', features: [{ name: 'x', type: 'number' }], label: { field: 'y' }, trainer: { name: 'tabular', algorithm: 'lightgbm' } },
}).spec;
const plan: Plan = {
  planId: 'plan-1', runId: 'm-run-1', model: 'm', specRevision: 1, spec, trigger: 'initial', reasons: [], cause: { via: 'start' }, streamTime: '2026-01-01T00:00:00.000Z',
  datasetVersion: 'd'.repeat(64), seed: 42, champion: null,
  manifest: { formatVersion: 1, stream: 's', contractVersion: '1', segments: [], labelHorizon: '', window: { from: null, to: '' }, features: [], label: { field: 'y' }, split: { by: 'event-time', testShare: 0.2, validationShare: 0.1 } },
};
const registered = {
  outcome: 'succeeded', reason: 'all checks passed', trainerSha256: 'a'.repeat(64),
  candidate: { artifact: { sha256: 'b'.repeat(64), sizeBytes: 1 }, signature: { inputs: [], outputs: [], task: 'binary', classes: [], positiveIndex: 1 }, metrics: [], gate: { outcome: 'passed', checks: [] }, reference: null },
};

describe('RunStepsWorker', () => {
  let database: TestDatabase;
  let driver: MemoryDriver;
  let messaging: Messaging;
  let store: StepStore;
  let done: string[];
  let behaviour: Partial<Record<RunStep, (context: StepContext) => Promise<object>>>;

  const worker = (): RunStepsWorker => {
    const step = (name: RunStep): PipelineStep => ({
      execute: async (context) => {
        const output = (await behaviour[name]?.(context)) ?? (name === 'register' ? registered : { name });
        done.push(name);
        return output;
      },
    });
    const steps = Object.fromEntries(runSteps.map((name) => [name, step(name)])) as Steps;
    const idle: Pick<VerifyRunHandler, 'workOnce'> = { workOnce: async () => false };
    return new RunStepsWorker(steps, 1, store, new RunEnd(store, messaging), idle as VerifyRunHandler, database.source, messaging, new ServiceLog('training-orchestrator', 'silent'));
  };
  const completions = async (): Promise<{ outcome: string; reason: string }[]> => {
    const rows = await query<{ value: Buffer }>(database.source, 'SELECT value FROM outbox WHERE topic = $1', [runCompleted.type]);
    return rows.map(({ value }) => JSON.parse(value.toString()) as { outcome: string; reason: string });
  };
  const states = async () => (await query<{ state: string }>(database.source, 'SELECT state FROM step ORDER BY ordinal')).map(({ state }) => state);
  const drain = async (one: RunStepsWorker, owner = 'here|1||x') => {
    while (await one.workOnce(owner));
  };

  beforeEach(async () => {
    database = await openTestDatabase('training_orchestrator', [TrainingOrchestrator1700000800000]);
    driver = new MemoryDriver();
    await createRingTopics(driver, 1);
    messaging = new Messaging({ service: 'training-orchestrator', driver, database: database.source, now: () => new Date('2026-01-02T00:00:00Z'), log: new SilentLog() });
    store = new StepStore(database.source);
    done = [];
    behaviour = {};
    await inTransaction(database.source, (transaction) => new PlanStore().add(transaction, plan, 100, new Date()));
  });
  afterEach(async () => {
    await messaging.stop();
    await database.drop();
  });

  it('does every step once, in order, and tells the end once', async () => {
    await drain(worker());
    expect(done).toEqual([...runSteps]);
    expect(await completions()).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('hands each step the outputs of those before it', async () => {
    let seen: unknown;
    behaviour.compare = async ({ outputs }) => {
      seen = outputs;
      return {};
    };
    await drain(worker());
    expect(seen).toEqual({ snapshot: { name: 'snapshot' }, 'validate-data': { name: 'validate-data' }, train: { name: 'train' }, evaluate: { name: 'evaluate' } });
  });

  it('resumes at once after its process was killed, without repeating a finished step', async () => {
    const child = spawn('sleep', ['60']);
    const dead = ownerText(await identityOf(child.pid ?? 0), 'before the kill');
    const first = worker();
    await first.workOnce(dead);
    await first.workOnce(dead);
    expect(await store.claim(dead)).toMatchObject({ step: 'train', attempt: 1 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const restarted = worker();
    await restarted.onApplicationBootstrap();
    await eventually('the run has ended', async () => (await completions()).length === 1);
    await restarted.beforeApplicationShutdown();
    expect(done).toEqual([...runSteps]);
    expect(await query(database.source, `SELECT attempts FROM step WHERE step IN ('snapshot', 'train') ORDER BY ordinal`)).toEqual([{ attempts: 1 }, { attempts: 2 }]);
  });

  it('keeps nothing from a worker whose lease was taken over', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let entered: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => (entered = resolve));
    behaviour.snapshot = async ({ fence }) => {
      if (fence === 1) {
        entered();
        await held;
      }
      return { by: fence };
    };
    const zombie = worker().workOnce('zombie|1||x');
    await inside;
    await store.expire('m-run-1', 'snapshot', 'zombie|1||x');
    await worker().workOnce('successor|2||y');
    release();
    await zombie;
    expect(await query(database.source, `SELECT output, attempts, state FROM step WHERE step = 'snapshot'`)).toEqual([{ output: { by: 2 }, attempts: 2, state: 'succeeded' }]);
  });

  it('never gives one step to two workers', async () => {
    const claims = await Promise.all(Array.from({ length: 6 }, (_, index) => store.claim(`w|${index}||x`)));
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  });

  it('ends the run with its reason when another attempt cannot help', async () => {
    behaviour.train = async () => {
      throw new StepError('TRAINER_REFUSED', 'the label has only one class', 'never');
    };
    await drain(worker());
    expect(await completions()).toMatchObject([{ outcome: 'failed', reason: 'train: the label has only one class' }]);
    expect(await states()).toEqual(['succeeded', 'succeeded', 'failed', 'waiting', 'waiting', 'waiting', 'waiting']);
  });

  it('waits before another attempt, and a cancelled attempt costs none', async () => {
    const kinds: ('cancelled' | 'budget')[] = ['cancelled', 'budget'];
    behaviour.train = async () => {
      const kind = kinds.shift();
      if (kind !== undefined) throw new StepError('TRAINER_FAILED', kind, kind);
      return {};
    };
    const one = worker();
    await drain(one);
    expect(await query(database.source, `SELECT state, attempts, failures, not_before > now() AS later FROM step WHERE step = 'train'`)).toEqual([{ state: 'waiting', attempts: 2, failures: 1, later: true }]);
    await query(database.source, `UPDATE step SET not_before = now()`);
    await drain(one);
    expect(await completions()).toMatchObject([{ outcome: 'succeeded' }]);
  });
});
