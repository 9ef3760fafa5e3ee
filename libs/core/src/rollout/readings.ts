import type { OutcomeObserved } from '@millrace/contracts';

/** One stretch of one partition that a roll-out has learnt from, offsets [fromOffset, toOffset). */
export interface Reading {
  /** From 1, in the order in which the roll-out learnt. */
  readonly number: number;
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Events of the roll-out’s model among these offsets. */
  readonly events: number;
}

/**
 * The reading after one more event: the last one goes on when the event follows in the same partition, otherwise a new
 * one begins. The order of partitions is chance, and evidence depends on order: only with it can a roll-out be replayed.
 * @throws RangeError when the event lies before what was read of its partition last.
 */
export function readOn(last: Reading | undefined, { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number }): Reading {
  if (last === undefined || last.topic !== topic || last.partition !== partition) return { number: (last?.number ?? 0) + 1, topic, partition, fromOffset: offset, toOffset: offset + 1, events: 1 };
  if (offset < last.toOffset) throw new RangeError(`${topic}/${partition}@${offset} was read already`);
  return { ...last, toOffset: offset + 1, events: last.events + 1 };
}

/** The beginning of a reading, as it stood when a step was told: nobody has counted its events. */
export type ReadingPart = Omit<Reading, 'events'> & { readonly events: number | null };

/** An event where it stands in the log. */
export interface PlacedOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly outcome: OutcomeObserved;
}

export type ReadOutcome = PlacedOutcome & { readonly reading: number };

/** A reading whose stretch of the log holds another number of the model’s events than were learnt from. */
export interface ReadingMismatch extends ReadingPart {
  readonly found: number;
}

/**
 * Puts events of the roll-out’s model into the order in which it learnt.
 * @param placed in offset order within each partition; what lies in no reading is left out.
 */
export function inReadingOrder(readings: readonly ReadingPart[], placed: readonly PlacedOutcome[]): { readonly events: ReadOutcome[]; readonly mismatches: ReadingMismatch[] } {
  const byPartition = new Map<string, PlacedOutcome[]>();
  for (const event of placed) {
    const place = `${event.topic}/${event.partition}`;
    const log = byPartition.get(place);
    if (log === undefined) byPartition.set(place, [event]);
    else log.push(event);
  }
  const next = new Map<string, number>();
  const events: ReadOutcome[] = [];
  const mismatches: ReadingMismatch[] = [];
  for (const reading of [...readings].sort((a, b) => a.number - b.number)) {
    const place = `${reading.topic}/${reading.partition}`;
    const log = byPartition.get(place) ?? [];
    let first = next.get(place) ?? 0;
    while (first < log.length && (log[first]?.offset ?? Infinity) < reading.fromOffset) first += 1;
    let end = first;
    while (end < log.length && (log[end]?.offset ?? Infinity) < reading.toOffset) end += 1;
    const taken = log.slice(first, end);
    next.set(place, end);
    events.push(...taken.map((event) => ({ ...event, reading: reading.number })));
    if (reading.events !== null && taken.length !== reading.events) mismatches.push({ ...reading, found: taken.length });
  }
  return { events, mismatches };
}
