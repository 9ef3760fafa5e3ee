import { randomUUID } from 'node:crypto';
import { MillraceError } from '@millrace/contracts';
import type { Delivery, LogDriver } from './driver.js';

/** Offsets [fromOffset, toOffset) of one partition. */
export interface PartitionRange {
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

export interface RangeProgress {
  /** Offsets passed of all that were asked for; markers of transactions and compacted records count too. */
  readonly done: number;
  readonly total: number;
}

/** Reads of one partition that brought nothing for so long mean that nothing will come. Milliseconds of wall clock. */
const silenceMsMax = 30_000;

/**
 * Reads named ranges of one topic again, committed records only, and resolves when all of them were seen. Records of a
 * partition come in offset order; partitions take turns as the broker likes. Leaves no trace but a consumer group’s name.
 * @throws MillraceError OFFSETS_UNAVAILABLE when the topic does not hold a range (any more), naming the offsets it has.
 */
export async function readRanges(driver: LogDriver, topic: string, ranges: readonly PartitionRange[], onBatch: (deliveries: readonly Delivery[], progress: RangeProgress) => void): Promise<void> {
  const wanted = new Map(ranges.filter(({ fromOffset, toOffset }) => toOffset > fromOffset).map((range) => [range.partition, range]));
  const ends = await endsOf(driver, topic, [...wanted.values()]);
  if (wanted.size === 0) return;
  const next = new Map([...wanted].map(([partition, { fromOffset }]) => [partition, fromOffset]));
  const total = [...wanted.values()].reduce((sum, { fromOffset, toOffset }) => sum + toOffset - fromOffset, 0);
  const watch = new Silence(topic);
  const settle = (): void => {
    if ([...wanted].every(([partition, { toOffset }]) => (next.get(partition) ?? 0) >= toOffset)) watch.end();
  };
  const take = (deliveries: readonly Delivery[], { partition, fromOffset, toOffset }: PartitionRange): void => {
    const from = Math.max(fromOffset, next.get(partition) ?? 0);
    const inside = deliveries.filter(({ offset }) => offset >= from && offset < toOffset);
    next.set(partition, Math.max(next.get(partition) ?? 0, Math.min(toOffset, (deliveries.at(-1)?.offset ?? 0) + 1)));
    const done = [...wanted].reduce((sum, [number, range]) => sum + (next.get(number) ?? range.fromOffset) - range.fromOffset, 0);
    if (inside.length > 0) onBatch(inside, { done, total });
  };
  const consumption = await driver.consume({
    group: `reread.${topic}.${randomUUID()}`,
    topics: [topic],
    onBatch: async (deliveries, context) => {
      const [first] = deliveries;
      const range = first === undefined ? undefined : wanted.get(first.partition);
      if (first === undefined) return;
      watch.heard();
      if (range === undefined) return context.seek(ends.get(first.partition) ?? first.offset);
      const due = next.get(range.partition) ?? range.fromOffset;
      if (first.offset < due && (deliveries.at(-1)?.offset ?? 0) < due) return context.seek(due);
      take(deliveries, range);
      if ((next.get(range.partition) ?? 0) >= range.toOffset) context.seek(ends.get(range.partition) ?? range.toOffset);
      settle();
    },
    // The last offsets of a range may be markers only, which are never delivered.
    onPosition: ({ partition, offset }) => {
      const range = wanted.get(partition);
      if (range === undefined || offset < range.toOffset || (next.get(partition) ?? 0) < range.fromOffset) return;
      next.set(partition, range.toOffset);
      settle();
    },
    onFailure: (error) => watch.fail(error),
  });
  await watch.done.finally(() => consumption.stop());
}

/** First offset not written yet of each partition. @throws MillraceError OFFSETS_UNAVAILABLE */
async function endsOf(driver: LogDriver, topic: string, ranges: readonly PartitionRange[]): Promise<Map<number, number>> {
  const held = new Map((await driver.watermarks(topic)).map((watermarks) => [watermarks.partition, watermarks]));
  for (const { partition, fromOffset, toOffset } of ranges) {
    const place = `${topic}/${partition}`;
    const found = held.get(partition);
    if (found === undefined) throw new MillraceError('OFFSETS_UNAVAILABLE', `${place} does not exist`);
    if (found.low > fromOffset) throw new MillraceError('OFFSETS_UNAVAILABLE', `${place} no longer holds [${fromOffset}, ${toOffset}): its earliest offset is ${found.low} (retention)`, { earliestOffset: found.low });
    if (found.high < toOffset) throw new MillraceError('OFFSETS_UNAVAILABLE', `${place} does not hold [${fromOffset}, ${toOffset}): it ends at ${found.high}; is this the log of another stack?`);
  }
  return new Map([...held.values()].map(({ partition, high }) => [partition, high]));
}

/** Ends when it is told to, or with an error when nothing was heard for too long. */
class Silence {
  readonly done: Promise<void>;
  private resolve: () => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly topic: string) {
    this.done = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever waits hears of it; until somebody does it is nobody’s.
    this.done.catch(() => undefined);
    this.heard();
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reject(new MillraceError('DEPENDENCY_UNAVAILABLE', `${this.topic} sent nothing for ${silenceMsMax / 1_000} s`)), silenceMsMax);
  }

  end(): void {
    clearTimeout(this.timer);
    this.resolve();
  }

  fail(error: unknown): void {
    clearTimeout(this.timer);
    this.reject(error);
  }
}
