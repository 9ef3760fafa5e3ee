import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { BatchContext, ConsumeOptions, Consumption, Delivery } from '../driver.js';

const heartbeatEveryMs = 1_500;
const backoffFirstMs = 200;
const backoffMaxMs = 10_000;

function textOf(value: Buffer | string | (Buffer | string)[] | undefined): string {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? '' : typeof first === 'string' ? first : first.toString('utf8');
}

function deliveryOf(topic: string, partition: number, message: KafkaMessage): Delivery {
  const headers: Record<string, string> = {};
  for (const name in message.headers) headers[name] = textOf(message.headers[name]);
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key === null ? null : message.key.toString('utf8'),
    headers,
    value: message.value,
    timestampMs: Number(message.timestamp),
  };
}

/** One kafkajs consumer: batches, no auto-commit, one paused partition never holds up the others. */
class KafkaConsumption implements Consumption {
  private epoch = 0;
  private stopped = false;
  private readonly attempts = new Map<string, number>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly consumer: Consumer,
    private readonly options: ConsumeOptions,
  ) {
    consumer.on(consumer.events.GROUP_JOIN, () => {
      this.epoch += 1;
      this.attempts.clear();
    });
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, lastOffset, highWatermark } = payload;
      this.options.onPosition?.({ topic, partition, offset: Number(lastOffset) + 1, end: Number(highWatermark) });
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      // kafkajs restarts by itself after retriable faults. After any other it would stay alive and read nothing.
      if (!payload.restart && !this.stopped) {
        process.stderr.write(`${JSON.stringify({ level: 'fatal', msg: `consumer of ${options.group} has stopped: ${payload.error.message}` })}\n`);
        process.exit(70);
      }
    });
  }

  async start(): Promise<void> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.options.concurrency ?? 4,
      eachBatch: (payload) => this.onBatch(payload),
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    await this.consumer.disconnect();
  }

  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    const first = messages[0];
    const last = messages[messages.length - 1];
    if (first === undefined || last === undefined || this.stopped) return;
    const epoch = this.epoch;
    let sought = false;
    const context: BatchContext = {
      epoch,
      isCurrent: () => payload.isRunning() && !payload.isStale() && epoch === this.epoch && !this.stopped,
      seek: (offset) => {
        sought = true;
        this.consumer.seek({ topic, partition, offset: String(offset) });
      },
      commit: async (nextOffset) => {
        await this.consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
      },
    };
    const heartbeat = setInterval(() => void payload.heartbeat().catch(() => undefined), heartbeatEveryMs);
    try {
      await this.options.onBatch(messages.map((message) => deliveryOf(topic, partition, message)), context);
      this.attempts.delete(`${topic}/${partition}`);
      if (!sought) payload.resolveOffset(last.offset);
    } catch (error) {
      this.retryLater(topic, partition, first.offset, error);
    } finally {
      clearInterval(heartbeat);
    }
    await payload.heartbeat().catch(() => undefined);
  }

  /** Pauses the partition with growing waits, so that an outage neither floods a dead-letter topic nor stops other partitions. */
  private retryLater(topic: string, partition: number, offset: string, error: unknown): void {
    const place = `${topic}/${partition}`;
    const attempt = (this.attempts.get(place) ?? 0) + 1;
    this.attempts.set(place, attempt);
    const retryInMs = Math.min(backoffMaxMs, backoffFirstMs * 2 ** (attempt - 1));
    this.options.onFailure?.(error, { topic, partition, attempt, retryInMs });
    if (this.stopped) return;
    this.consumer.pause([{ topic, partitions: [partition] }]);
    this.consumer.seek({ topic, partition, offset });
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.stopped) this.consumer.resume([{ topic, partitions: [partition] }]);
    }, retryInMs);
    this.timers.add(timer);
  }
}

export async function consumeFromKafka(kafka: Kafka, options: ConsumeOptions): Promise<Consumption> {
  const sessionTimeout = options.sessionTimeoutMs ?? 6_000;
  const consumer = kafka.consumer({
    groupId: options.group,
    sessionTimeout,
    rebalanceTimeout: 30_000,
    heartbeatInterval: Math.min(3_000, Math.floor(sessionTimeout / 3)),
    maxWaitTimeInMs: 250,
    maxBytesPerPartition: 1_048_576,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    metadataMaxAge: 30_000,
  });
  const consumption = new KafkaConsumption(consumer, options);
  await consumption.start();
  return consumption;
}
