import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { predictionServed, verdictIssued } from '@millrace/contracts';
import { silenceVerdict, type MonitoredModel, type Silence } from '@millrace/core/verdicts';
import { Messaging } from '@millrace/messaging';
import { inTransaction } from '@millrace/persistence';
import { PeriodicTask, ServiceLog } from '@millrace/service';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import type { JudgedWindow } from './judged-window.js';
import { MonitoredModels } from './monitored-models.js';
import { VerdictStore } from './verdict.store.js';

interface LastPrediction {
  readonly eventTimeMs: number;
  readonly movedAtMs: number;
}

/** A model that nobody asks any more has no windows to be judged: silence alone is judged by the wall clock, once for each time it falls silent. */
@Injectable()
export class WatchFreshnessTask implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly task: PeriodicTask;

  constructor(
    private readonly database: DataSource,
    private readonly messaging: Messaging,
    private readonly models: MonitoredModels,
    private readonly closing: ClosingStore,
    private readonly verdicts: VerdictStore,
    settings: DriftMonitoringSettings,
    log: ServiceLog,
  ) {
    this.task = new PeriodicTask({
      everyMs: settings.closeEveryMs, quietMs: settings.idleSeconds * 1_000, now: () => messaging.now(),
      round: () => this.run(), failed: (error) => log.warn({ err: error }, 'freshness could not be judged; tried again later'),
    });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** One round over all models. Answers the silences that this instance was the first to tell. */
  async run(): Promise<JudgedWindow[]> {
    const watched = this.models.all().filter(({ silenceMs }) => silenceMs !== null);
    if (watched.length === 0) return [];
    const clocks = await this.closing.clocks('predictions');
    const nowMs = this.messaging.now().getTime();
    const told: JudgedWindow[] = [];
    for (const model of watched) {
      const own = clocks.filter((clock) => clock.model === model.model);
      const last = { eventTimeMs: Math.max(...own.map(({ eventTimeMs }) => eventTimeMs)), movedAtMs: Math.max(...own.map(({ movedAtMs }) => movedAtMs)) };
      if (own.length === 0 || nowMs - last.movedAtMs <= (model.silenceMs ?? Infinity) || (await this.hasUnread())) continue;
      const window = await this.tell(model, last, nowMs);
      if (window !== null) told.push(window);
    }
    return told;
  }

  /** What waits to be read is not silence. A transaction’s marker takes an offset, so 1 is nothing. */
  private async hasUnread(): Promise<boolean> {
    return [...(await this.messaging.unread('predictions', predictionServed)).values()].some((unread) => unread > 1);
  }

  private async tell(model: MonitoredModel, last: LastPrediction, nowMs: number): Promise<JudgedWindow | null> {
    const version = await this.verdicts.lastVersion(model.model);
    if (version === null) return null;
    const window = silence(model, version, { ...last, nowMs, positions: await this.closing.positions(this.messaging.group('predictions')) });
    const first = await inTransaction(this.database, async (transaction) => {
      if (!(await this.verdicts.keep(window, transaction))) return false;
      await this.messaging.enqueue(transaction, [this.messaging.encode(verdictIssued, window.verdict, { key: model.model, id: window.verdict.verdictId })]);
      return true;
    });
    if (!first) return null;
    this.messaging.wakeOutbox();
    driftMonitoringMetrics.verdicts.inc({ model: model.model, kind: 'drift', outcome: 'failed' });
    return window;
  }
}

function silence(model: MonitoredModel, version: string, told: Silence): JudgedWindow {
  const { eventTimeMs } = told;
  return { model: model.model, version, role: 'primary', windowStartMs: eventTimeMs, windowEndMs: eventTimeMs + (model.silenceMs ?? 0), verdict: silenceVerdict(model, version, told), metrics: [], state: { v: 2, ...told } };
}
