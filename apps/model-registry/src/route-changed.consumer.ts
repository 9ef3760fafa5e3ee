import { Controller } from '@nestjs/common';
import { routeChanged } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { MoveAliasesHandler } from './move-aliases.handler.js';

@Controller()
export class RouteChangedConsumer {
  constructor(private readonly moveAliases: MoveAliasesHandler) {}

  @FoldFrom(routeChanged, 'routes')
  fold({ events, transaction }: FoldBatch<typeof routeChanged>): Promise<OutgoingMessage[]> {
    return this.moveAliases.handle(events, transaction);
  }
}
