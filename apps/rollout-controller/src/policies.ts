import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { MillraceError, specChanged } from '@millrace/contracts';
import { rolloutPlanOf, type RolloutPlan } from '@millrace/core/rollout';
import { Messaging, type CompactedTable } from '@millrace/messaging';

/** The newest spec of each model, from which roll-outs that begin take their plan. */
@Injectable()
export class Policies implements OnApplicationBootstrap {
  private table: CompactedTable<typeof specChanged> | undefined;

  constructor(private readonly messaging: Messaging) {}

  async onApplicationBootstrap(): Promise<void> {
    this.table = await this.messaging.table(specChanged);
  }

  /** @throws MillraceError DEPENDENCY_UNAVAILABLE while the spec has not arrived; the fold then tries again: versions and specs come by different topics. */
  planOf(model: string): RolloutPlan {
    const spec = this.table?.get(model);
    if (spec === undefined) throw new MillraceError('DEPENDENCY_UNAVAILABLE', `the spec of ${model} has not arrived yet`);
    return rolloutPlanOf(spec);
  }
}
