import { Injectable } from '@nestjs/common';
import { breachOf, extendGuards, guardsIn, judgeGuards, splitOf, type GuardStep, type RecomputedBreach } from '@millrace/core/rollout';
import { Messaging, type OutgoingMessage } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import type { GuardNews } from './guard-intake.js';
import { GuardBatchStore } from './guard-batch.store.js';
import { GuardStore } from './guard.store.js';
import { reportGuards } from './guard.metrics.js';
import { RolloutConductor, type ModelConduct } from './rollout-conductor.js';
import { reportConduct } from './rollout-controller.metrics.js';
import type { RolloutRow } from './rollout.store.js';

/** Judges what gateways told of the candidates that are tried, and takes back the one that breaks a guard. */
@Injectable()
export class WatchGuardsHandler {
  constructor(
    private readonly guards: GuardStore,
    private readonly batches: GuardBatchStore,
    private readonly conductor: RolloutConductor,
    private readonly messaging: Messaging,
  ) {}

  async handle(news: readonly GuardNews[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const messages: OutgoingMessage[] = [];
    for (const model of RolloutConductor.inOrder(news.map((one) => one.model))) {
      const conduct = await this.conductor.of(transaction, model);
      for (const one of news) if (one.model === model) await this.watch(transaction, conduct, one);
      messages.push(...conduct.messages);
    }
    return messages;
  }

  private async watch(transaction: Transaction, conduct: ModelConduct, { model, version, routeRevision, observations, topic, partition, fromOffset, toOffset }: GuardNews): Promise<void> {
    const running = await conduct.running();
    const row = running.find(({ candidateVersion }) => candidateVersion === version);
    const policy = row?.plan?.guards;
    const leg = row?.state?.evidence?.legs.at(-1);
    if (row === undefined || policy === undefined || leg === undefined || conduct.model.revision !== routeRevision) return;
    // Who comes and goes beside it changes with what share it is compared, but begins no new evidence.
    const range = row.plan?.policy.candidates === undefined ? {} : { shares: [leg.share, Math.max(leg.share, 0.5)] as const };
    const step: GuardStep = { name: `${row.phase} ${leg.share}`, share: leg.share === 0 ? null : splitOf(leg), ...range };
    const state = guardsIn(step, policy, await this.guards.state(transaction, row.rolloutId));
    extendGuards(state, observations, policy);
    await this.batches.add(transaction, row.rolloutId, { topic, partition, fromOffset, toOffset, observations: observations.length, routeRevision, step }, state);
    const readings = judgeGuards(state, policy);
    await this.guards.save(transaction, row.rolloutId, state, readings, this.messaging.now().toISOString());
    if (row.rolloutId === running[0]?.rolloutId || readings.some(({ breached }) => breached)) reportGuards(model, readings);
    const breach = readings.find(({ breached }) => breached);
    if (breach !== undefined) await this.takeBack(conduct, row, breachOf(breach, await this.batches.trail(transaction, row.rolloutId), state));
  }

  private async takeBack(conduct: ModelConduct, row: RolloutRow, { guard: { guard, reason, ...inputs }, evidence }: RecomputedBreach): Promise<void> {
    const decided = await conduct.decide(row, { type: 'guard-breached', guard, reason, evidence, inputs });
    reportConduct(conduct, decided.row);
    reportGuards(conduct.model.model, []);
    await conduct.choose();
  }
}
