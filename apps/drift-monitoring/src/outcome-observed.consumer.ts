import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { outcomeObserved, type OutcomeObserved, type ServedPrediction } from '@millrace/contracts';
import { windowStart } from '@millrace/core/drift';
import { emptyPerformance, observeOutcome, type PerformanceSums } from '@millrace/core/statistics';
import { Messaging, type Received } from '@millrace/messaging';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import { MonitoredModels } from './monitored-models.js';
import { PaneBook } from './pane-book.js';
import { PaneStore } from './pane.store.js';
import { References } from './references.js';

/** Adds up how well each version did, per window of the event time at which the truth became known. */
@Injectable()
export class OutcomeObservedConsumer implements OnApplicationBootstrap {
  private readonly book: PaneBook<PerformanceSums>;

  constructor(
    private readonly messaging: Messaging,
    private readonly models: MonitoredModels,
    private readonly references: References,
    private readonly settings: DriftMonitoringSettings,
    panes: PaneStore,
    closing: ClosingStore,
  ) {
    this.book = new PaneBook('outcomes', panes, closing, () => messaging.now());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.models.start();
    await this.messaging.checkpointFold('outcomes', {
      event: outcomeObserved,
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

  private observe(events: readonly Received<OutcomeObserved>[]): void {
    this.references.requireKnown(events.flatMap(({ data }) => data.predictions.map(({ version }) => ({ model: data.model, version }))));
    for (const { data, partition, offset } of events) {
      const { model, label, labelEventTime } = data;
      const monitored = this.models.get(model);
      if (monitored === undefined) {
        driftMonitoringMetrics.unmonitored.inc({ source: this.book.source });
        continue;
      }
      const eventTimeMs = Date.parse(labelEventTime);
      const windowStartMs = windowStart(eventTimeMs, monitored.windowMs);
      for (const { version, role, output } of firstOfEachVersion(data.predictions)) {
        const key = { model, version, role, windowStartMs, windowEndMs: windowStartMs + monitored.windowMs };
        observeOutcome(this.book.record({ partition, offset, eventTimeMs }, key, () => emptyPerformance(monitored.task)).state, output, label);
      }
    }
  }
}

/** A record that was asked for twice is one record: its first answer of each version and role counts. A fallback’s answers are not the version’s. */
function firstOfEachVersion(predictions: readonly ServedPrediction[]): ServedPrediction[] {
  const seen = new Set<string>();
  return predictions.filter(({ version, role, fallback }) => {
    if (fallback !== undefined) return false;
    const key = `${role} ${version}`;
    const fresh = !seen.has(key);
    seen.add(key);
    return fresh;
  });
}
