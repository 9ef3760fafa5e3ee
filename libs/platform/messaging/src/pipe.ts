import type { Consumption, Delivery, LogDriver, OutgoingMessage, TransactionalProducer, BatchContext, ConsumeOptions } from './driver.js';
import { FencedError } from './driver.js';

export interface PipeOptions extends Pick<ConsumeOptions, 'onPosition' | 'onFailure' | 'sessionTimeoutMs' | 'concurrency'> {
  readonly group: string;
  readonly topics: readonly string[];
  /** A whole batch of one partition in, everything it leads to out. Must not throw for one bad record: that record’s story is an output. */
  readonly transform: (deliveries: readonly Delivery[]) => Promise<readonly OutgoingMessage[]> | readonly OutgoingMessage[];
}

interface Owner {
  readonly epoch: number;
  readonly producer: TransactionalProducer;
  /** First offset not yet piped; null before the first commit of this group. */
  next: number | null;
}

/**
 * Kafka → Kafka, exactly once: outputs and the input’s offset are one transaction. kafkajs sends no group generation with
 * offsets, so fencing is by one transactional id per input partition: a new owner first starts that producer (which
 * fences the old one), and only then reads the committed offset.
 */
export class Pipe implements Consumption {
  private readonly owners = new Map<string, Owner>();
  private consumption: Consumption | undefined;

  private constructor(
    private readonly driver: LogDriver,
    private readonly options: PipeOptions,
  ) {}

  static async start(driver: LogDriver, options: PipeOptions): Promise<Pipe> {
    const pipe = new Pipe(driver, options);
    pipe.consumption = await driver.consume({ ...options, onBatch: (deliveries, context) => pipe.onBatch(deliveries, context) });
    return pipe;
  }

  async stop(): Promise<void> {
    await this.consumption?.stop();
    await Promise.allSettled([...this.owners.values()].map(({ producer }) => producer.close()));
    this.owners.clear();
  }

  private async onBatch(deliveries: readonly Delivery[], context: BatchContext): Promise<void> {
    const first = deliveries[0];
    if (first === undefined) return;
    const { topic, partition } = first;
    const place = `${topic}/${partition}`;
    let owner = this.owners.get(place);
    if (owner === undefined || owner.epoch !== context.epoch) {
      owner = await this.take(topic, partition, context.epoch, owner);
      if (owner.next !== null && owner.next < first.offset) return context.seek(owner.next);
    }
    const { next } = owner;
    const fresh = next === null ? deliveries : deliveries.filter(({ offset }) => offset >= next);
    const last = fresh[fresh.length - 1];
    if (last === undefined || !context.isCurrent()) return;
    const messages = await this.options.transform(fresh);
    try {
      await owner.producer.transact(messages, { group: this.options.group, topic, partition, offset: last.offset + 1 });
      owner.next = last.offset + 1;
    } catch (error) {
      // Whether the offset moved is unknown after a failed commit: learn it again from the broker before going on.
      this.owners.delete(place);
      await owner.producer.close().catch(() => undefined);
      if (error instanceof FencedError && !context.isCurrent()) return;
      throw error;
    }
  }

  private async take(topic: string, partition: number, epoch: number, former: Owner | undefined): Promise<Owner> {
    const { group } = this.options;
    await former?.producer.close().catch(() => undefined);
    const producer = await this.driver.transactionalProducer(`${group}.${topic}.${partition}`);
    const owner: Owner = { epoch, producer, next: await this.driver.committedOffset(group, topic, partition) };
    this.owners.set(`${topic}/${partition}`, owner);
    return owner;
  }
}
