import { Controller } from '@nestjs/common';
import { runCompleted } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { RegisterVersionHandler } from './register-version.handler.js';

@Controller()
export class RunCompletedConsumer {
  constructor(private readonly registerVersion: RegisterVersionHandler) {}

  @FoldFrom(runCompleted, 'runs')
  fold({ events, transaction }: FoldBatch<typeof runCompleted>): Promise<OutgoingMessage[]> {
    return this.registerVersion.handle(events, transaction);
  }
}
