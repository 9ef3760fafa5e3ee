import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { predictionServed, type PredictionServed } from '@millrace/contracts';
import { mergeInputs, observeInputs, type InputState } from '@millrace/core/drift';
import { emptyInputPane, inputPaneOf, isRow, servedRow } from '@millrace/core/verdicts';
import { Messaging, type Received } from '@millrace/messaging';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import { foldPanes } from './fold-panes.js';
import { MonitoredModels } from './monitored-models.js';
import { PaneBook } from './pane-book.js';
import { PaneStore } from './pane.store.js';
import { References } from './references.js';

/** Profiles what each version sees and says, per window of the event time of the request. */
@Injectable()
export class PredictionServedConsumer implements OnApplicationBootstrap {
  private readonly book: PaneBook<InputState>;

  constructor(
    private readonly messaging: Messaging,
    private readonly models: MonitoredModels,
    private readonly references: References,
    private readonly settings: DriftMonitoringSettings,
    panes: PaneStore,
    closing: ClosingStore,
  ) {
    this.book = new PaneBook('predictions', panes, closing, () => messaging.now(), {
      merge: mergeInputs,
      settle: (state) => ({ ...state, seen: null }),
      times: (model) => models.get(model),
    });
  }

  onApplicationBootstrap(): Promise<void> {
    return foldPanes(this.messaging, this.models, this.settings, { purpose: 'predictions', event: predictionServed, books: [this.book], observe: (events) => this.observe(events) });
  }

  private observe(events: readonly Received<PredictionServed>[]): void {
    this.references.requireKnown(events.map(({ data }) => data));
    for (const { data, partition, offset } of events) {
      if (!isRow(data)) continue;
      const monitored = this.models.get(data.model);
      if (monitored === undefined) {
        driftMonitoringMetrics.unmonitored.inc({ source: this.book.source });
        continue;
      }
      const at = { partition, offset, eventTimeMs: Date.parse(data.eventTime) };
      const key = inputPaneOf(data, monitored, this.book.clock(partition, data.model));
      const pane = this.book.open(at, key, () => emptyInputPane(key, this.references.get(data.model, data.version), monitored));
      if (observeInputs(pane.state, servedRow(data, at, pane.state.output.kind))) this.book.count(at, pane);
      else driftMonitoringMetrics.repeated.inc({ model: data.model });
    }
  }
}
