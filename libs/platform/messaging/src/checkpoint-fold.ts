import type { DataOf, EventDefinition } from '@millrace/contracts';
import type { BatchContext, ConsumeOptions, Consumption, Delivery, LogDriver, OutgoingMessage } from './driver.js';
import type { Received } from './envelope.js';
import { judgeBatch, type Reader } from './judge-batch.js';
import type { FoldLedger } from './ledger.js';

export interface CheckpointFoldOptions<D extends EventDefinition, Tx> extends Pick<ConsumeOptions, 'onPosition' | 'onFailure' | 'sessionTimeoutMs' | 'concurrency'> {
  readonly group: string;
  readonly event: D;
  /** Saved after this much wall time or this many records, whichever comes first. */
  readonly everyMs: number;
  readonly everyRecords: number;
  /** Records for which it answers false are passed over, undecoded; while only such come, the position is saved twice a minute. */
  readonly wanted?: (delivery: Delivery) => boolean;
  /** For a group that has read nothing yet: what stands in the topic at the start is passed over. */
  readonly fromNow?: boolean;
  /** Forget what memory holds of this partition and load what was saved. */
  readonly restore: (partition: number) => Promise<void>;
  /** Learn in memory; must not await anything that can fail half-way. */
  readonly observe: (partition: number, events: readonly Received<DataOf<D>>[]) => void;
  /** Save the partition’s state; what is answered becomes visible only with it. `toOffset` is the first offset not covered. */
  readonly save: (partition: number, toOffset: number, transaction: Tx) => Promise<readonly OutgoingMessage[]>;
  /** After the transaction has committed, for what memory may now drop. */
  readonly saved?: (partition: number, toOffset: number) => void;
}

const passedOverEveryMs = 30_000;

interface PartitionState {
  readonly epoch: number;
  context: BatchContext;
  savedNext: number | null;
  next: number | null;
  unsaved: number;
  /** Of the unsaved records, those that were wanted. */
  learnt: number;
  unsavedSinceMs: number;
  refused: OutgoingMessage[];
  queue: Promise<void>;
}

/**
 * The fold whose state lives in memory: it is saved together with the next offset now and then. A crash forgets what was
 * not saved and reads it again from Kafka, so each record counts once in what is saved.
 */
export class CheckpointFold<D extends EventDefinition, Tx> implements Consumption {
  private readonly states = new Map<number, PartitionState>();
  private readonly starts = new Map<number, number>();
  private consumption: Consumption | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly ledger: FoldLedger<Tx>,
    private readonly options: CheckpointFoldOptions<D, Tx>,
    private readonly reader: Reader,
  ) {}

  static async start<D extends EventDefinition, Tx>(driver: LogDriver, ledger: FoldLedger<Tx>, options: CheckpointFoldOptions<D, Tx>, reader: Reader): Promise<CheckpointFold<D, Tx>> {
    const fold = new CheckpointFold(ledger, options, reader);
    if (options.fromNow === true) for (const { partition, high } of await driver.watermarks(options.event.type)) fold.starts.set(partition, high);
    fold.consumption = await driver.consume({ ...options, topics: [options.event.type], onBatch: (deliveries, context) => fold.onBatch(deliveries, context) });
    fold.timer = setInterval(() => fold.saveDue(), Math.max(50, options.everyMs / 4));
    return fold;
  }

  /** Saves what is unsaved, then leaves the group. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.consumption?.stop();
    for (const [partition, state] of this.states) await this.inTurn(state, () => this.save(partition, state)).catch(() => undefined);
  }

  private inTurn(state: PartitionState, work: () => Promise<void>): Promise<void> {
    const done = state.queue.then(work);
    state.queue = done.catch(() => undefined);
    return done;
  }

  private async onBatch(deliveries: readonly Delivery[], context: BatchContext): Promise<void> {
    const first = deliveries[0];
    if (first === undefined) return;
    const { partition } = first;
    let state = this.states.get(partition);
    if (state === undefined || state.epoch !== context.epoch) {
      await state?.queue;
      state = await this.load(partition, context);
      const last = deliveries[deliveries.length - 1] ?? first;
      if (state.next !== null && (state.next < first.offset || state.next > last.offset)) return context.seek(state.next);
    }
    const current = state;
    current.context = context;
    await this.inTurn(current, () => this.observe(partition, current, deliveries));
  }

  private async load(partition: number, context: BatchContext): Promise<PartitionState> {
    const next = await this.ledger.nextOffset(this.options.group, this.options.event.type, partition);
    await this.options.restore(partition);
    const state: PartitionState = { epoch: context.epoch, context, savedNext: next, next: next ?? this.starts.get(partition) ?? null, unsaved: 0, learnt: 0, unsavedSinceMs: 0, refused: [], queue: Promise.resolve() };
    this.states.set(partition, state);
    return state;
  }

  private async observe(partition: number, state: PartitionState, deliveries: readonly Delivery[]): Promise<void> {
    if (this.states.get(partition) !== state) throw new Error('the partition was given up while the batch waited');
    const { next } = state;
    const fresh = next === null ? deliveries : deliveries.filter(({ offset }) => offset >= next);
    const last = fresh[fresh.length - 1];
    if (last === undefined) return;
    const wanted = this.options.wanted === undefined ? fresh : fresh.filter(this.options.wanted);
    const { events, refused } = judgeBatch(this.options.event, wanted, this.reader);
    if (state.unsaved === 0) state.unsavedSinceMs = this.reader.now().getTime();
    this.options.observe(partition, events);
    state.refused.push(...refused);
    state.next = last.offset + 1;
    state.unsaved += fresh.length;
    state.learnt += wanted.length;
    if (this.isDue(state)) await this.save(partition, state);
  }

  private isDue(state: PartitionState): boolean {
    if (state.unsaved === 0) return false;
    const waitedMs = this.reader.now().getTime() - state.unsavedSinceMs;
    if (state.learnt === 0) return waitedMs >= passedOverEveryMs;
    return state.learnt >= this.options.everyRecords || waitedMs >= this.options.everyMs;
  }

  private saveDue(): void {
    for (const [partition, state] of this.states) {
      if (!this.isDue(state)) continue;
      this.inTurn(state, () => (this.isDue(state) ? this.save(partition, state) : Promise.resolve())).catch((error: unknown) =>
        this.options.onFailure?.(error, { topic: this.options.event.type, partition, attempt: 1, retryInMs: this.options.everyMs }),
      );
    }
  }

  private async save(partition: number, state: PartitionState): Promise<void> {
    const { next, savedNext } = state;
    if (state.unsaved === 0 || next === null) return;
    const { group, event, save } = this.options;
    const kept = await this.ledger.transact(async (transaction) => {
      if (!(await this.ledger.advance(transaction, group, event.type, partition, savedNext, next))) return false;
      const messages = await save(partition, next, transaction);
      await this.ledger.enqueue(transaction, [...state.refused, ...messages]);
      return true;
    });
    if (!kept) return this.giveUp(partition, state);
    state.savedNext = next;
    state.unsaved = 0;
    state.learnt = 0;
    state.refused = [];
    this.options.saved?.(partition, next);
    await state.context.commit(next).catch(() => undefined);
  }

  /** Somebody else has saved this partition: what memory holds is worthless. Start again from what is stored. */
  private async giveUp(partition: number, state: PartitionState): Promise<void> {
    this.states.delete(partition);
    if (!state.context.isCurrent()) return;
    const next = await this.ledger.nextOffset(this.options.group, this.options.event.type, partition);
    state.context.seek(next ?? 0);
  }
}
