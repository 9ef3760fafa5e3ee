import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { predictionFailed } from '@millrace/contracts';
import { observationOfFailed } from '@millrace/core/rollout';
import { Messaging } from '@millrace/messaging';
import { foldIntoGuards } from './guard-fold.js';
import { RoutesUnderWay } from './routes-under-way.js';
import { WatchGuardsHandler } from './watch-guards.handler.js';

/** Requests that a version did not answer: few, and every one is urgent. */
@Injectable()
export class PredictionFailedConsumer implements OnApplicationBootstrap {
  constructor(
    private readonly messaging: Messaging,
    private readonly routes: RoutesUnderWay,
    private readonly watchGuards: WatchGuardsHandler,
  ) {}

  onApplicationBootstrap(): Promise<void> {
    return foldIntoGuards(this.messaging, this.routes, this.watchGuards, { name: 'guards-failed', event: predictionFailed, everyMs: 100, observationOf: observationOfFailed });
  }
}
