import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Messaging } from '@millrace/messaging';
import { inTransaction } from '@millrace/persistence';
import { PeriodicTask, ServiceLog } from '@millrace/service';
import { OutcomeJoiningSettings } from './outcome-joining.config.js';
import { outcomeJoiningMetrics } from './outcome-joining.metrics.js';
import { PredictionStore } from './prediction.store.js';
import { RecordStore } from './record.store.js';
import { StreamClocks } from './stream-clocks.js';
import { ofModel, Tally } from './tally.js';
import { TallyStore } from './tally.store.js';

const batchRows = 2_000;
const dayMs = 86_400_000;
const lockOfStream = `SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '.expire.' || $1)) AS held`;

/**
 * Expires predictions whose label is overdue on the stream clock, and forgets what has passed its retention. Safe with
 * several instances: one at a time works on a stream, and rows that a fold holds are left for the next round.
 */
@Injectable()
export class ExpirePredictionsTask implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly task: PeriodicTask;

  constructor(
    private readonly database: DataSource,
    messaging: Messaging,
    private readonly predictions: PredictionStore,
    private readonly records: RecordStore,
    private readonly clocks: StreamClocks,
    private readonly tallies: TallyStore,
    private readonly settings: OutcomeJoiningSettings,
    log: ServiceLog,
  ) {
    this.task = new PeriodicTask({
      everyMs: settings.expireEveryMs, quietMs: settings.idleSeconds * 1_000, now: () => messaging.now(),
      round: () => this.run(), failed: (error) => log.warn({ err: error }, 'overdue predictions could not be expired; tried again later'),
    });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** One round over all streams. Answers how many predictions have expired. */
  async run(): Promise<number> {
    let expired = 0;
    for (const [stream, clock] of await this.clocks.read()) {
      outcomeJoiningMetrics.streamTime.set({ stream }, clock.getTime() / 1_000);
      for (let rows = batchRows; rows === batchRows; expired += rows) rows = await this.expire(stream, clock);
      const before = new Date(clock.getTime() - this.settings.retentionDays * dayMs);
      while ((await this.forget(stream, before)) === batchRows);
    }
    return expired;
  }

  private expire(stream: string, clock: Date): Promise<number> {
    return inTransaction(this.database, async (transaction) => {
      const [lock] = await transaction.query<{ held: boolean }>(lockOfStream, [stream]);
      if (lock?.held !== true) return 0;
      const rows = await this.predictions.expire(stream, clock, batchRows, transaction);
      const tally = new Tally();
      for (const { model, counted } of rows) if (counted) tally.add(ofModel(model), 'expired');
      await this.tallies.add(tally, `expiry/${stream}`, transaction);
      for (const { subject, count } of tally.entries()) outcomeJoiningMetrics.outcomes.inc({ model: subject.slice('model:'.length), outcome: 'expired' }, count);
      return rows.length;
    });
  }

  private forget(stream: string, before: Date): Promise<number> {
    return inTransaction(this.database, async (transaction) =>
      Math.max(await this.predictions.forget(stream, before, batchRows, transaction), await this.records.forget(stream, before, batchRows, transaction)),
    );
  }
}
