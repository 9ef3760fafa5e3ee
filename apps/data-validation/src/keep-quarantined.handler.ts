import { Injectable } from '@nestjs/common';
import type { RecordQuarantined } from '@millrace/contracts';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { QuarantineStore } from './quarantine.store.js';

@Injectable()
export class KeepQuarantinedHandler {
  constructor(private readonly quarantine: QuarantineStore) {}

  async handle(events: readonly Received<RecordQuarantined>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    await this.quarantine.keep(transaction, events.map(({ data }) => data));
    return [];
  }
}
