import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { predictionServed } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { GuardIntake } from './guard-intake.js';
import { observationOfServed } from './guard-observations.js';
import { RoutesUnderWay } from './routes-under-way.js';
import { WatchGuardsHandler } from './watch-guards.handler.js';

/** Answers of models whose candidate is tried; all others are passed over undecoded. */
@Injectable()
export class PredictionServedConsumer implements OnApplicationBootstrap {
  private readonly intake = new GuardIntake();

  constructor(
    private readonly messaging: Messaging,
    private readonly routes: RoutesUnderWay,
    private readonly watchGuards: WatchGuardsHandler,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.routes.start();
    await this.messaging.checkpointFold('guards-served', {
      event: predictionServed,
      everyMs: 250,
      everyRecords: 5_000,
      // Candidates of the past are no concern of guards.
      fromNow: true,
      wanted: this.routes.concerns,
      restore: async (partition) => this.intake.forget(partition),
      observe: (partition, events) => {
        for (const { data } of events) {
          const route = this.routes.get(data.model);
          const observation = route === undefined ? null : observationOfServed(data, route);
          if (route !== undefined && observation !== null) this.intake.note(partition, data.model, route.revision, observation);
        }
      },
      save: (partition, _toOffset, transaction) => this.watchGuards.handle(this.intake.of(partition), transaction),
      saved: (partition) => this.intake.forget(partition),
    });
  }
}
