import { Controller } from '@nestjs/common';
import { versionRegistered } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { ReferenceStore } from './reference.store.js';

@Controller()
export class VersionRegisteredConsumer {
  constructor(private readonly references: ReferenceStore) {}

  @FoldFrom(versionRegistered, 'references')
  async fold({ events, transaction }: FoldBatch<typeof versionRegistered>): Promise<OutgoingMessage[]> {
    await this.references.keep(events.map(({ data }) => data), transaction);
    return [];
  }
}
