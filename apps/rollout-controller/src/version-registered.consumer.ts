import { Controller } from '@nestjs/common';
import { versionRegistered } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { AdmitVersionsHandler } from './admit-versions.handler.js';

@Controller()
export class VersionRegisteredConsumer {
  constructor(private readonly admitVersions: AdmitVersionsHandler) {}

  @FoldFrom(versionRegistered, 'versions')
  fold({ events, transaction }: FoldBatch<typeof versionRegistered>): Promise<OutgoingMessage[]> {
    return this.admitVersions.handle(events, transaction);
  }
}
