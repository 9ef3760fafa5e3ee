import { Injectable } from '@nestjs/common';
import { runCompleted, type RunCompleted } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import type { Plan } from './plan.js';
import { StepStore, type Claim } from './step.store.js';
import type { RegisterOutput } from './steps/register.step.js';
import type { TrainOutput } from './steps/train.step.js';
import { trainingMetrics } from './training-orchestrator.metrics.js';

/** A run ends in the transaction that ends its last step, and the ring hears of it exactly once. */
@Injectable()
export class RunEnd {
  constructor(
    private readonly steps: StepStore,
    private readonly messaging: Messaging,
  ) {}

  async complete(transaction: Transaction, plan: Plan, output: object): Promise<void> {
    const { outcome, reason, candidate, trainerSha256 } = output as RegisterOutput;
    await this.end(transaction, plan, { outcome, reason, candidate, trainer: { name: plan.spec.trainer.name, sha256: trainerSha256 }, datasetVersion: plan.datasetVersion });
  }

  async fail(transaction: Transaction, { plan, step, outputs }: Claim, reason: string): Promise<void> {
    const trained = outputs.train as TrainOutput | undefined;
    const trainer = trained === undefined ? null : { name: plan.spec.trainer.name, sha256: trained.trainerSha256 };
    await this.end(transaction, plan, { outcome: 'failed', reason: `${step}: ${reason}`, candidate: null, trainer, datasetVersion: outputs.snapshot === undefined ? null : plan.datasetVersion });
  }

  private async end(transaction: Transaction, plan: Plan, ended: Pick<RunCompleted, 'outcome' | 'reason' | 'candidate' | 'trainer' | 'datasetVersion'>): Promise<void> {
    const now = this.messaging.now();
    await this.steps.complete(transaction, plan.runId, ended.outcome, ended.reason, now);
    const { model, runId, planId, specRevision, trigger, seed, streamTime } = plan;
    const event: RunCompleted = { model, runId, planId, specRevision, trigger, seed, streamTime, completedAt: now.toISOString(), ...ended };
    await this.messaging.enqueue(transaction, [this.messaging.encode(runCompleted, event, { key: model, id: `run-completed:${runId}` })]);
    trainingMetrics.runs.inc({ model, outcome: ended.outcome });
  }
}
