import type { DataOf, predictionFailed, predictionServed } from '@millrace/contracts';
import type { GuardObservation } from '@millrace/core/rollout';
import type { Messaging } from '@millrace/messaging';
import { GuardIntake } from './guard-intake.js';
import type { RoutesUnderWay, RouteUnderWay } from './routes-under-way.js';
import type { WatchGuardsHandler } from './watch-guards.handler.js';

type Concerned = typeof predictionServed | typeof predictionFailed;

interface GuardFold<D extends Concerned> {
  readonly name: string;
  readonly event: D;
  readonly everyMs: number;
  /** What the event says to guards under the route that is in force; null: nothing. */
  readonly observationOf: (data: DataOf<D>, route: RouteUnderWay) => GuardObservation | null;
}

/** Reads events of models whose candidate is tried into the state of their guards; all others are passed over undecoded. */
export async function foldIntoGuards<D extends Concerned>(messaging: Messaging, routes: RoutesUnderWay, watchGuards: WatchGuardsHandler, { name, event, everyMs, observationOf }: GuardFold<D>): Promise<void> {
  const intake = new GuardIntake();
  await routes.start();
  await messaging.checkpointFold(name, {
    event,
    everyMs,
    everyRecords: 5_000,
    // Candidates of the past are no concern of guards.
    fromNow: true,
    wanted: routes.concerns,
    restore: async (partition) => intake.forget(partition),
    observe: (partition, events) => {
      for (const { data, topic, offset } of events) {
        for (const route of routes.of(data.model)) {
          const observation = observationOf(data, route);
          if (observation !== null) intake.note({ model: route.model, version: route.candidate.version, routeRevision: route.revision, topic, partition, offset }, observation);
        }
      }
    },
    save: (partition, _toOffset, transaction) => watchGuards.handle(intake.of(partition), transaction),
    saved: (partition) => intake.forget(partition),
  });
}
