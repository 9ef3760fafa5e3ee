import { Injectable } from '@nestjs/common';
import { aliasMoved, type RouteChanged } from '@millrace/contracts';
import { Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { AliasStore } from './alias.store.js';
import { registryMetrics } from './model-registry.metrics.js';

/** `champion` and `challenger` follow the route: what answers now, and what is being compared with it. */
@Injectable()
export class MoveAliasesHandler {
  constructor(
    private readonly messaging: Messaging,
    private readonly aliases: AliasStore,
  ) {}

  async handle(events: readonly Received<RouteChanged>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const messages: OutgoingMessage[] = [];
    for (const { data: route } of events) {
      messages.push(...(await this.move(transaction, route, 'champion', route.champion.version)));
      messages.push(...(await this.move(transaction, route, 'challenger', route.candidate?.version ?? null)));
    }
    return messages;
  }

  private async move(transaction: Transaction, route: RouteChanged, alias: string, version: string | null): Promise<OutgoingMessage[]> {
    const latest = await this.aliases.latest(transaction, route.model, alias);
    const from = latest?.version ?? null;
    if (from === version || (latest !== undefined && latest.routeRevision >= route.revision)) return [];
    const { model, revision: routeRevision, reason, changedAt: movedAt } = route;
    await this.aliases.add(transaction, model, { alias, version, movedAt, routeRevision, reason });
    registryMetrics.aliasMoves.inc({ model, alias });
    const id = `alias-moved:${model}:${alias}:${routeRevision}`;
    return [this.messaging.encode(aliasMoved, { model, alias, from, to: version, reason, routeRevision, movedAt }, { key: model, id })];
  }
}
