import { Injectable } from '@nestjs/common';
import type { VerdictIssued } from '@millrace/contracts';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { RolloutStore } from './rollout.store.js';

/** A failed performance window of a version is noted beside its roll-outs. It moves no traffic: only paired or randomised evidence does. */
@Injectable()
export class NoteVerdictsHandler {
  constructor(private readonly store: RolloutStore) {}

  async handle(events: readonly Received<VerdictIssued>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    for (const { data } of events) {
      if (data.kind !== 'performance' || data.outcome !== 'failed') continue;
      const failed = data.findings.filter(({ outcome }) => outcome === 'failed').map(({ subject, reason }) => `${subject}: ${reason}`);
      await this.store.addNote(transaction, {
        noteId: data.verdictId,
        model: data.model,
        version: data.version,
        text: `performance failed in ${data.window.from} to ${data.window.to}: ${failed.join('; ')}`,
        notedAt: data.watermark,
      });
    }
    return [];
  }
}
