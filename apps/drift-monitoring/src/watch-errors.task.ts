import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { verdictIssued, type VerdictIssued } from '@millrace/contracts';
import { windowStart } from '@millrace/core/drift';
import { evidenceShare, noted, startErrorWatch, startTrail, watchPane, wholeTrail, type ErrorRise, type ErrorTrail, type ErrorWatch } from '@millrace/core/performance';
import { riseVerdict, watchSalt, type MonitoredModel, type Reference } from '@millrace/core/verdicts';
import { Messaging } from '@millrace/messaging';
import { inTransaction, type Transaction } from '@millrace/persistence';
import { PeriodicTask, ServiceLog } from '@millrace/service';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import { errorsByVersion, mergedCounts, type ErrorCount, type ErrorsOfVersion } from './error-count.js';
import { ErrorWatchStore, type KeptWatch } from './error-watch.store.js';
import type { JudgedWindow } from './judged-window.js';
import { MonitoredModels } from './monitored-models.js';
import { PaneStore } from './pane.store.js';
import { References } from './references.js';
import { VerdictStore } from './verdict.store.js';
import { Watermarks } from './watermarks.js';

/**
 * Watches the errors of each version for a rise, pane by pane of label event time, as the watermark passes them. A rise is a
 * verdict of its own, as soon as the evidence is in: it waits for no window to close.
 */
@Injectable()
export class WatchErrorsTask implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly task: PeriodicTask;

  constructor(
    private readonly database: DataSource,
    private readonly messaging: Messaging,
    private readonly models: MonitoredModels,
    private readonly references: References,
    private readonly panes: PaneStore,
    private readonly closing: ClosingStore,
    private readonly watermarks: Watermarks,
    private readonly watches: ErrorWatchStore,
    private readonly verdicts: VerdictStore,
    settings: DriftMonitoringSettings,
    log: ServiceLog,
  ) {
    this.task = new PeriodicTask({
      everyMs: settings.closeEveryMs, quietMs: settings.idleSeconds * 1_000, now: () => messaging.now(),
      round: () => this.run(), failed: (error) => log.warn({ err: error }, 'errors could not be watched; tried again later'),
    });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** One round over all models. Answers the rises that this instance has found. */
  async run(): Promise<JudgedWindow[]> {
    const watermarks = await this.watermarks.read('outcomes');
    const closedUntil = await this.closing.closedUntil('errors');
    const risen: JudgedWindow[] = [];
    for (const model of this.models.all()) {
      const untilMs = windowStart(watermarks.get(model.model) ?? 0, model.conceptDrift.paneMs);
      if (model.conceptDrift.enabled && untilMs > (closedUntil.get(model.model) ?? 0)) risen.push(...(await this.advance(model, untilMs, watermarks.get(model.model) ?? 0)));
    }
    return risen;
  }

  private async advance(model: MonitoredModel, untilMs: number, watermarkMs: number): Promise<JudgedWindow[]> {
    const shown: [version: string, watch: ErrorWatch][] = [];
    const risen = await inTransaction(this.database, async (transaction) => {
      if (!(await this.closing.advance(model.model, 'errors', untilMs, transaction))) return [];
      const found: JudgedWindow[] = [];
      for (const errors of errorsByVersion(await this.panes.take<ErrorCount>(model.model, 'errors', untilMs, transaction))) {
        const kept = await this.watchOf(model, errors.version, transaction);
        if (kept === null) continue;
        found.push(...this.watch(kept, errors, model, await this.references.load(model.model, errors.version), watermarkMs));
        await this.watches.keep(model.model, errors.version, kept, transaction);
        shown.push([errors.version, kept.watch]);
      }
      for (const rise of found) await this.verdicts.keep(rise, transaction);
      await this.messaging.enqueue(transaction, found.map(({ verdict }) => this.messaging.encode(verdictIssued, verdict, { key: verdict.model, id: verdict.verdictId })));
      return found;
    });
    if (risen.length > 0) this.messaging.wakeOutbox();
    for (const [version, watch] of shown) driftMonitoringMetrics.conceptDriftEvidence.set({ model: model.model, version }, evidenceShare(watch));
    for (const { verdict } of risen) count(verdict);
    return risen;
  }

  /** A version is watched from the errors of its validation; without them there is nothing to rise from. */
  private async watchOf({ model, conceptDrift: { meanTimeBetweenFalseAlarms, unit } }: MonitoredModel, version: string, transaction: Transaction): Promise<KeptWatch | null> {
    const kept = await this.watches.read(model, version, transaction);
    if (kept !== null && kept.watch.unit === unit && kept.watch.meanTimeBetweenFalseAlarms === meanTimeBetweenFalseAlarms) return kept;
    const errors = (await this.references.load(model, version))?.errors ?? null;
    if (errors === null || errors.rows === 0) return null;
    return { watch: startErrorWatch({ baseline: { errors: errors.wrong, rows: errors.rows }, meanTimeBetweenFalseAlarms, unit }), trail: startTrail(null) };
  }

  private watch(kept: KeptWatch, { version, panes }: ErrorsOfVersion, model: MonitoredModel, reference: Reference | null, watermarkMs: number): JudgedWindow[] {
    const { watch } = kept;
    return mergedCounts(panes).flatMap((pane) => {
      kept.trail = noted(kept.trail, pane, watch);
      const rises = watchPane(watch, pane, watchSalt(model.model, version));
      return rises.map((rise, index) => risen(rise, riseVerdict(rise, index, { model, version, watermarkMs, reference, watch, trail: wholeTrail(kept.trail) }), wholeTrail(kept.trail)));
    });
  }
}

function risen(rise: ErrorRise, verdict: VerdictIssued, trail: ErrorTrail): JudgedWindow {
  const { model, version, window } = verdict;
  const metrics = [{ name: 'error-rate', value: rise.errorNow, n: rise.rows, low: rise.low, high: rise.high, better: 'lower' as const }];
  return { model, version, role: 'primary', windowStartMs: rise.sinceMs, windowEndMs: Date.parse(window.to), verdict, metrics, state: { rise, trail } };
}

function count({ model, version, kind, outcome }: VerdictIssued): void {
  driftMonitoringMetrics.verdicts.inc({ model, kind, outcome });
  driftMonitoringMetrics.conceptDrifts.inc({ model, version });
}
