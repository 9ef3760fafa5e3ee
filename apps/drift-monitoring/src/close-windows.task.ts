import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { verdictIssued, type VerdictIssued } from '@millrace/contracts';
import { windowStart } from '@millrace/core/drift';
import type { MonitoredModel } from '@millrace/core/verdicts';
import { Messaging } from '@millrace/messaging';
import { inTransaction, type Transaction } from '@millrace/persistence';
import { PeriodicTask, ServiceLog } from '@millrace/service';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import { JudgeAttributionsHandler } from './judge-attributions.handler.js';
import { JudgeOutcomesHandler } from './judge-outcomes.handler.js';
import type { JudgedWindow } from './judged-window.js';
import { JudgeInputsHandler } from './judge-inputs.handler.js';
import { MonitoredModels } from './monitored-models.js';
import { showVerdict } from './show-verdict.js';
import { VerdictStore } from './verdict.store.js';
import { Watermarks } from './watermarks.js';

/** Windows are made of panes of these. */
type WindowSource = 'predictions' | 'explanations' | 'outcomes';

/** Judges the windows up to a time that have rows which were never judged, and keeps the verdicts. */
interface Judge {
  handle(model: MonitoredModel, untilMs: number, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow[]>;
}

/**
 * Closes windows that the watermark has passed: merges the panes of all partitions, judges them, and in one transaction
 * keeps the verdict, marks the windows closed and publishes. The model’s closing row decides which instance does it. Windows
 * that late rows have changed since are judged again in the same round.
 */
@Injectable()
export class CloseWindowsTask implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly task: PeriodicTask;
  private readonly judges: Readonly<Record<WindowSource, Judge>>;

  constructor(
    private readonly database: DataSource,
    private readonly messaging: Messaging,
    private readonly models: MonitoredModels,
    private readonly closing: ClosingStore,
    private readonly watermarks: Watermarks,
    private readonly verdicts: VerdictStore,
    inputs: JudgeInputsHandler,
    attributions: JudgeAttributionsHandler,
    private readonly outcomes: JudgeOutcomesHandler,
    settings: DriftMonitoringSettings,
    log: ServiceLog,
  ) {
    this.judges = { predictions: inputs, explanations: attributions, outcomes };
    this.task = new PeriodicTask({
      everyMs: settings.closeEveryMs, quietMs: settings.idleSeconds * 1_000, now: () => messaging.now(),
      round: () => this.run(), failed: (error) => log.warn({ err: error }, 'windows could not be closed; tried again later'),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    for (const kept of await this.verdicts.latest()) showVerdict(kept, kept.metrics);
    this.task.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** One round over all models. Answers the windows that this instance has closed. */
  async run(): Promise<JudgedWindow[]> {
    const judged: JudgedWindow[] = [];
    for (const source of ['predictions', 'explanations', 'outcomes'] as const) {
      const watermarks = await this.watermarks.read(source);
      const closedUntil = await this.closing.closedUntil(source);
      for (const model of this.models.all()) {
        const watermark = watermarks.get(model.model);
        if (watermark === undefined) continue;
        driftMonitoringMetrics.watermark.set({ model: model.model, source }, watermark / 1_000);
        if (windowStart(watermark, model.windowMs) > (closedUntil.get(model.model) ?? 0)) judged.push(...(await this.close(model, source, watermark)));
      }
    }
    return judged;
  }

  private async close(model: MonitoredModel, source: WindowSource, watermark: number): Promise<JudgedWindow[]> {
    const judged = await inTransaction(this.database, async (transaction) => {
      const untilMs = windowStart(watermark, model.windowMs);
      if (!(await this.closing.advance(model.model, source, untilMs, transaction))) return [];
      const windows = await this.judges[source].handle(model, untilMs, watermark, transaction);
      const issued = windows.filter(({ role }) => role === 'primary').map(({ verdict }) => this.messaging.encode(verdictIssued, verdict, { key: verdict.model, id: eventIdOf(verdict) }));
      await this.messaging.enqueue(transaction, issued);
      return windows;
    });
    this.messaging.wakeOutbox();
    if (source === 'outcomes' && judged.length > 0) await this.outcomes.showWaiting(model, watermark);
    for (const { verdict, metrics, role } of judged) {
      if (role !== 'primary') continue;
      showVerdict(verdict, metrics);
      driftMonitoringMetrics.verdicts.inc({ model: verdict.model, kind: verdict.kind, outcome: verdict.outcome });
    }
    return judged;
  }
}

/** Each revision of a verdict is an event of its own. */
const eventIdOf = ({ verdictId, revision = 1 }: VerdictIssued): string => (revision === 1 ? verdictId : `${verdictId}#${revision}`);
