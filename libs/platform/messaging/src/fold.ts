import { MillraceError, type DataOf, type EventDefinition } from '@millrace/contracts';
import type { BatchContext, ConsumeOptions, Consumption, Delivery, LogDriver, OutgoingMessage } from './driver.js';
import type { Received } from './envelope.js';
import { judgeBatch, refuse, type Reader } from './judge-batch.js';
import type { FoldLedger } from './ledger.js';

export interface FoldOptions<D extends EventDefinition, Tx> extends Pick<ConsumeOptions, 'onPosition' | 'onFailure' | 'sessionTimeoutMs' | 'concurrency'> {
  readonly group: string;
  readonly event: D;
  /**
   * Learns a batch of one partition and answers what is to be published. Runs inside the transaction that also moves the
   * offset, so it sees each event once. A thrown MillraceError that is not retryable sets the guilty event aside;
   * whatever else is thrown is tried again later.
   */
  readonly apply: (events: readonly Received<DataOf<D>>[], transaction: Tx) => Promise<readonly OutgoingMessage[]>;
}

/** Thrown inside the transaction to roll it back: another owner has folded these records. */
class Overtaken extends Error {}

interface Position {
  readonly epoch: number;
  next: number | null;
}

/** Kafka → state, exactly once: new state, outgoing events and the next offset change in one database transaction. */
export class Fold<D extends EventDefinition, Tx> implements Consumption {
  private readonly positions = new Map<number, Position>();
  private consumption: Consumption | undefined;

  private constructor(
    private readonly ledger: FoldLedger<Tx>,
    private readonly options: FoldOptions<D, Tx>,
    private readonly reader: Reader,
  ) {}

  static async start<D extends EventDefinition, Tx>(driver: LogDriver, ledger: FoldLedger<Tx>, options: FoldOptions<D, Tx>, reader: Reader): Promise<Fold<D, Tx>> {
    const fold = new Fold(ledger, options, reader);
    fold.consumption = await driver.consume({ ...options, topics: [options.event.type], onBatch: (deliveries, context) => fold.onBatch(deliveries, context) });
    return fold;
  }

  async stop(): Promise<void> {
    await this.consumption?.stop();
  }

  private async onBatch(deliveries: readonly Delivery[], context: BatchContext): Promise<void> {
    const first = deliveries[0];
    if (first === undefined) return;
    const { partition } = first;
    let position = this.positions.get(partition);
    if (position === undefined || position.epoch !== context.epoch) {
      position = { epoch: context.epoch, next: await this.ledger.nextOffset(this.options.group, this.options.event.type, partition) };
      this.positions.set(partition, position);
      if (position.next !== null && position.next < first.offset) return context.seek(position.next);
    }
    const { next } = position;
    const fresh = next === null ? deliveries : deliveries.filter(({ offset }) => offset >= next);
    const last = fresh[fresh.length - 1];
    if (last === undefined) return;
    try {
      await this.learn(fresh, position, partition);
    } catch (error) {
      this.positions.delete(partition);
      if (error instanceof Overtaken && !context.isCurrent()) return;
      throw error;
    }
    await context.commit(last.offset + 1).catch(() => undefined);
  }

  /** Halves a batch that cannot succeed until the guilty event stands alone, and sets that one aside. */
  private async learn(deliveries: readonly Delivery[], position: Position, partition: number): Promise<void> {
    try {
      await this.commit(deliveries, position, partition, () => judgeBatch(this.options.event, deliveries, this.reader));
    } catch (error) {
      const [only] = deliveries;
      if (!(error instanceof MillraceError) || error.retryable || only === undefined) throw error;
      if (deliveries.length === 1) return this.commit(deliveries, position, partition, () => ({ events: [], refused: [refuse(only, error, this.reader)] }));
      const middle = deliveries.length >> 1;
      await this.learn(deliveries.slice(0, middle), position, partition);
      await this.learn(deliveries.slice(middle), position, partition);
    }
  }

  private async commit(deliveries: readonly Delivery[], position: Position, partition: number, judge: () => { events: Received<DataOf<D>>[]; refused: OutgoingMessage[] }): Promise<void> {
    const { group, event, apply } = this.options;
    const to = (deliveries[deliveries.length - 1]?.offset ?? 0) + 1;
    await this.ledger.transact(async (transaction) => {
      if (!(await this.ledger.advance(transaction, group, event.type, partition, position.next, to))) throw new Overtaken(`${group} was overtaken on ${event.type}/${partition}`);
      const { events, refused } = judge();
      const messages = events.length === 0 ? [] : await apply(events, transaction);
      await this.ledger.enqueue(transaction, [...refused, ...messages]);
    });
    position.next = to;
  }
}
