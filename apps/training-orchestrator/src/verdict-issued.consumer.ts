import { Controller } from '@nestjs/common';
import { verdictIssued } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { LearnEvidenceHandler } from './learn-evidence.handler.js';

@Controller()
export class VerdictIssuedConsumer {
  constructor(private readonly learnEvidence: LearnEvidenceHandler) {}

  @FoldFrom(verdictIssued, 'verdicts')
  fold({ events, transaction }: FoldBatch<typeof verdictIssued>): Promise<OutgoingMessage[]> {
    return this.learnEvidence.verdicts(events, transaction);
  }
}
