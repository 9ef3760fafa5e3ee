import { Controller } from '@nestjs/common';
import { segmentSealed } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { LearnEvidenceHandler } from './learn-evidence.handler.js';

@Controller()
export class SegmentSealedConsumer {
  constructor(private readonly learnEvidence: LearnEvidenceHandler) {}

  @FoldFrom(segmentSealed, 'segments')
  fold({ events, transaction }: FoldBatch<typeof segmentSealed>): Promise<OutgoingMessage[]> {
    return this.learnEvidence.segments(events, transaction);
  }
}
