import { Injectable } from '@nestjs/common';
import type { OutcomeObserved } from '@millrace/contracts';
import { learnsUntilMs, weighOutcome } from '@millrace/core/rollout';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { RolloutConductor, type ModelConduct } from './rollout-conductor.js';
import { reportConduct } from './rollout-controller.metrics.js';
import { RolloutStore, type RolloutRow } from './rollout.store.js';

/** The roll-outs of a model that learn from its outcomes: one under way at most, and those that have ended and still wait for labels. */
interface Learners {
  running: RolloutRow | undefined;
  late: RolloutRow[];
}

const stillLearns = ({ state }: RolloutRow): boolean => state !== null && learnsUntilMs(state) !== null;

/** One outcome after the other, so that a decision does not depend on how many came in one batch. */
@Injectable()
export class WeighOutcomesHandler {
  constructor(
    private readonly store: RolloutStore,
    private readonly conductor: RolloutConductor,
  ) {}

  async handle(events: readonly Received<OutcomeObserved>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const messages: OutgoingMessage[] = [];
    for (const model of RolloutConductor.inOrder(events.map(({ data }) => data.model))) {
      const conduct = await this.conductor.of(transaction, model);
      await this.weigh(transaction, conduct, events.filter(({ data }) => data.model === model));
      await conduct.readings.save();
      messages.push(...conduct.messages);
    }
    return messages;
  }

  private async weigh(transaction: Transaction, conduct: ModelConduct, events: readonly Received<OutcomeObserved>[]): Promise<void> {
    const { model } = conduct.model;
    const learners: Learners = { running: await this.store.running(transaction, model), late: await this.store.learning(transaction, model) };
    for (const event of events) {
      const { streamTime } = conduct.model;
      const labelMs = Date.parse(event.data.labelEventTime);
      if (streamTime === null || labelMs > Date.parse(streamTime)) conduct.model = { ...conduct.model, streamTime: new Date(labelMs).toISOString() };
      await this.learn(transaction, conduct, learners, event);
    }
    if (conduct.model.streamTime !== null) await this.store.saveStreamTime(transaction, model, conduct.model.streamTime);
    for (const row of learners.late) await this.store.save(transaction, row);
    if (learners.running === undefined) return;
    await this.store.save(transaction, learners.running);
    reportConduct(conduct, learners.running);
  }

  private async learn(transaction: Transaction, conduct: ModelConduct, learners: Learners, event: Received<OutcomeObserved>): Promise<void> {
    const { running } = learners;
    const late: RolloutRow[] = [];
    for (const row of learners.late) {
      const next = await this.weighOne(conduct, row, event, running === undefined && conduct.model.route?.champion.version === row.candidateVersion && row.championVersion !== null);
      if (next.sequence !== row.sequence) reportConduct(conduct, next);
      if (stillLearns(next)) late.push(next);
      else await this.store.save(transaction, next);
    }
    learners.late = late;
    if (running === undefined) return;
    const next = await this.weighOne(conduct, running, event, false);
    learners.running = next;
    if (next.status !== 'ended') return;
    reportConduct(conduct, next);
    if (stillLearns(next)) learners.late.push(next);
    // The next one that had waited for its end.
    learners.running = await this.store.running(transaction, next.model);
  }

  private async weighOne(conduct: ModelConduct, row: RolloutRow, event: Received<OutcomeObserved>, routable: boolean): Promise<RolloutRow> {
    const { revision, streamTime } = conduct.model;
    if (row.plan === null || row.state === null) return row;
    await conduct.readings.note(row.rolloutId, event);
    const streamTimeMs = Date.parse(streamTime ?? event.data.labelEventTime);
    const { outcomes, ...decision } = weighOutcome({ state: row.state, outcomes: row.outcomes }, event.data, row.plan, { routeRevision: revision, streamTimeMs, lookEveryOutcomes: conduct.lookEveryOutcomes, routable });
    const revised = decision.steps.some(({ revises }) => revises !== undefined);
    return conduct.carryOut({ ...row, outcomes }, decision, revised ? { routable } : {});
  }
}
