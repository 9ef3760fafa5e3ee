import { Injectable } from '@nestjs/common';
import { outcomeObserved, predictionExplained, predictionServed } from '@millrace/contracts';
import { isIdle, watermarkMs } from '@millrace/core/drift';
import { Messaging } from '@millrace/messaging';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { MonitoredModels } from './monitored-models.js';

const eventOf = { predictions: predictionServed, explanations: predictionExplained, outcomes: outcomeObserved } as const;

/** The watermark of each model: the least of its partitions’ event times minus its lateness, idle partitions left out. */
@Injectable()
export class Watermarks {
  constructor(
    private readonly closing: ClosingStore,
    private readonly models: MonitoredModels,
    private readonly messaging: Messaging,
    private readonly settings: DriftMonitoringSettings,
  ) {}

  async read(source: keyof typeof eventOf): Promise<Map<string, number>> {
    const clocks = await this.closing.clocks(source);
    const idleMs = this.settings.idleSeconds * 1_000;
    const newest = Math.max(...clocks.map(({ movedAtMs }) => movedAtMs));
    // Asking the broker is needed only when somebody is silent.
    const unread = clocks.some(({ movedAtMs }) => newest - movedAtMs > idleMs) ? await this.messaging.unread(source, eventOf[source]) : new Map<number, number>();
    const partitionMoved = new Map<number, number>();
    for (const { partition, movedAtMs } of clocks) partitionMoved.set(partition, Math.max(movedAtMs, partitionMoved.get(partition) ?? 0));
    const watermarks = new Map<string, number>();
    for (const { model, latenessMs } of this.models.all()) {
      const own = clocks.filter((clock) => clock.model === model);
      const last = Math.max(...own.map(({ movedAtMs }) => movedAtMs));
      const partitions = own.map(({ partition, eventTimeMs, movedAtMs }) => ({
        maxEventTimeMs: eventTimeMs,
        idle: isIdle({ silentMs: last - movedAtMs, partitionSilentMs: last - (partitionMoved.get(partition) ?? last), unread: unread.get(partition) ?? 0 }, idleMs),
      }));
      const watermark = watermarkMs(partitions, latenessMs);
      if (watermark !== null) watermarks.set(model, watermark);
    }
    return watermarks;
  }
}
