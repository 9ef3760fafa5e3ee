import { FencedError, type BatchContext, type ConsumeOptions, type Consumption, type Delivery, type LogDriver, type LogProducer, type OutgoingMessage, type TopicSettings, type TransactionalProducer } from '../driver.js';

interface MemoryConsumer extends Consumption {
  wake(): void;
  readonly options: ConsumeOptions;
  epoch: number;
}

const batchMax = 500;

/** 31-polynomial over UTF-16 units: only has to be stable and spread keys. */
function partitionOf(key: string | null, count: number, sequence: number): number {
  if (key === null) return sequence % count;
  let hash = 0;
  for (let index = 0; index < key.length; index += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  return (hash >>> 0) % count;
}

/**
 * The memory twin of Kafka for tests: partitions, groups with committed offsets, read-committed transactions, fencing.
 * The newest consumer of a group owns all partitions, as after a rebalance in its favour.
 */
export class MemoryDriver implements LogDriver {
  private readonly logs = new Map<string, Delivery[][]>();
  private readonly committed = new Map<string, number>();
  private readonly epochs = new Map<string, number>();
  private readonly owners = new Map<string, MemoryConsumer>();
  private sequence = 0;

  async createTopics(topics: readonly TopicSettings[]): Promise<void> {
    for (const { topic, partitions } of topics) {
      if (!this.logs.has(topic)) this.logs.set(topic, Array.from({ length: partitions }, () => []));
    }
  }

  private log(topic: string): Delivery[][] {
    const log = this.logs.get(topic);
    if (log === undefined) throw new Error(`topic ${topic} does not exist`);
    return log;
  }

  private append(messages: readonly OutgoingMessage[]): void {
    for (const { topic } of messages) this.log(topic);
    for (const { topic, key, headers, value } of messages) {
      const log = this.log(topic);
      const partition = partitionOf(key, log.length, this.sequence++);
      const records = log[partition] ?? [];
      records.push({ topic, partition, offset: records.length, key, headers, value, timestampMs: this.sequence });
    }
    for (const owner of this.owners.values()) owner.wake();
  }

  async producer(): Promise<LogProducer> {
    return { send: async (messages) => this.append(messages), close: async () => undefined };
  }

  async transactionalProducer(id: string): Promise<TransactionalProducer> {
    const epoch = (this.epochs.get(id) ?? 0) + 1;
    this.epochs.set(id, epoch);
    return {
      transact: async (messages, { group, topic, partition, offset }) => {
        await Promise.resolve();
        if (this.epochs.get(id) !== epoch) throw new FencedError(`another owner of ${id} has taken over`);
        this.append(messages);
        this.committed.set(`${group}|${topic}|${partition}`, offset);
      },
      close: async () => undefined,
    };
  }

  async committedOffset(group: string, topic: string, partition: number): Promise<number | null> {
    return this.committed.get(`${group}|${topic}|${partition}`) ?? null;
  }

  async watermarks(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    return this.log(topic).map((records, partition) => ({ partition, low: 0, high: records.length }));
  }

  async consume(options: ConsumeOptions): Promise<Consumption> {
    const consumer: MemoryGroupMember = new MemoryGroupMember(options, (topic) => this.log(topic), this.committed, () => this.owners.get(options.group) === consumer);
    this.owners.set(options.group, consumer);
    consumer.wake();
    return consumer;
  }

  async close(): Promise<void> {
    await Promise.all([...this.owners.values()].map((owner) => owner.stop()));
    this.owners.clear();
  }
}

class MemoryGroupMember implements MemoryConsumer {
  epoch = 1;
  private stopped = false;
  private readonly positions = new Map<string, number>();
  private readonly busy = new Map<string, Promise<void>>();
  private readonly woken = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly attempts = new Map<string, number>();

  constructor(
    readonly options: ConsumeOptions,
    private readonly log: (topic: string) => Delivery[][],
    private readonly committed: Map<string, number>,
    private readonly owns: () => boolean,
  ) {}

  wake(): void {
    if (this.stopped || !this.owns()) return;
    for (const topic of this.options.topics) this.log(topic).forEach((_, partition) => this.pump(topic, partition));
  }

  private pump(topic: string, partition: number): void {
    const place = `${topic}|${partition}`;
    if (this.busy.has(place)) {
      this.woken.add(place);
      return;
    }
    const work = this.drain(topic, partition, place).finally(() => {
      this.busy.delete(place);
      // What was appended while the drain was ending has found it busy.
      if (this.woken.delete(place)) this.pump(topic, partition);
    });
    this.busy.set(place, work);
  }

  private async drain(topic: string, partition: number, place: string): Promise<void> {
    for (;;) {
      await Promise.resolve();
      this.woken.delete(place);
      if (this.stopped || !this.owns()) return;
      const start = this.positions.get(place) ?? this.committed.get(`${this.options.group}|${place}`) ?? 0;
      const records = this.log(topic)[partition] ?? [];
      const batch = records.slice(start, start + batchMax);
      if (batch.length === 0) return;
      if (!(await this.deliver(topic, partition, place, start, batch))) return;
    }
  }

  private async deliver(topic: string, partition: number, place: string, start: number, batch: Delivery[]): Promise<boolean> {
    let next = start + batch.length;
    const context: BatchContext = {
      epoch: this.epoch,
      isCurrent: () => !this.stopped && this.owns(),
      seek: (offset) => (next = offset),
      commit: async (offset) => void this.committed.set(`${this.options.group}|${place}`, offset),
    };
    try {
      await this.options.onBatch(batch, context);
      this.attempts.delete(place);
      this.positions.set(place, next);
      this.options.onPosition?.({ topic, partition, offset: next, end: this.log(topic)[partition]?.length ?? 0 });
      return true;
    } catch (error) {
      const attempt = (this.attempts.get(place) ?? 0) + 1;
      this.attempts.set(place, attempt);
      this.options.onFailure?.(error, { topic, partition, attempt, retryInMs: 1 });
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.pump(topic, partition);
      }, 1);
      this.timers.add(timer);
      return false;
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all(this.busy.values());
  }
}
