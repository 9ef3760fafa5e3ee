/**
 * What the four ways of moving data need from a partitioned log. Two drivers implement it: Kafka (kafkajs) and a memory
 * twin; one conformance suite (testing/) judges both.
 */
export interface Delivery {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer | null;
  /** Broker or producer time, milliseconds since the epoch. */
  readonly timestampMs: number;
}

export interface OutgoingMessage {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** null is a tombstone on a compacted topic. */
  readonly value: Buffer | null;
  /** The same key, value and headers, laid out before as a record of Kafka has them: a driver of that format copies the bytes. */
  readonly prepared?: PreparedRecord;
}

export interface PreparedRecord {
  readonly key: Buffer;
  /** Key, value and headers with their lengths. */
  readonly body: Buffer;
}

/** What another thread of this process needs to open the same log. */
export interface LogConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface TopicSettings {
  readonly topic: string;
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
}

export interface BatchContext {
  /** Grows with every assignment of this consumer; what was learnt under an older epoch must be learnt again. */
  readonly epoch: number;
  /** False once the partition was taken away or the consumer is stopping: finish nothing, publish nothing more. */
  isCurrent(): boolean;
  /** The next batch of this partition starts here. The rest of this batch is dropped. */
  seek(offset: number): void;
  /** Records the group’s position, for lag displays and for the first start of a new ledger. Never the source of truth of a fold. */
  commit(nextOffset: number): Promise<void>;
}

/** Position of a consumer in a partition, transaction markers included; `end` is the first offset not yet readable. */
export interface ConsumerPosition extends PartitionOffset {
  readonly end: number;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Partitions handled side by side; batches of one partition never overlap. */
  readonly concurrency?: number;
  /** Called with one partition’s records in offset order. When it throws, the partition pauses, backs off and is delivered again from the batch’s start; other partitions go on. */
  readonly onBatch: (deliveries: readonly Delivery[], context: BatchContext) => Promise<void>;
  readonly onPosition?: (position: ConsumerPosition) => void;
  readonly onFailure?: (error: unknown, failure: { topic: string; partition: number; attempt: number; retryInMs: number }) => void;
  readonly sessionTimeoutMs?: number;
}

export interface Consumption {
  /** Waits for batches in flight, then leaves the group. */
  stop(): Promise<void>;
}

export interface LogProducer {
  /** Resolves once all in-sync replicas have the messages. */
  send(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * All or nothing: the messages become visible and the group’s offset moves, or neither does. A second producer of one
 * id fences the first, whose next transaction fails with FencedError.
 */
export interface TransactionalProducer {
  transact(messages: readonly OutgoingMessage[], progress: PartitionOffset & { readonly group: string }): Promise<void>;
  close(): Promise<void>;
}

/** Another owner has taken over; this one must stop touching the partition. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

export interface LogDriver {
  /** Absent for a log that lives in this thread’s memory. */
  readonly connection?: LogConnection;
  createTopics(topics: readonly TopicSettings[]): Promise<void>;
  consume(options: ConsumeOptions): Promise<Consumption>;
  producer(): Promise<LogProducer>;
  transactionalProducer(id: string): Promise<TransactionalProducer>;
  committedOffset(group: string, topic: string, partition: number): Promise<number | null>;
  /** First and one-past-last offset of each partition. */
  watermarks(topic: string): Promise<{ partition: number; low: number; high: number }[]>;
  close(): Promise<void>;
}
