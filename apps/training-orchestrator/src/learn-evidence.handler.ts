import { Injectable } from '@nestjs/common';
import type { AliasMoved, ContractBroken, SegmentSealed, VerdictIssued, VersionRegistered } from '@millrace/contracts';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { EvidenceStore } from './evidence.store.js';
import { ModelsInForce } from './models-in-force.js';
import { WeighRetrainingHandler } from './weigh-retraining.handler.js';

/** Each piece of news is kept first; then every model that it bears on is weighed once, on all that is known by then. */
@Injectable()
export class LearnEvidenceHandler {
  constructor(
    private readonly models: ModelsInForce,
    private readonly evidence: EvidenceStore,
    private readonly weighRetraining: WeighRetrainingHandler,
  ) {}

  async segments(events: readonly Received<SegmentSealed>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    await this.evidence.addSegments(transaction, events.map(({ data }) => data));
    return this.weigh(transaction, events, events.flatMap(({ data }) => this.models.modelsOf(data.stream)));
  }

  async verdicts(events: readonly Received<VerdictIssued>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    await this.evidence.addVerdicts(transaction, events);
    return this.weigh(transaction, events, events.map(({ data }) => data.model));
  }

  async contractBreaks(events: readonly Received<ContractBroken>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    for (const event of events) await this.evidence.addBreak(transaction, event);
    return this.weigh(transaction, events, events.flatMap(({ data }) => this.models.modelsOf(data.stream)));
  }

  async aliases(events: readonly Received<AliasMoved>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    for (const { data } of events) await this.evidence.moveAlias(transaction, data);
    return this.weigh(transaction, events, events.map(({ data }) => data.model));
  }

  async versions(events: readonly Received<VersionRegistered>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    for (const { data } of events) await this.evidence.addVersion(transaction, data);
    return [];
  }

  /** In one order everywhere, so that two folds never wait for each other in a circle. */
  private async weigh(transaction: Transaction, events: readonly Received<unknown>[], models: readonly string[]): Promise<OutgoingMessage[]> {
    const last = events[events.length - 1];
    if (last === undefined) return [];
    const { topic, partition, offset } = last;
    for (const model of [...new Set(models)].sort()) await this.weighRetraining.handle(transaction, model, { via: 'event', topic, partition, offset });
    return [];
  }
}
