import { Injectable } from '@nestjs/common';
import type { OutcomeObserved } from '@millrace/contracts';
import { learnsUntilMs, weighOutcome } from '@millrace/core/rollout';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { RolloutConductor, type ModelConduct } from './rollout-conductor.js';
import { reportCandidates, reportConduct } from './rollout-controller.metrics.js';
import { RolloutStore, type RolloutRow } from './rollout.store.js';

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
      await conduct.units.save();
      messages.push(...conduct.messages);
    }
    return messages;
  }

  private async weigh(transaction: Transaction, conduct: ModelConduct, events: readonly Received<OutcomeObserved>[]): Promise<void> {
    const { model } = conduct.model;
    let late = await this.store.learning(transaction, model);
    conduct.units.expect(events.map(({ data }) => data));
    for (const event of events) {
      const { streamTime } = conduct.model;
      const labelMs = Date.parse(event.data.labelEventTime);
      if (streamTime === null || labelMs > Date.parse(streamTime)) conduct.model = { ...conduct.model, streamTime: new Date(labelMs).toISOString() };
      late = await this.learn(transaction, conduct, late, event);
    }
    if (conduct.model.streamTime !== null) await this.store.saveStreamTime(transaction, model, conduct.model.streamTime);
    for (const row of [...late, ...(await conduct.running())]) await this.store.save(transaction, row);
    const [oldest] = await conduct.running();
    if (oldest !== undefined) reportConduct(conduct, oldest);
    reportCandidates(model, await conduct.running());
  }

  /** @param before roll-outs that have ended and still wait for labels. @returns those that do afterwards. */
  private async learn(transaction: Transaction, conduct: ModelConduct, before: readonly RolloutRow[], event: Received<OutcomeObserved>): Promise<RolloutRow[]> {
    const running = await conduct.running();
    const late: RolloutRow[] = [];
    for (const row of before) {
      const next = await this.weighOne(conduct, row, event, running.length === 0 && conduct.model.route?.champion.version === row.candidateVersion && row.championVersion !== null);
      if (next.sequence !== row.sequence) reportConduct(conduct, next);
      if (stillLearns(next)) late.push(next);
      else await this.store.save(transaction, next);
    }
    for (const { rolloutId } of running) {
      // One before it may have ended it, or changed its route.
      const row = (await conduct.running()).find((each) => each.rolloutId === rolloutId);
      if (row === undefined) continue;
      await this.weighOne(conduct, row, event, false);
    }
    if (running.length > 1 || running[0]?.plan?.policy.candidates !== undefined) await conduct.choose();
    const ended = conduct.ended.splice(0);
    const winner = ended.find(({ phase }) => phase === 'full') ?? ended.at(-1);
    if (winner !== undefined) reportConduct(conduct, winner);
    return [...late, ...ended.filter(stillLearns)];
  }

  private async weighOne(conduct: ModelConduct, row: RolloutRow, event: Received<OutcomeObserved>, routable: boolean): Promise<RolloutRow> {
    const { revision, streamTime } = conduct.model;
    if (row.plan === null || row.state === null) return row;
    await conduct.readings.note(row.rolloutId, event);
    const streamTimeMs = Date.parse(streamTime ?? event.data.labelEventTime);
    const { outcomes, units, ...decision } = weighOutcome({ state: row.state, outcomes: row.outcomes }, event.data, row.plan, { routeRevision: revision, streamTimeMs, lookEveryOutcomes: conduct.lookEveryOutcomes, routable, candidateVersion: row.candidateVersion, hasCounted: await conduct.units.of(row.rolloutId) });
    await conduct.units.note(row.rolloutId, units);
    const revised = decision.steps.some(({ revises }) => revises !== undefined);
    return conduct.carryOut({ ...row, outcomes }, decision, revised ? { routable } : {});
  }
}
