import type { OutgoingMessage } from '../driver.js';
import type { FoldLedger } from '../ledger.js';
import type { RelaySource } from '../relay.js';

/** A transaction over plain values: what `state` held before is put back when the work throws. */
export interface MemoryTransaction<State> {
  state: State;
  readonly offsets: Map<string, number>;
  readonly outbox: OutgoingMessage[];
}

/** The memory twin of a service’s database: state, offsets and outbox change together or not at all. One transaction at a time. */
export class MemoryLedger<State> implements FoldLedger<MemoryTransaction<State>>, RelaySource {
  private offsets = new Map<string, number>();
  private outbox: OutgoingMessage[] = [];
  private claimed: { number: number; messages: OutgoingMessage[] } | null = null;
  private lastNumber = 0;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private current: State) {}

  get state(): State {
    return this.current;
  }

  async nextOffset(group: string, topic: string, partition: number): Promise<number | null> {
    return this.offsets.get(`${group}|${topic}|${partition}`) ?? null;
  }

  transact<T>(work: (transaction: MemoryTransaction<State>) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      const draft: MemoryTransaction<State> = { state: structuredClone(this.current), offsets: new Map(this.offsets), outbox: [...this.outbox] };
      const result = await work(draft);
      this.current = draft.state;
      this.offsets = draft.offsets;
      this.outbox = draft.outbox;
      return result;
    };
    const done = this.queue.then(run, run);
    this.queue = done.catch(() => undefined);
    return done;
  }

  async advance(transaction: MemoryTransaction<State>, group: string, topic: string, partition: number, from: number | null, to: number): Promise<boolean> {
    const place = `${group}|${topic}|${partition}`;
    if ((transaction.offsets.get(place) ?? null) !== from) return false;
    transaction.offsets.set(place, to);
    return true;
  }

  async enqueue(transaction: MemoryTransaction<State>, messages: readonly OutgoingMessage[]): Promise<void> {
    transaction.outbox.push(...messages);
  }

  async recover(published: number): Promise<void> {
    if (this.claimed !== null && this.claimed.number <= published) this.claimed = null;
    this.lastNumber = Math.max(this.lastNumber, published);
  }

  async nextBatch(): Promise<{ number: number; messages: OutgoingMessage[] } | null> {
    if (this.claimed !== null) return this.claimed;
    if (this.outbox.length === 0) return null;
    this.lastNumber += 1;
    this.claimed = { number: this.lastNumber, messages: this.outbox };
    this.outbox = [];
    return this.claimed;
  }

  async settle(number: number): Promise<void> {
    if (this.claimed?.number === number) this.claimed = null;
  }
}
