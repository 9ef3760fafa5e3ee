import type { DataSource } from 'typeorm';
import { topicNames, topics, type DataOf, type EventDefinition } from '@millrace/contracts';
import type { Transaction } from '@millrace/persistence';
import { CheckpointFold, type CheckpointFoldOptions } from './checkpoint-fold.js';
import type { ConsumeOptions, Consumption, LogDriver, LogProducer, OutgoingMessage } from './driver.js';
import { encodeEvent } from './envelope.js';
import { Fold, type FoldOptions } from './fold.js';
import type { Reader } from './judge-batch.js';
import { PostgresLedger } from './ledger.js';
import { messagingMetrics } from './metrics.js';
import { Outbox } from './outbox.js';
import { Pipe, type PipeOptions } from './pipe.js';
import { Relay, type RelaySource } from './relay.js';
import { CompactedTable } from './table.js';

export interface MessagingLog {
  warn(details: object, message: string): void;
}

export interface MessagingOptions {
  readonly service: string;
  readonly driver: LogDriver;
  /** Needed by folds and the outbox only. */
  readonly database?: DataSource | undefined;
  readonly now: () => Date;
  readonly log: MessagingLog;
}

export interface EmitOptions {
  readonly key: string;
  /** Give one that follows from the facts wherever the same fact could be told twice. */
  readonly id?: string;
  readonly traceparent?: string | undefined;
}

type Managed = 'onPosition' | 'onFailure';

/** The one way to Kafka for a service: pipe, fold (rows or checkpoint), outbox relay, table. */
export class Messaging {
  private readonly running = new Set<{ stop(): Promise<void> }>();
  private outboxRelay: Relay | undefined;

  constructor(private readonly options: MessagingOptions) {}

  get driver(): LogDriver {
    return this.options.driver;
  }

  now(): Date {
    return this.options.now();
  }

  /** `<service>.<purpose>`: groups are named after who reads and why. */
  group(purpose: string): string {
    return `${this.options.service}.${purpose}`;
  }

  encode<D extends EventDefinition>(definition: D, data: DataOf<D>, options: EmitOptions): OutgoingMessage {
    return encodeEvent(definition, data, { ...options, source: `/millrace/${this.options.service}`, time: this.now().toISOString() });
  }

  async pipe(purpose: string, options: Omit<PipeOptions, 'group' | Managed>): Promise<Consumption> {
    const group = this.group(purpose);
    return this.keep(await Pipe.start(this.driver, { ...options, ...this.watch(group), group, transform: timed(group, options.transform) }));
  }

  async fold<D extends EventDefinition>(purpose: string, options: Omit<FoldOptions<D, Transaction>, 'group' | Managed>): Promise<Consumption> {
    const group = this.group(purpose);
    const apply: FoldOptions<D, Transaction>['apply'] = async (events, transaction) => {
      const end = messagingMetrics.batchSeconds.startTimer({ consumergroup: group });
      const messages = await options.apply(events, transaction);
      messagingMetrics.consumed.inc({ consumergroup: group, topic: options.event.type }, events.length);
      end();
      return messages;
    };
    return this.keep(await Fold.start(this.driver, this.ledger(), { ...options, ...this.watch(group), group, apply }, this.reader(group)));
  }

  async checkpointFold<D extends EventDefinition>(purpose: string, options: Omit<CheckpointFoldOptions<D, Transaction>, 'group' | Managed>): Promise<Consumption> {
    const group = this.group(purpose);
    const observe: typeof options.observe = (partition, events) => {
      options.observe(partition, events);
      messagingMetrics.consumed.inc({ consumergroup: group, topic: options.event.type }, events.length);
    };
    return this.keep(await CheckpointFold.start(this.driver, this.ledger(), { ...options, observe, ...this.watch(group), group }, this.reader(group)));
  }

  /** Offsets per partition that a fold has not taken in yet. Transaction markers count too: 0 or 1 is caught up. */
  async unread(purpose: string, event: EventDefinition): Promise<Map<number, number>> {
    const ledger = this.ledger();
    const unread = new Map<number, number>();
    for (const { partition, low, high } of await this.driver.watermarks(event.type)) {
      const next = await ledger.nextOffset(this.group(purpose), event.type, partition);
      unread.set(partition, Math.max(0, high - Math.max(low, next ?? 0)));
    }
    return unread;
  }

  async table<D extends EventDefinition>(definition: D): Promise<CompactedTable<D>> {
    const table = await CompactedTable.start(this.driver, definition, {
      onRefused: (error) => this.options.log.warn({ err: error }, `an entry of ${definition.type} was not understood; the last good one stays`),
    });
    this.keep(table);
    return table;
  }

