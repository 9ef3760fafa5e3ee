import { Controller } from '@nestjs/common';
import { stepDecided } from '@millrace/contracts';
import { FoldFrom, type FoldBatch, type OutgoingMessage } from '@millrace/messaging';
import { RolloutStepStore } from './rollout-step.store.js';

/** Nothing is decided here: what the roll-out did with a version belongs on its card. */
@Controller()
export class StepDecidedConsumer {
  constructor(private readonly steps: RolloutStepStore) {}

  @FoldFrom(stepDecided, 'rollout-steps')
  async fold({ events, transaction }: FoldBatch<typeof stepDecided>): Promise<OutgoingMessage[]> {
    await this.steps.add(transaction, events.map(({ data }) => data));
    return [];
  }
}
