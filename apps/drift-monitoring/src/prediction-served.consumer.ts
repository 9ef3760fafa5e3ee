import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { predictionServed, type PredictionServed } from '@millrace/contracts';
import { windowStart } from '@millrace/core/drift';
import { Messaging, type Received } from '@millrace/messaging';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import { emptyInputs, observeInputs, type InputState } from './input-state.js';
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
    this.book = new PaneBook('predictions', panes, closing, () => messaging.now());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.models.start();
    await this.messaging.checkpointFold('predictions', {
      event: predictionServed,
      everyMs: this.settings.saveEveryMs,
      everyRecords: this.settings.saveEveryRecords,
      restore: (partition) => this.book.restore(partition),
      observe: (_partition, events) => this.observe(events),
      save: async (partition, _toOffset, transaction) => {
        await this.book.save(partition, transaction);
        return [];
      },
      saved: (partition) => this.book.saved(partition),
    });
  }

  private observe(events: readonly Received<PredictionServed>[]): void {
    this.references.requireKnown(events.map(({ data }) => data));
    for (const { data, partition, offset } of events) {
      const { model, version, role } = data;
      if (data.fallback !== undefined) continue; // another version’s answer
      const monitored = this.models.get(model);
      if (monitored === undefined) {
        driftMonitoringMetrics.unmonitored.inc({ source: this.book.source });
        continue;
      }
      const eventTimeMs = Date.parse(data.eventTime);
      const windowStartMs = windowStart(eventTimeMs, monitored.windowMs);
      const pane = this.book.record({ partition, offset, eventTimeMs }, { model, version, role, windowStartMs, windowEndMs: windowStartMs + monitored.windowMs }, () => emptyInputs(this.references.get(model, version)));
      observeInputs(pane.state, data);
    }
  }
}
