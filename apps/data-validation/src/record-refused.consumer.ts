import { Controller } from '@nestjs/common';
import { recordRefused } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { CountRefusedHandler } from './count-refused.handler.js';

@Controller()
export class RecordRefusedConsumer {
  constructor(private readonly countRefused: CountRefusedHandler) {}

  @FoldFrom(recordRefused, 'refused')
  fold({ events, transaction }: FoldBatch<typeof recordRefused>): Promise<OutgoingMessage[]> {
    return this.countRefused.handle(events, transaction);
  }
}
