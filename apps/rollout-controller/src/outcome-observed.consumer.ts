import { Controller } from '@nestjs/common';
import { outcomeObserved } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { WeighOutcomesHandler } from './weigh-outcomes.handler.js';

@Controller()
export class OutcomeObservedConsumer {
  constructor(private readonly weighOutcomes: WeighOutcomesHandler) {}

  @FoldFrom(outcomeObserved, 'outcomes')
  fold({ events, transaction }: FoldBatch<typeof outcomeObserved>): Promise<OutgoingMessage[]> {
    return this.weighOutcomes.handle(events, transaction);
  }
}
