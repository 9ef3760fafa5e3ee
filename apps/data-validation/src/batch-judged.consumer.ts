import { Controller } from '@nestjs/common';
import { batchJudged } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { RecordQualityHandler } from './record-quality.handler.js';

@Controller()
export class BatchJudgedConsumer {
  constructor(private readonly recordQuality: RecordQualityHandler) {}

  @FoldFrom(batchJudged, 'quality')
  fold({ events, transaction }: FoldBatch<typeof batchJudged>): Promise<OutgoingMessage[]> {
    return this.recordQuality.handle(events, transaction);
  }
}
