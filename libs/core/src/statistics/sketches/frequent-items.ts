import { sealed, unsealed, type BinaryReader, type BinaryWriter } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';

/**
 * The most frequent names or numbers (J. Misra, D. Gries, “Finding repeated elements”, 1982; merged as in P. Agarwal and others,
 * “Mergeable summaries”, PODS 2012). At most c = `itemsMax` items have a counter. An item that finds no free counter takes 1 off
 * every counter and is let go, and counters at 0 become free. With `shed` = what was taken off each counter so far,
 *
 *     counter ≤ true count ≤ counter + shed,   an item without a counter came at most `shed` times,   shed ≤ n/(c + 1)
 *
 * with certainty. Hence every item of a share above 1/(c + 1) has a counter. As long as there are at most c distinct items all is
 * exact, and the bytes do not depend on the order.
 */
export interface FrequentItems<K extends string | number> {
  readonly of: K extends string ? 'name' : 'number';
  readonly itemsMax: number;
  n: number;
  shed: number;
  /** Item to the place of its counter. */
  readonly places: Map<K, number>;
  readonly counters: Float64Array;
  /** Places from here on were never taken. */
  used: number;
  /** Places that became free again. */
  readonly free: number[];
}

export interface FrequentItem<K> {
  readonly item: K;
  /** Bounds of the true count, both inclusive. */
  readonly atLeast: number;
  readonly atMost: number;
}

const itemsMaxDefault = 128;

function started<K extends string | number>(of: FrequentItems<K>['of'], itemsMax: number): FrequentItems<K> {
  if (!Number.isInteger(itemsMax) || itemsMax < 1 || itemsMax > 65_536) throw new RangeError(`frequent items have 1 to 65,536 counters, not ${itemsMax}`);
  return { of, itemsMax, n: 0, shed: 0, places: new Map(), counters: new Float64Array(itemsMax), used: 0, free: [] };
}

/** @throws RangeError when itemsMax is no whole number from 1 to 65,536. */
export const emptyFrequentNames = (itemsMax = itemsMaxDefault): FrequentItems<string> => started<string>('name', itemsMax);
/** @throws RangeError when itemsMax is no whole number from 1 to 65,536. */
export const emptyFrequentNumbers = (itemsMax = itemsMaxDefault): FrequentItems<number> => started<number>('number', itemsMax);

function place<K extends string | number>(items: FrequentItems<K>, item: K, count: number): void {
  let at = items.free.pop();
  if (at === undefined) {
    at = items.used;
    items.used += 1;
  }
  items.places.set(item, at);
  items.counters[at] = count;
}

/** Takes `by` off every counter. */
function shed<K extends string | number>(items: FrequentItems<K>, by: number): void {
  const { places, counters, free, used } = items;
  items.shed += by;
  for (let at = 0; at < used; at += 1) counters[at] = (counters[at] ?? 0) - by;
  for (const [item, at] of places) {
    if ((counters[at] ?? 0) > 0) continue;
    places.delete(item);
    free.push(at);
  }
}

function smallest<K extends string | number>({ places, counters }: FrequentItems<K>): number {
  let least = Infinity;
  for (const at of places.values()) least = Math.min(least, counters[at] ?? Infinity);
  return least;
}

/** Counts an item that has a counter, and tells whether it has: whoever follows new items elsewhere can pass over the known ones. */
export function countKnownItem<K extends string | number>(items: FrequentItems<K>, item: K): boolean {
  const at = items.places.get(item);
  if (at === undefined) return false;
  items.counters[at] = (items.counters[at] ?? 0) + 1;
  items.n += 1;
  return true;
}

/** Counts an item once of which `countKnownItem` has just said that it has no counter. */
export function observeNewItem<K extends string | number>(items: FrequentItems<K>, item: K): void {
  items.n += 1;
  countNewItem(items, item, 1);
}

/** @param count a whole number of times, at least 1. */
export function observeItem<K extends string | number>(items: FrequentItems<K>, item: K, count = 1): void {
  const at = items.places.get(item);
  items.n += count;
  if (at !== undefined) {
    items.counters[at] = (items.counters[at] ?? 0) + count;
    return;
  }
  countNewItem(items, item, count);
}

function countNewItem<K extends string | number>(items: FrequentItems<K>, item: K, count: number): void {
  if (items.places.size < items.itemsMax) {
    place(items, item, count);
    return;
  }
  // The smallest counter is at least 1: one that reached 0 was freed.
  const by = count === 1 ? 1 : Math.min(count, smallest(items));
  shed(items, by);
  if (count > by) place(items, item, count - by);
}

