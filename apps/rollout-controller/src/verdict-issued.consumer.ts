import { Controller } from '@nestjs/common';
import { verdictIssued } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { NoteVerdictsHandler } from './note-verdicts.handler.js';

@Controller()
export class VerdictIssuedConsumer {
  constructor(private readonly noteVerdicts: NoteVerdictsHandler) {}

  @FoldFrom(verdictIssued, 'verdicts')
  fold({ events, transaction }: FoldBatch<typeof verdictIssued>): Promise<OutgoingMessage[]> {
    return this.noteVerdicts.handle(events, transaction);
  }
}
