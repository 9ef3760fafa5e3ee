import { Injectable } from '@nestjs/common';
import { extendGuards, judgeGuards, startGuards, type GuardPolicy, type GuardReading, type GuardState, type GuardStep } from '@millrace/core/rollout';
import { Messaging, type OutgoingMessage } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import type { GuardNews } from './guard-intake.js';
import { GuardStore } from './guard.store.js';
import { reportGuards } from './guard.metrics.js';
import { RolloutConductor, type ModelConduct } from './rollout-conductor.js';
import { reportConduct } from './rollout-controller.metrics.js';
import { RolloutStore, type RolloutRow } from './rollout.store.js';

/** Judges what gateways told of the candidates that are tried, and takes back the one that breaks a guard. */
@Injectable()
export class WatchGuardsHandler {
  constructor(
    private readonly store: RolloutStore,
    private readonly guards: GuardStore,
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

  private async watch(transaction: Transaction, conduct: ModelConduct, { model, routeRevision, observations }: GuardNews): Promise<void> {
    const row = await this.store.running(transaction, model);
    const policy = row?.plan?.guards;
    const candidate = conduct.model.route?.candidate ?? null;
    if (row === undefined || policy === undefined || candidate === null || conduct.model.revision !== routeRevision) return;
    const step: GuardStep = { name: `${row.phase} ${candidate.share}`, share: candidate.share === 0 ? null : candidate.share };
    const state = await this.stateIn(transaction, row, step, policy);
    extendGuards(state, observations, policy);
    const readings = judgeGuards(state, policy);
    await this.guards.save(transaction, row.rolloutId, state, readings, this.messaging.now().toISOString());
    reportGuards(model, readings);
    const breach = readings.find(({ breached }) => breached);
    if (breach !== undefined) await this.takeBack(conduct, row, breach);
  }

  private async stateIn(transaction: Transaction, { rolloutId }: RolloutRow, step: GuardStep, policy: GuardPolicy): Promise<GuardState> {
    const stored = await this.guards.state(transaction, rolloutId);
    return stored?.step.name === step.name ? stored : startGuards(policy, step, stored);
  }

  private async takeBack(conduct: ModelConduct, row: RolloutRow, { guard, reason, n, difference, low, limit, alpha }: GuardReading): Promise<void> {
    const evidence = { n, mean: difference, low, high: null, margin: limit, alpha };
    const decided = await conduct.decide(row, { type: 'guard-breached', guard, reason, evidence });
    reportConduct(conduct, decided.row);
    reportGuards(conduct.model.model, []);
  }
}
