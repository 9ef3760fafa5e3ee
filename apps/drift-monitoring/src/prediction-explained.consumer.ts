import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { predictionExplained, type PredictionExplained } from '@millrace/contracts';
import { mergeAttributions, observeAttributions, type AttributionState } from '@millrace/core/drift';
import { attributionPaneOf, emptyAttributionPane } from '@millrace/core/verdicts';
import { Messaging, type Received } from '@millrace/messaging';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import { foldPanes } from './fold-panes.js';
import { MonitoredModels } from './monitored-models.js';
import { PaneBook } from './pane-book.js';
import { PaneStore } from './pane.store.js';
import { References } from './references.js';

/** Counts what the explained answers of each version rested on, per window of the event time of the request. */
@Injectable()
export class PredictionExplainedConsumer implements OnApplicationBootstrap {
  private readonly book: PaneBook<AttributionState>;

  constructor(
    private readonly messaging: Messaging,
    private readonly models: MonitoredModels,
    private readonly references: References,
    private readonly settings: DriftMonitoringSettings,
    panes: PaneStore,
    closing: ClosingStore,
  ) {
    this.book = new PaneBook('explanations', panes, closing, () => messaging.now(), {
      merge: mergeAttributions,
      settle: (state) => ({ ...state, seen: null }),
      times: (model) => models.get(model),
    });
  }

  onApplicationBootstrap(): Promise<void> {
    return foldPanes(this.messaging, this.models, this.settings, { purpose: 'explanations', event: predictionExplained, books: [this.book], observe: (events) => this.observe(events) });
  }

  private observe(events: readonly Received<PredictionExplained>[]): void {
    this.references.requireKnown(events.map(({ data }) => data));
    for (const { data, partition, offset } of events) {
      const monitored = this.models.get(data.model);
      if (monitored === undefined) {
        driftMonitoringMetrics.unmonitored.inc({ source: this.book.source });
        continue;
      }
      const at = { partition, offset, eventTimeMs: Date.parse(data.eventTime) };
      const key = attributionPaneOf(data, monitored, this.book.clock(partition, data.model));
      const pane = this.book.open(at, key, () => emptyAttributionPane(key));
      if (observeAttributions(pane.state, data.predictionId, data.contributions)) this.book.count(at, pane);
    }
  }
}
