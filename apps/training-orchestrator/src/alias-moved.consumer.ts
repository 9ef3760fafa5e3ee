import { Controller } from '@nestjs/common';
import { aliasMoved } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { LearnEvidenceHandler } from './learn-evidence.handler.js';

@Controller()
export class AliasMovedConsumer {
  constructor(private readonly learnEvidence: LearnEvidenceHandler) {}

  @FoldFrom(aliasMoved, 'aliases')
  fold({ events, transaction }: FoldBatch<typeof aliasMoved>): Promise<OutgoingMessage[]> {
    return this.learnEvidence.aliases(events, transaction);
  }
}