/** @throws RangeError when the numbers of counters differ. */
export function mergeFrequentItems<K extends string | number>(a: FrequentItems<K>, b: FrequentItems<K>): FrequentItems<K> {
  if (a.itemsMax !== b.itemsMax) throw new RangeError('frequent items of different numbers of counters cannot be merged');
  const counts = new Map<K, number>();
  for (const items of [a, b]) for (const [item, at] of items.places) counts.set(item, (counts.get(item) ?? 0) + (items.counters[at] ?? 0));
  const merged = started<K>(a.of, a.itemsMax);
  const descending = [...counts.values()].sort((x, y) => y - x);
  const over = descending[a.itemsMax] ?? 0;
  merged.n = a.n + b.n;
  merged.shed = a.shed + b.shed + over;
  for (const [item, count] of counts) if (count > over) place(merged, item, count - over);
  return merged;
}

/** Bounds of how often an item came, both inclusive. */
export function itemCount<K extends string | number>(items: FrequentItems<K>, item: K): { readonly atLeast: number; readonly atMost: number } {
  const at = items.places.get(item);
  const atLeast = at === undefined ? 0 : (items.counters[at] ?? 0);
  return { atLeast, atMost: atLeast + items.shed };
}

/** Items by falling counter; ties in the order of numbers or code units. */
export function frequentItems<K extends string | number>(items: FrequentItems<K>, limit = Infinity): FrequentItem<K>[] {
  return [...items.places]
    .map(([item, at]) => ({ item, atLeast: items.counters[at] ?? 0, atMost: (items.counters[at] ?? 0) + items.shed }))
    .sort((a, b) => b.atLeast - a.atLeast || (a.item < b.item ? -1 : 1))
    .slice(0, limit);
}

function writeItems<K extends string | number>(writer: BinaryWriter, items: FrequentItems<K>, writeItem: (item: K) => void): void {
  const sorted = frequentItems(items);
  for (const size of [items.itemsMax, items.n, items.shed, sorted.length]) writer.count(size);
  for (const { item, atLeast } of sorted) {
    writeItem(item);
    writer.count(atLeast);
  }
}

function readItems<K extends string | number>(reader: BinaryReader, of: FrequentItems<K>['of'], readItem: () => K): FrequentItems<K> {
  const items = started<K>(of, reader.count());
  items.n = reader.count();
  items.shed = reader.count();
  const size = reader.size(items.itemsMax);
  for (let index = 0; index < size; index += 1) place(items, readItem(), reader.count());
  if (items.places.size !== size) throw new RangeError('an item has two counters');
  return items;
}

export const writeFrequentNames = (writer: BinaryWriter, items: FrequentItems<string>): void => writeItems(writer, items, (item) => writer.text(item));
export const writeFrequentNumbers = (writer: BinaryWriter, items: FrequentItems<number>): void => writeItems(writer, items, (item) => writer.f64(item + 0));
export const readFrequentNames = (reader: BinaryReader): FrequentItems<string> => readItems<string>(reader, 'name', () => reader.text());
export const readFrequentNumbers = (reader: BinaryReader): FrequentItems<number> => readItems<number>(reader, 'number', () => reader.finite());

const [tag, numbersTag, version] = [4, 7, 1];
export const serialiseFrequentNames = (items: FrequentItems<string>): Uint8Array => sealed(tag, version, (writer) => writeFrequentNames(writer, items));
/** @throws RangeError for bytes that are no frequent names. */
export const parseFrequentNames = (bytes: Uint8Array): FrequentItems<string> => unsealed(bytes, tag, version, readFrequentNames);
export const serialiseFrequentNumbers = (items: FrequentItems<number>): Uint8Array => sealed(numbersTag, version, (writer) => writeFrequentNumbers(writer, items));
/** @throws RangeError for bytes that are no frequent numbers. */
export const parseFrequentNumbers = (bytes: Uint8Array): FrequentItems<number> => unsealed(bytes, numbersTag, version, readFrequentNumbers);

function answersOf<K extends string | number>(items: FrequentItems<K>, probes: readonly K[]) {
  return [
    { about: 'count', value: items.n, error: 0, moves: 'not' as const },
    ...probes.map((probe, index) => ({ about: `count of probe ${index}`, value: itemCount(items, probe).atLeast, error: items.shed, moves: 'not' as const })),
  ];
}

export const frequentNamesKind: SketchKind<FrequentItems<string>, 'name'> = {
  role: 'sketch',
  name: 'frequent-items',
  takes: 'name',
  empty: () => emptyFrequentNames(),
  observe: (items, name) => observeItem(items, name),
  merge: mergeFrequentItems,
  serialise: serialiseFrequentNames,
  parse: parseFrequentNames,
  answers: answersOf,
  orderIndependent: false,
};

export const frequentNumbersKind: SketchKind<FrequentItems<number>, 'number'> = {
  role: 'sketch',
  name: 'frequent-items/numbers',
  takes: 'number',
  empty: () => emptyFrequentNumbers(),
  observe: (items, x) => observeItem(items, x),
  merge: mergeFrequentItems,
  serialise: serialiseFrequentNumbers,
  parse: parseFrequentNumbers,
  answers: answersOf,
  orderIndependent: false,
};
