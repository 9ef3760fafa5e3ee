import { Injectable } from '@nestjs/common';
import type { VersionRegistered } from '@millrace/contracts';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { RolloutConductor } from './rollout-conductor.js';
import { reportConduct } from './rollout-controller.metrics.js';
import { RolloutStore } from './rollout.store.js';

/** Keeps every version, and starts a roll-out for those that the pipeline made and whose gate has passed. */
@Injectable()
export class AdmitVersionsHandler {
  constructor(
    private readonly store: RolloutStore,
    private readonly conductor: RolloutConductor,
  ) {}

  async handle(events: readonly Received<VersionRegistered>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const messages: OutgoingMessage[] = [];
    for (const model of RolloutConductor.inOrder(events.map(({ data }) => data.model))) {
      const conduct = await this.conductor.of(transaction, model);
      for (const { data } of events) {
        if (data.model !== model) continue;
        const fresh = await this.store.addVersion(transaction, data);
        if (!fresh || data.source !== 'pipeline' || data.gate.outcome !== 'passed') continue;
        const row = await conduct.start({ version: data.version, startedBy: 'pipeline', reason: `version ${data.version} was registered and its gate passed`, verdict: 'gate' });
        reportConduct(conduct, row);
      }
      messages.push(...conduct.messages);
    }
    return messages;
  }
}
