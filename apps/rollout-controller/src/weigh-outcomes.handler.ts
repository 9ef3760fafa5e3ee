import { Injectable } from '@nestjs/common';
import type { OutcomeObserved } from '@millrace/contracts';
import { isLive, judgePhase } from '@millrace/core/rollout';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { evidenceOfOutcome } from './outcome-evidence.js';
import { RolloutConductor, type ModelConduct } from './rollout-conductor.js';
import { reportConduct } from './rollout-controller.metrics.js';
import { RolloutStore, type RolloutRow } from './rollout.store.js';

/** One outcome after the other, so that a decision does not depend on how many came in one batch. */
@Injectable()
export class WeighOutcomesHandler {
  constructor(
    private readonly store: RolloutStore,
    private readonly conductor: RolloutConductor,
    private readonly stepEveryOutcomes: number,
  ) {}

  async handle(events: readonly Received<OutcomeObserved>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const messages: OutgoingMessage[] = [];
    for (const model of RolloutConductor.inOrder(events.map(({ data }) => data.model))) {
      const conduct = await this.conductor.of(transaction, model);
      const outcomes = events.filter(({ data }) => data.model === model).map(({ data }) => data);
      await this.weigh(transaction, conduct, outcomes);
      messages.push(...conduct.messages);
    }
    return messages;
  }

  private async weigh(transaction: Transaction, conduct: ModelConduct, outcomes: readonly OutcomeObserved[]): Promise<void> {
    let row = await this.store.running(transaction, conduct.model.model);
    for (const outcome of outcomes) {
      const { streamTime } = conduct.model;
      const labelMs = Date.parse(outcome.labelEventTime);
      if (streamTime === null || labelMs > Date.parse(streamTime)) conduct.model = { ...conduct.model, streamTime: new Date(labelMs).toISOString() };
      if (row !== undefined) row = await this.learn(transaction, conduct, row, outcome);
    }
    if (conduct.model.streamTime !== null) await this.store.saveStreamTime(transaction, conduct.model.model, conduct.model.streamTime);
    if (row === undefined) return;
    await this.store.save(transaction, row);
    reportConduct(conduct, row);
  }

  /** Answers the roll-out that is under way afterwards: this one, or the next that had waited for its end. */
  private async learn(transaction: Transaction, conduct: ModelConduct, row: RolloutRow, outcome: OutcomeObserved): Promise<RolloutRow | undefined> {
    const { revision, streamTime } = conduct.model;
    if (row.plan === null || row.state === null) return row;
    const evidence = evidenceOfOutcome(outcome, row.plan.task, revision, row.phase === 'shadow');
    const used = evidence.pairs.length + evidence.arms.length;
    const outcomes = row.outcomes + used;
    const decided = await conduct.decide({ ...row, outcomes }, { type: 'outcomes', streamTimeMs: Date.parse(streamTime ?? outcome.labelEventTime), ...evidence });
    if (decided.row.status === 'ended') {
      reportConduct(conduct, decided.row);
      return this.store.running(transaction, row.model);
    }
    const told = decided.row.phase !== row.phase || used === 0 || outcomes % this.stepEveryOutcomes !== 0;
    return told ? decided.row : this.look(conduct, decided.row);
  }

  private async look(conduct: ModelConduct, row: RolloutRow): Promise<RolloutRow> {
    if (row.state === null || row.plan === null || !isLive(row.state.phase)) return row;
    const { reason, evidence } = judgePhase(row.state, row.state.phase, row.plan.policy);
    return conduct.tellLook(row, reason, evidence);
  }
}
