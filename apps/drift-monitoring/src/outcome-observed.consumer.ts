import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { outcomeObserved, type OutcomeObserved, type ServedPrediction } from '@millrace/contracts';
import { windowStart } from '@millrace/core/drift';
import { isWrong, mergeOutcomes, type OutcomeState } from '@millrace/core/performance';
import { emptyOutcomePane, firstOfEachVersion, observeAnswer, outcomePaneOf, type MonitoredModel, type PaneKey } from '@millrace/core/verdicts';
import { Messaging, type Received } from '@millrace/messaging';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import type { ErrorCount } from './error-count.js';
import { foldPanes } from './fold-panes.js';
import { MonitoredModels } from './monitored-models.js';
import { PaneBook } from './pane-book.js';
import { PaneStore } from './pane.store.js';
import { References } from './references.js';

/** Adds up how well each version did, per window of the event time at which the truth became known; errors of primary answers, per pane of it. */
@Injectable()
export class OutcomeObservedConsumer implements OnApplicationBootstrap {
  private readonly book: PaneBook<OutcomeState>;
  private readonly errors: PaneBook<ErrorCount>;

  constructor(
    private readonly messaging: Messaging,
    private readonly models: MonitoredModels,
    private readonly references: References,
    private readonly settings: DriftMonitoringSettings,
    panes: PaneStore,
    closing: ClosingStore,
  ) {
    this.book = new PaneBook('outcomes', panes, closing, () => messaging.now(), {
      merge: mergeOutcomes,
      settle: (state) => state,
      times: (model) => models.get(model),
    });
    this.errors = new PaneBook('errors', panes, closing, () => messaging.now());
  }

  onApplicationBootstrap(): Promise<void> {
    return foldPanes(this.messaging, this.models, this.settings, { purpose: 'outcomes', event: outcomeObserved, books: [this.book, this.errors], observe: (events) => this.observe(events) });
  }

  private observe(events: readonly Received<OutcomeObserved>[]): void {
    this.references.requireKnown(events.flatMap(({ data }) => data.predictions.map(({ version }) => ({ model: data.model, version }))));
    for (const event of events) {
      const monitored = this.models.get(event.data.model);
      if (monitored === undefined) driftMonitoringMetrics.unmonitored.inc({ source: this.book.source });
      else for (const prediction of firstOfEachVersion(event.data.predictions)) this.take(event, prediction, monitored);
    }
  }

  private take({ data, partition, offset }: Received<OutcomeObserved>, prediction: ServedPrediction, monitored: MonitoredModel): void {
    const { model, label, labelEventTime } = data;
    const { version, role, output } = prediction;
    const at = { partition, offset, eventTimeMs: Date.parse(labelEventTime) };
    const { state } = this.book.record(at, outcomePaneOf(data, prediction, monitored), () => emptyOutcomePane(monitored));
    observeAnswer(state, data, prediction, monitored);
    if (role === 'primary') this.watch(at, { model, version, role }, isWrong(monitored.task, output, label, this.references.get(model, version)?.errors?.tolerance ?? null), monitored);
  }

  private watch(at: { partition: number; offset: number; eventTimeMs: number }, of: Pick<PaneKey, 'model' | 'version' | 'role'>, wrong: boolean | null, { conceptDrift: { enabled, paneMs } }: MonitoredModel): void {
    if (!enabled || wrong === null) return;
    const windowStartMs = windowStart(at.eventTimeMs, paneMs);
    const { state } = this.errors.record(at, { ...of, windowStartMs, windowEndMs: windowStartMs + paneMs }, () => ({ errors: 0 }));
    if (wrong) state.errors += 1;
  }
}
