import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { routeChanged, specChanged, type SpecChanged } from '@millrace/contracts';
import { Messaging, type CompactedTable } from '@millrace/messaging';
import { Readiness } from '@millrace/service';
import { PredictionLog } from './prediction-log.js';
import { RouteBook } from './route-book.js';
import { ShadowRuns } from './shadow-runs.js';

/** Follows the compacted topics of specs and routes. Ready once every route that stood in the log was tried. */
@Injectable()
export class RouteChangedFollower implements OnApplicationBootstrap, OnApplicationShutdown {
  private specs: CompactedTable<typeof specChanged> | undefined;

  constructor(
    private readonly messaging: Messaging,
    private readonly routes: RouteBook,
    private readonly shadowRuns: ShadowRuns,
    private readonly predictionLog: PredictionLog,
    private readonly readiness: Readiness,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    let tried = false;
    this.readiness.add('routes', () => tried || 'the routed versions are being loaded');
    this.readiness.addNote('routes', () => this.routes.problems());
    this.specs = await this.messaging.table(specChanged);
    const table = await this.messaging.table(routeChanged);
    table.onChange((model, entry) => void (entry === undefined ? this.routes.drop(model) : this.routes.follow(entry.data)));
    await Promise.all(table.values().map((route) => this.routes.follow(route)));
    tried = true;
  }

  /** The HTTP edge has drained by now: only shadow runs are in flight. The relay, which stops later, publishes what they log. */
  async onApplicationShutdown(): Promise<void> {
    await this.shadowRuns.idle();
    this.predictionLog.write();
    await this.routes.close();
  }

  spec(model: string): SpecChanged | undefined {
    return this.specs?.get(model);
  }

  allSpecs(): SpecChanged[] {
    return this.specs?.values() ?? [];
  }
}
