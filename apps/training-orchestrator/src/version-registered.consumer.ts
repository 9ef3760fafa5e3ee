import { Controller } from '@nestjs/common';
import { versionRegistered } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { LearnEvidenceHandler } from './learn-evidence.handler.js';

@Controller()
export class VersionRegisteredConsumer {
  constructor(private readonly learnEvidence: LearnEvidenceHandler) {}

  @FoldFrom(versionRegistered, 'versions')
  fold({ events, transaction }: FoldBatch<typeof versionRegistered>): Promise<OutgoingMessage[]> {
    return this.learnEvidence.versions(events, transaction);
  }
}
