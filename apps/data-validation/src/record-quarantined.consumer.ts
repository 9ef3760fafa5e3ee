import { Controller } from '@nestjs/common';
import { recordQuarantined } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { KeepQuarantinedHandler } from './keep-quarantined.handler.js';

@Controller()
export class RecordQuarantinedConsumer {
  constructor(private readonly keepQuarantined: KeepQuarantinedHandler) {}

  @FoldFrom(recordQuarantined, 'quarantine')
  fold({ events, transaction }: FoldBatch<typeof recordQuarantined>): Promise<OutgoingMessage[]> {
    return this.keepQuarantined.handle(events, transaction);
  }
}
