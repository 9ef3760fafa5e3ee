import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { predictionServed } from '@millrace/contracts';
import { observationOfServed } from '@millrace/core/rollout';
import { Messaging } from '@millrace/messaging';
import { foldIntoGuards } from './guard-fold.js';
import { RoutesUnderWay } from './routes-under-way.js';
import { WatchGuardsHandler } from './watch-guards.handler.js';

/** Answers of models whose candidate is tried; all others are passed over undecoded. */
@Injectable()
export class PredictionServedConsumer implements OnApplicationBootstrap {
  constructor(
    private readonly messaging: Messaging,
    private readonly routes: RoutesUnderWay,
    private readonly watchGuards: WatchGuardsHandler,
  ) {}

  onApplicationBootstrap(): Promise<void> {
    return foldIntoGuards(this.messaging, this.routes, this.watchGuards, { name: 'guards-served', event: predictionServed, everyMs: 250, observationOf: observationOfServed });
  }
}
