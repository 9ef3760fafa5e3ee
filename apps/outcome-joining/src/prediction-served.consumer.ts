import { Controller } from '@nestjs/common';
import { predictionServed } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { JoinPredictionsHandler } from './join-predictions.handler.js';

@Controller()
export class PredictionServedConsumer {
  constructor(private readonly joinPredictions: JoinPredictionsHandler) {}

  @FoldFrom(predictionServed, 'predictions')
  fold({ events, transaction }: FoldBatch<typeof predictionServed>): Promise<OutgoingMessage[]> {
    return this.joinPredictions.handle(events, transaction);
  }
}
