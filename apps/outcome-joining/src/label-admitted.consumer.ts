import { Controller } from '@nestjs/common';
import { labelAdmitted } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { JoinLabelsHandler } from './join-labels.handler.js';

@Controller()
export class LabelAdmittedConsumer {
  constructor(private readonly joinLabels: JoinLabelsHandler) {}

  @FoldFrom(labelAdmitted, 'labels')
  fold({ events, transaction }: FoldBatch<typeof labelAdmitted>): Promise<OutgoingMessage[]> {
    return this.joinLabels.handle(events, transaction);
  }
}
