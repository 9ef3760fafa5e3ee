import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MillraceError } from '@millrace/contracts';
import type { RunStep } from '@millrace/core/retraining';
import { Messaging } from '@millrace/messaging';
import { inTransaction } from '@millrace/persistence';
import { ServiceLog } from '@millrace/service';
import { StepError, type PipelineStep, type StepContext } from './pipeline-step.js';
import { identityOf, identityOfOwner, isSurelyDead, ownerText } from './process-identity.js';
import { RunEnd } from './run-end.js';
import { StepStore, type Claim } from './step.store.js';
import { trainingMetrics } from './training-orchestrator.metrics.js';
import { VerifyRunHandler } from './verify-run.handler.js';

export const STEPS = Symbol('pipeline steps');
export const CONCURRENCY = Symbol('concurrency');
export type Steps = Readonly<Record<RunStep, PipelineStep>>;

const idleMs = 250;
const heartbeatMs = 2_000;
const retryBaseMs = 1_000;
const retryMaxMs = 30_000;
/** Attempts that died with their process count too, at last: a step that kills its orchestrator must not do so for ever. */
const attemptsMax = 25;
const failuresMax = 5;

/** Takes the next unfinished step, holds its lease while working, and keeps the result only while the lease was its own. */
@Injectable()
export class RunStepsWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private readonly instance = randomUUID();
  private loops: Promise<void>[] = [];

  constructor(
    @Inject(STEPS) private readonly steps: Steps,
    @Inject(CONCURRENCY) private readonly concurrency: number,
    private readonly store: StepStore,
    private readonly runEnd: RunEnd,
    private readonly verifyRun: VerifyRunHandler,
    private readonly database: DataSource,
    private readonly messaging: Messaging,
    private readonly log: ServiceLog,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const owner = ownerText(await identityOf(process.pid), this.instance);
    await this.releaseTheDead();
    this.loops = Array.from({ length: this.concurrency }, () => this.loop(owner));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
  }

  /** A predecessor that was killed on this machine keeps nobody waiting for its leases to run out. */
  private async releaseTheDead(): Promise<void> {
    for (const { runId, step, owner } of await this.store.leases()) {
      const identity = identityOfOwner(owner);
      if (identity !== null && (await isSurelyDead(identity))) await this.store.expire(runId, step, owner);
    }
  }

  private async loop(owner: string): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        trainingMetrics.activeRuns.set(await this.store.activeRuns());
        if ((await this.workOnce(owner)) || (await this.verifyRun.workOnce(owner, signal))) continue;
      } catch (error) {
        this.log.warn({ err: error }, 'the pipeline worker failed and tries again');
      }
      await wait(idleMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Does at most one step. @returns false when there was nothing to do. */
  async workOnce(owner: string): Promise<boolean> {
    const claim = await this.store.claim(owner);
    if (claim === null) return false;
    const lost = new AbortController();
    const signal = AbortSignal.any([lost.signal, this.stopping.signal]);
    let progress: object | null = null;
    const beat = setInterval(() => {
      const told = progress;
      progress = null;
      this.store.heartbeat(claim, told).then((held) => held || lost.abort(), () => undefined);
    }, heartbeatMs);
    const context: StepContext = { ...claim, signal, report: (latest) => (progress = latest), rememberProcess: (process) => this.store.rememberProcess(claim, process) };
    const end = trainingMetrics.stepSeconds.startTimer({ step: claim.step });
    try {
      if (claim.attempt > attemptsMax) throw new StepError('INTERNAL', `${claim.step} was begun ${attemptsMax} times and never ended`, 'never');
      await this.keep(claim, await this.steps[claim.step].execute(context));
      end({ outcome: 'succeeded' });
    } catch (error) {
      end({ outcome: 'failed' });
      await this.settle(claim, error);
    } finally {
      clearInterval(beat);
    }
    return true;
  }

  private async keep(claim: Claim, output: object): Promise<void> {
    await inTransaction(this.database, async (transaction) => {
      if (!(await this.store.succeed(transaction, claim, output))) return;
      if (claim.step === 'register') await this.runEnd.complete(transaction, claim.plan, output);
    });
    this.messaging.wakeOutbox();
  }

  private async settle(claim: Claim, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof StepError || error instanceof MillraceError ? error.code : 'INTERNAL';
    const retryInMs = retryOf(error, claim);
    this.log.warn({ err: error, runId: claim.plan.runId, step: claim.step, attempt: claim.attempt, retryInMs }, `step ${claim.step} of ${claim.plan.runId} failed`);
    await inTransaction(this.database, async (transaction) => {
      const cancelled = error instanceof StepError && error.retry === 'cancelled';
      if (!(await this.store.fail(transaction, claim, { code, reason }, retryInMs, !cancelled))) return;
      if (retryInMs === null) await this.runEnd.fail(transaction, claim, reason);
    });
    this.messaging.wakeOutbox();
  }
}

/** Milliseconds until the next attempt; null: there is none. */
function retryOf(error: unknown, { failures }: Claim): number | null {
  if (error instanceof StepError && error.retry === 'cancelled') return 0;
  const hopeless = error instanceof StepError ? error.retry === 'never' : error instanceof MillraceError && !error.retryable;
  if (hopeless || failures + 1 >= (error instanceof StepError ? Infinity : failuresMax)) return null;
  return Math.min(retryMaxMs, retryBaseMs * 2 ** failures);
}
