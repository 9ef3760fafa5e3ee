import './record-encoder.patch.js';
import { Kafka, logLevel, type Admin, type Producer, type Transaction } from 'kafkajs';
import { FencedError, type ConsumeOptions, type Consumption, type LogConnection, type LogDriver, type LogProducer, type OutgoingMessage, type PartitionOffset, type TopicSettings, type TransactionalProducer } from '../driver.js';
import { consumeFromKafka } from './kafka.consumer.js';
import { stopIdleTimer } from './request-queue.patch.js';
import { compressionOf, useZstandard } from './zstandard.codec.js';

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Compress in the calling thread: for a thread that has nothing else to do, where the hand-over would cost more. */
  readonly compressHere?: boolean;
  readonly onLog?: (entry: { level: 'error' | 'warn'; message: string; details: object }) => void;
}

/**
 * The broker answers CONCURRENT_TRANSACTIONS while it still writes the markers of the last transaction; kafkajs’ default
 * first wait of 300 ms would make each transaction take that long (measured: 236 ms against 15 ms).
 */
const transactionRetry = { initialRetryTime: 3, multiplier: 1.5, maxRetryTime: 200, retries: 40 };
const fencedTypes = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE']);

export class KafkaDriver implements LogDriver {
  readonly connection: LogConnection;
  private readonly kafka: Kafka;
  private adminConnection: Promise<Admin> | undefined;
  private readonly open = new Set<{ close(): Promise<void> }>();

  constructor(options: KafkaOptions) {
    process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
    stopIdleTimer();
    useZstandard(options.compressHere === true);
    this.connection = { brokers: options.brokers, clientId: options.clientId };
    this.kafka = new Kafka({
      clientId: options.clientId,
      brokers: [...options.brokers],
      logLevel: logLevel.WARN,
      logCreator: () => ({ level, log }) => {
        const { message, timestamp: _timestamp, logger: _logger, ...details } = log;
        options.onLog?.({ level: level === logLevel.ERROR ? 'error' : 'warn', message, details });
      },
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 12 },
      connectionTimeout: 5_000,
    });
  }

  private async admin(): Promise<Admin> {
    this.adminConnection ??= (async () => {
      const admin = this.kafka.admin();
      await admin.connect();
      return admin;
    })();
    this.adminConnection.catch(() => (this.adminConnection = undefined));
    return this.adminConnection;
  }

  async createTopics(topics: readonly TopicSettings[]): Promise<void> {
    const admin = await this.admin();
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return;
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ topic, partitions, cleanup }) => ({
        topic,
        numPartitions: partitions,
        configEntries: [{ name: 'cleanup.policy', value: cleanup }],
      })),
    });
  }

  async consume(options: ConsumeOptions): Promise<Consumption> {
    return consumeFromKafka(this.kafka, options);
  }

  async producer(): Promise<LogProducer> {
    const producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    const closing = { close: () => producer.disconnect() };
    this.open.add(closing);
    return {
      send: (messages) => sendAll(producer, messages),
      close: async () => {
        this.open.delete(closing);
        await producer.disconnect();
      },
    };
  }

  async transactionalProducer(id: string): Promise<TransactionalProducer> {
    const producer = this.kafka.producer({
      transactionalId: id,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      transactionTimeout: 30_000,
      retry: transactionRetry,
    });
    await producer.connect();
    const closing = { close: () => producer.disconnect() };
    this.open.add(closing);
    return {
      transact: (messages, progress) => transact(producer, messages, progress),
      close: async () => {
        this.open.delete(closing);
        await producer.disconnect();
      },
    };
  }

  async committedOffset(group: string, topic: string, partition: number): Promise<number | null> {
    const admin = await this.admin();
    const [answer] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const offset = Number(answer?.partitions.find((entry) => entry.partition === partition)?.offset ?? -1);
    return offset < 0 ? null : offset;
  }

  async watermarks(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    const admin = await this.admin();
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.open].map((entry) => entry.close()));
    this.open.clear();
    if (this.adminConnection !== undefined) await (await this.adminConnection).disconnect();
  }
}

/** `body` is our encoder’s, see record-encoder. */
interface KafkaMessage {
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

function kafkaMessage(message: OutgoingMessage): KafkaMessage {
  const { prepared } = message;
  if (prepared !== undefined) return { key: prepared.key, value: null, body: prepared.body };
  const { key, value, headers } = message; // a prepared message would read them out of its bytes
  return { key, value, headers };
}

function byTopic(messages: readonly OutgoingMessage[]) {
  const topics = new Map<string, KafkaMessage[]>();
  for (const each of messages) {
    const { topic } = each;
    const list = topics.get(topic);
    const message = kafkaMessage(each);
    if (list === undefined) topics.set(topic, [message]);
    else list.push(message);
  }
  return [...topics].map(([topic, list]) => ({ topic, messages: list }));
}

/**
 * kafkajs makes one record batch per partition of whatever it is given, and a broker refuses a batch above
 * message.max.bytes (1 MiB by default) for ever. Lists are therefore sent in parts well below that, one after the other.
 */
const requestBytesMax = 900_000;
const recordOverheadBytes = 32;

function sizeOf(message: OutgoingMessage): number {
  if (message.prepared !== undefined) return recordOverheadBytes + message.prepared.body.length;
  const { key, value, headers } = message;
  let bytes = recordOverheadBytes + (key === null ? 0 : Buffer.byteLength(key)) + (value?.length ?? 0);
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0) + 4;
  return bytes;
}

function parts(messages: readonly OutgoingMessage[]): { messages: OutgoingMessage[]; bytes: number }[] {
  const all: { messages: OutgoingMessage[]; bytes: number }[] = [];
  let part: OutgoingMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (part.length > 0 && bytes + size > requestBytesMax) {
      all.push({ messages: part, bytes });
      part = [];
      bytes = 0;
    }
    part.push(message);
    bytes += size;
  }
  if (part.length > 0) all.push({ messages: part, bytes });
  return all;
}

async function sendAll(producer: Producer | Transaction, messages: readonly OutgoingMessage[]): Promise<void> {
  for (const part of parts(messages)) await producer.sendBatch({ acks: -1, compression: compressionOf(part.bytes), topicMessages: byTopic(part.messages) });
}

async function transact(producer: Producer, messages: readonly OutgoingMessage[], progress: PartitionOffset & { group: string }): Promise<void> {
  let transaction: Transaction | undefined;
  try {
    transaction = await producer.transaction();
    await sendAll(transaction, messages);
    await transaction.sendOffsets({
      consumerGroupId: progress.group,
      topics: [{ topic: progress.topic, partitions: [{ partition: progress.partition, offset: String(progress.offset) }] }],
    });
    await transaction.commit();
  } catch (error) {
    if (isFenced(error)) throw new FencedError(`another owner has taken over ${progress.topic}/${progress.partition} of ${progress.group}`);
    await transaction?.abort().catch(() => undefined);
    throw error;
  }
}

function isFenced(error: unknown): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if ('type' in current && typeof current.type === 'string' && fencedTypes.has(current.type)) return true;
  }
  return false;
}
