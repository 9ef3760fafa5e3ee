import { FencedError, type LogDriver, type OutgoingMessage, type TransactionalProducer } from './driver.js';
import { topicNames } from '@millrace/contracts';

/** Messages that wait outside Kafka, in batches numbered upwards from 1. */
export interface RelaySource {
  /** For a source that several processes share: true makes this process its one active relay until `release`. Never waits. */
  acquire?(): Promise<boolean>;
  release?(): Promise<void>;
  /** Called by the one active relay before anything else: batches up to `published` are in Kafka; forget them, keep the others, number on from there. */
  recover(published: number): Promise<void>;
  /** The oldest batch not settled, the same one until it is settled; null when nothing waits. */
  nextBatch(): Promise<{ readonly number: number; readonly messages: readonly OutgoingMessage[] } | null>;
  settle(number: number): Promise<void>;
}

export interface RelayOptions {
  /** Also the transactional id and the group under which progress is stored: one per source of messages. */
  readonly id: string;
  readonly source: RelaySource;
  readonly pollMs?: number;
  readonly onFailure?: (error: unknown, retryInMs: number) => void;
}

/** How long a relay that is not the active one waits before it asks again. */
const standbyMs = 1_000;

/** Progress is stored as the offset of this partition in the relay’s own group; nobody consumes it under that group. */
const progressTopic = topicNames.find((name) => name === 'messaging.event-refused.v1') ?? topicNames[0] ?? '';

/**
 * Database or disk → Kafka, exactly once and in order: a batch and its number are one Kafka transaction. After a crash
 * between publishing and settling, the next start reads the number back and does not publish the batch again. A second
 * relay of the same id fences the first.
 */
export class Relay {
  private stopped = false;
  private wakeUp: (() => void) | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly driver: LogDriver,
    private readonly options: RelayOptions,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Something new may wait: look at once instead of at the next poll. */
  wake(): void {
    this.wakeUp?.();
  }

  /** Publishes what waits, then stops and gives the source free. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.running;
    await this.options.source.release?.().catch(() => undefined);
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopped) {
      let producer: TransactionalProducer | undefined;
      try {
        // First the lease, then the producer: taking over the transactional id fences whoever holds it.
        if ((await this.options.source.acquire?.()) === false) {
          await this.pause(standbyMs);
          continue;
        }
        producer = await this.driver.transactionalProducer(this.options.id);
        await this.options.source.recover((await this.driver.committedOffset(this.options.id, progressTopic, 0)) ?? 0);
        failures = 0;
        await this.publishAll(producer);
      } catch (error) {
        failures += 1;
        const retryInMs = error instanceof FencedError ? standbyMs : Math.min(5_000, 100 * 2 ** failures);
        this.options.onFailure?.(error, retryInMs);
        await this.options.source.release?.().catch(() => undefined);
        await this.pause(retryInMs);
      } finally {
        await producer?.close().catch(() => undefined);
      }
    }
  }

  private async publishAll(producer: TransactionalProducer): Promise<void> {
    for (;;) {
      const batch = await this.options.source.nextBatch();
      if (batch === null) {
        if (this.stopped) return;
        await this.pause(this.options.pollMs ?? 500);
        continue;
      }
      await producer.transact(batch.messages, { group: this.options.id, topic: progressTopic, partition: 0, offset: batch.number });
      await this.options.source.settle(batch.number);
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wakeUp = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wakeUp = done;
    });
  }
}
