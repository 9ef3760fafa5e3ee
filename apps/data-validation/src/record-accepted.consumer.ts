import { Controller } from '@nestjs/common';
import { recordAccepted, type RecordAccepted } from '@millrace/contracts';
import { PipeFrom, type OutgoingMessage, type Received } from '@millrace/messaging';
import { JudgeRecordsHandler } from './judge-records.handler.js';

@Controller()
export class RecordAcceptedConsumer {
  constructor(private readonly judgeRecords: JudgeRecordsHandler) {}

  @PipeFrom(recordAccepted, 'judge')
  pipe(events: Received<RecordAccepted>[]): OutgoingMessage[] {
    return this.judgeRecords.handle(events);
  }
}
