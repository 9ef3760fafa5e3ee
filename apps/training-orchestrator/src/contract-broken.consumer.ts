import { Controller } from '@nestjs/common';
import { contractBroken } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { LearnEvidenceHandler } from './learn-evidence.handler.js';

@Controller()
export class ContractBrokenConsumer {
  constructor(private readonly learnEvidence: LearnEvidenceHandler) {}

  @FoldFrom(contractBroken, 'contract-breaks')
  fold({ events, transaction }: FoldBatch<typeof contractBroken>): Promise<OutgoingMessage[]> {
    return this.learnEvidence.contractBreaks(events, transaction);
  }
}