  /** Moves what waits in `source` to Kafka, exactly once. `id` names the source for ever. */
  relay(id: string, source: RelaySource, pollMs?: number): Relay {
    const relay = new Relay(this.driver, {
      id: this.group(id),
      source,
      ...(pollMs === undefined ? {} : { pollMs }),
      onFailure: (error, retryInMs) => this.options.log.warn({ err: error, retryInMs }, `relay ${id} failed and tries again`),
    });
    relay.start();
    this.keep(relay);
    return relay;
  }

  /** Starts publishing what folds and stores have left in the outbox. */
  startOutbox(): void {
    if (this.options.database === undefined || this.outboxRelay !== undefined) return;
    const outbox = new Outbox(this.options.database);
    this.outboxRelay = this.relay('outbox', outbox, 250);
    const timer = setInterval(() => {
      outbox.oldestAgeSeconds().then((age) => messagingMetrics.relayWaitSeconds.set(age), () => undefined);
    }, 5_000);
    timer.unref();
  }

  /** For stores that decide outside a fold (an HTTP command): in the same transaction as what they change. */
  async enqueue(transaction: Transaction, messages: readonly OutgoingMessage[]): Promise<void> {
    await this.ledger().enqueue(transaction, messages);
  }

  /** Call after such a transaction has committed, so that the relay need not wait for its next poll. */
  wakeOutbox(): void {
    this.outboxRelay?.wake();
  }

  /** Acknowledged, idempotent, gathered: concurrent sends share one request. For edges that must answer after the broker did. */
  async publisher(): Promise<LogProducer> {
    const producer = await this.driver.producer();
    const gathered = gather(producer);
    this.keep({ stop: () => gathered.close() });
    return gathered;
  }

  async stop(): Promise<void> {
    const consumers = [...this.running].reverse();
    this.running.clear();
    for (const entry of consumers) await entry.stop().catch((error: unknown) => this.options.log.warn({ err: error }, 'stopping failed'));
    await this.driver.close();
  }

  /** Something that moves data in a way of its own: stopped with the others, the newest first. */
  adopt(entry: { stop(): Promise<void> }): void {
    this.keep(entry);
  }

  private keep<T extends { stop(): Promise<void> }>(entry: T): T {
    this.running.add(entry);
    return entry;
  }

  private ledger(): PostgresLedger {
    if (this.options.database === undefined) throw new Error(`${this.options.service} has no database, so it cannot fold`);
    return new PostgresLedger(this.options.database, () => this.wakeOutbox());
  }

  private reader(group: string): Reader {
    return { service: this.options.service, group, now: this.options.now };
  }

  private watch(group: string): Pick<ConsumeOptions, Managed> {
    return {
      onPosition: ({ topic, partition, offset, end }) => messagingMetrics.lag.set({ consumergroup: group, topic, partition }, Math.max(0, end - offset)),
      onFailure: (error, failure) => {
        messagingMetrics.failures.inc({ consumergroup: group, topic: failure.topic });
        this.options.log.warn({ err: error, group, ...failure }, `a batch of ${failure.topic}/${failure.partition} failed; next try in ${failure.retryInMs} ms`);
      },
    };
  }
}

function timed(group: string, transform: PipeOptions['transform']): PipeOptions['transform'] {
  return async (deliveries) => {
    const end = messagingMetrics.batchSeconds.startTimer({ consumergroup: group });
    const messages = await transform(deliveries);
    const topic = deliveries[0]?.topic;
    if (topic !== undefined) messagingMetrics.consumed.inc({ consumergroup: group, topic }, deliveries.length);
    for (const message of messages) messagingMetrics.published.inc({ topic: message.topic });
    end();
    return messages;
  };
}

/** kafkajs does not batch, and an idempotent producer has one request in flight: everything that waits goes with the next one. */
function gather(producer: LogProducer): LogProducer {
  let waiting: { messages: readonly OutgoingMessage[]; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let sending: Promise<void> | undefined;
  const flush = async () => {
    while (waiting.length > 0) {
      const taken = waiting;
      waiting = [];
      try {
        await producer.send(taken.flatMap(({ messages }) => messages));
        for (const { resolve } of taken) resolve();
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    sending = undefined;
  };
  return {
    send: (messages) =>
      new Promise((resolve, reject) => {
        waiting.push({ messages, resolve, reject });
        sending ??= flush();
      }),
    close: async () => {
      await sending;
      await producer.close();
    },
  };
}

/** Every topic of the ring with one partition count for all, so that joins on the record key are local to a partition. */
export async function createRingTopics(driver: LogDriver, partitions: number): Promise<void> {
  await driver.createTopics(
    topicNames.map((topic) => ({ topic, partitions: topics[topic].key === 'record key' ? partitions : 1, cleanup: topics[topic].cleanup })),
  );
}
