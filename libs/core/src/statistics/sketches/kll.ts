import { assertFinite, sealed, unsealed, type BinaryReader, type BinaryWriter } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';
import { readOrderedFloats, writeOrderedFloats } from '../ordered-floats.js';

/**
 * Quantiles and ranks of finite numbers (Z. Karnin, K. Lang, E. Liberty, “Optimal quantile approximation in streams”, FOCS 2016). An
 * item on level h stands for 2^h values. A level that is full gives every second item, odd or even by a coin, to the level above; the
 * top level holds k items, each one below it ⅔ of the next, at least 8. Compaction is lazy: it waits until no level has room left.
 *
 * Rank error, as a part of n, with 99 % confidence: `kllRankError(k)` for one rank, `kllRankErrorOfAll(k)` for all ranks at once
 * (0.68 % and 0.86 % for k = 400; the constants are those that Apache DataSketches publishes for this compaction, held to
 * in `profiling.study.ts`). Exact up to k values. Minimum and maximum are exact.
 *
 * Values are stored as float64 or float32: the latter rounds them, keeping their order, by a part of at most 6e-8. The coin is
 * a state of the sketch: the same seed and values give the same bytes.
 */
export interface KllSketch {
  readonly k: number;
  readonly float: 32 | 64;
  n: number;
  min: number;
  max: number;
  /** xorshift32. */
  coin: number;
  /** Level h lies at starts[h] … starts[h + 1] of the items, ascending, except level 0, which has no order; before starts[0] there is room. */
  starts: number[];
  items: Float32Array | Float64Array;
}

const [levelMin, levelsMax, shrink] = [8, 48, 2 / 3];

/** One rank, 99 %. */
export const kllRankError = (k: number): number => 2.296 / k ** 0.9723;
/** All ranks at once (the Kolmogorov distance between the sketch and its values), 99 %. */
export const kllRankErrorOfAll = (k: number): number => 2.446 / k ** 0.9433;

export interface KllSettings {
  readonly k?: number;
  readonly float?: 32 | 64;
  /** Any whole number. */
  readonly seed?: number;
}

/** @throws RangeError when k is no whole number from 8 to 65,535. */
export function emptyKll({ k = 400, float = 64, seed = 0 }: KllSettings = {}): KllSketch {
  if (!Number.isInteger(k) || k < 8 || k > 65_535) throw new RangeError(`k must be a whole number from 8 to 65,535, not ${k}`);
  const items = room(float, Math.min(k, 32));
  return { k, float, n: 0, min: Infinity, max: -Infinity, coin: (Math.imul(seed, 0x9e3779b1) ^ 0x2545f491) >>> 0 || 1, starts: [items.length, items.length], items };
}

const room = (float: 32 | 64, size: number): Float32Array | Float64Array => (float === 32 ? new Float32Array(size) : new Float64Array(size));

const levelCapacity = (k: number, depth: number): number => Math.max(levelMin, Math.ceil(k * shrink ** depth));

const capacities = new Map<number, number[]>();
/** Items that `levels` levels may hold together. */
function capacityOf(k: number, levels: number): number {
  let known = capacities.get(k);
  if (known === undefined) capacities.set(k, (known = [0]));
  for (let depth = known.length - 1; depth < levels; depth += 1) known.push((known[depth] ?? 0) + levelCapacity(k, depth));
  return known[levels] ?? 0;
}

const levelsOf = ({ starts }: KllSketch): number => starts.length - 1;
const startOf = (sketch: KllSketch, level: number): number => sketch.starts[level] ?? 0;
const sizeOf = (sketch: KllSketch, level: number): number => startOf(sketch, level + 1) - startOf(sketch, level);

function flip(sketch: KllSketch): 0 | 1 {
  let coin = sketch.coin;
  coin ^= coin << 13;
  coin ^= coin >>> 17;
  coin ^= coin << 5;
  sketch.coin = coin >>> 0;
  return (coin & 0x10) === 0 ? 0 : 1;
}

/** @throws RangeError for what is not finite. */
export function observeKll(sketch: KllSketch, x: number): void {
  assertFinite(x);
  sketch.n += 1;
  if (x < sketch.min) sketch.min = x;
  if (x > sketch.max) sketch.max = x;
  if (sketch.starts[0] === 0) makeRoom(sketch);
  const at = startOf(sketch, 0) - 1;
  sketch.starts[0] = at;
  sketch.items[at] = kept(sketch, x);
}

/** As it is stored: −0, which tiny numbers become as float32, too, is 0. */
const kept = ({ float }: KllSketch, x: number): number => (float === 32 ? Math.fround(x) : x) + 0;

/** Makes the items longer, with the new room in front. */
function grow(sketch: KllSketch, size: number): void {
  const items = room(sketch.float, size);
  const by = size - sketch.items.length;
  items.set(sketch.items, by);
  sketch.items = items;
  for (let level = 0; level < sketch.starts.length; level += 1) sketch.starts[level] = startOf(sketch, level) + by;
}

function makeRoom(sketch: KllSketch): void {
  const size = capacityOf(sketch.k, levelsOf(sketch));
  if (sketch.items.length < size) {
    grow(sketch, Math.min(size, 2 * sketch.items.length));
    return;
  }
  const levels = levelsOf(sketch);
  let level = 0;
  while (level < levels - 1 && sizeOf(sketch, level) < levelCapacity(sketch.k, levels - 1 - level)) level += 1;
  if (level === levels - 1) {
    sketch.starts.push(sketch.items.length);
    grow(sketch, sketch.items.length + capacityOf(sketch.k, levels + 1) - size);
  }
  compact(sketch, level);
}

/** Sorted by insertion where that beats a call to the engine. */
function sortItems(items: Float32Array | Float64Array, from: number, to: number): void {
  if (to - from > 32) {
    items.subarray(from, to).sort();
    return;
  }
  for (let at = from + 1; at < to; at += 1) {
    const item = items[at] ?? 0;
    let gap = at;
    for (; gap > from && (items[gap - 1] ?? 0) > item; gap -= 1) items[gap] = items[gap - 1] ?? 0;
    items[gap] = item;
  }
}

let promoted = new Float64Array(512);

/** Gives every second item of a level to the level above. Of an odd number the least stays. */
function compact(sketch: KllSketch, level: number): void {
  const { items, starts } = sketch;
  const [from, to, end] = [startOf(sketch, level), startOf(sketch, level + 1), startOf(sketch, level + 2)];
  if (level === 0) sortItems(items, from, to);
  const odd = (to - from) & 1;
  const half = (to - from - odd) / 2;
  if (promoted.length < half) promoted = new Float64Array(2 * half);
  const first = from + odd + flip(sketch);
  for (let index = 0; index < half; index += 1) promoted[index] = items[first + 2 * index] ?? 0;
  let write = to - half;
  for (let [ours, above] = [0, to]; ours < half; write += 1) {
    const item = promoted[ours] ?? 0;
    const next = above < end ? (items[above] ?? 0) : Infinity;
    if (above < end && next < item) {
      items[write] = next;
      above += 1;
    } else {
      items[write] = item;
      ours += 1;
    }
  }
  const bottom = startOf(sketch, 0);
  items.copyWithin(bottom + half, bottom, from + odd);
  for (let below = 0; below <= level; below += 1) starts[below] = startOf(sketch, below) + half;
  starts[level + 1] = to - half;
}

/** The items of each level, ascending. */
function levelsIn(sketch: KllSketch): number[][] {
  return Array.from({ length: levelsOf(sketch) }, (_, level) => Array.from(sketch.items.subarray(startOf(sketch, level), startOf(sketch, level + 1))).sort((a, b) => a - b));
}

/** Lays levels out anew, making room by compaction until they fit. */
function layOut(sketch: KllSketch, levels: readonly (readonly number[])[]): void {
  const total = levels.reduce((sum, level) => sum + level.length, 0);
  sketch.items = room(sketch.float, Math.max(total, capacityOf(sketch.k, levels.length)));
  sketch.starts = [];
  let at = sketch.items.length - total;
  for (const level of levels) {
    sketch.starts.push(at);
    sketch.items.set(level, at);
    at += level.length;
  }
  sketch.starts.push(at);
  let size = capacityOf(sketch.k, levelsOf(sketch));
  while (sketch.items.length - startOf(sketch, 0) > size) {
    makeRoom(sketch);
    size = capacityOf(sketch.k, levelsOf(sketch));
  }
  // More than the capacity was needed in between only.
  if (sketch.items.length > size) trim(sketch, size);
}

function trim(sketch: KllSketch, size: number): void {
  const by = sketch.items.length - size;
  sketch.items = sketch.items.slice(by);
  for (let level = 0; level < sketch.starts.length; level += 1) sketch.starts[level] = startOf(sketch, level) - by;
}

/** @throws RangeError when k or the width of the floats differ: the rank error would be unknown. */
export function mergeKll(a: KllSketch, b: KllSketch): KllSketch {
  if (a.k !== b.k || a.float !== b.float) throw new RangeError('KLL sketches of different k or floats cannot be merged');
  const merged: KllSketch = { ...a, n: a.n + b.n, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), starts: [...a.starts], coin: (a.coin ^ Math.imul(b.coin, 0x85ebca6b)) >>> 0 || 1 };
  const [ours, theirs] = [levelsIn(a), levelsIn(b)];
  const levels = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, level) => [...(ours[level] ?? []), ...(theirs[level] ?? [])].sort((x, y) => x - y));
  layOut(merged, levels);
  return merged;
}

/**
 * Counts a value `weight` times at once: as one item on each level whose bit is set in the weight.
 * @throws RangeError for what is not finite, or a weight that is no whole number from 1 to 2^31 − 1.
 */
export function observeKllWeighted(sketch: KllSketch, x: number, weight: number): void {
  assertFinite(x);
  if (!Number.isInteger(weight) || weight < 1 || weight > 2 ** 31 - 1) throw new RangeError(`a weight is a whole number from 1 to 2^31 − 1, not ${weight}`);
  const levels = levelsIn(sketch);
  for (let level = 0; 2 ** level <= weight; level += 1) {
    while (levels.length <= level) levels.push([]);
    if ((weight >>> level) & 1) levels[level] = [...(levels[level] ?? []), kept(sketch, x)].sort((a, b) => a - b);
  }
  sketch.n += weight;
  sketch.min = Math.min(sketch.min, x);
  sketch.max = Math.max(sketch.max, x);
  layOut(sketch, levels);
}

/** Items kept, a measure of the size. */
export const kllRetained = (sketch: KllSketch): number => sketch.items.length - startOf(sketch, 0);

/** The sketch as a step function: distinct values ascending, and how many of the n values are at most each. */
export interface KllSteps {
  readonly values: Float64Array;
  readonly atMost: Float64Array;
}

export function kllSteps(sketch: KllSketch): KllSteps {
  const weighted: [number, number][] = levelsIn(sketch).flatMap((items, level) => items.map((item): [number, number] => [item, 2 ** level]));
  weighted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const [values, atMost]: [number[], number[]] = [[], []];
  let sum = 0;
  for (const [item, weight] of weighted) {
    sum += weight;
    // A float32 may have left the range that is known exactly, or that of finite numbers.
    const value = Math.min(sketch.max, Math.max(sketch.min, item));
    if (values.at(-1) === value) atMost[atMost.length - 1] = sum;
    else {
      values.push(value);
      atMost.push(sum);
    }
  }
  return { values: Float64Array.from(values), atMost: Float64Array.from(atMost) };
}

/** First step that `holds`; the number of steps when none does. */
function firstStep(length: number, holds: (step: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Parts of the values that are at most each x; null for no values. Within `kllRankError(k)`, exact up to k values. */
export function kllRanks(sketch: KllSketch, xs: readonly number[]): (number | null)[] {
  if (sketch.n === 0) return xs.map(() => null);
  const { values, atMost } = kllSteps(sketch);
  return xs.map((x) => {
    if (x >= sketch.max) return 1;
    if (x < sketch.min) return 0;
    const at = sketch.float === 32 ? Math.fround(x) : x;
    const step = firstStep(values.length, (index) => (values[index] ?? 0) > at);
    return step === 0 ? 0 : (atMost[step - 1] ?? 0) / sketch.n;
  });
}

/** For each q in [0, 1] the least value of which at least the part q of all values is at most; q = 0 and 1 give minimum and maximum. null for no values. */
export function kllQuantiles(sketch: KllSketch, qs: readonly number[]): (number | null)[] {
  if (sketch.n === 0) return qs.map(() => null);
  const { values, atMost } = kllSteps(sketch);
  return qs.map((q) => {
    if (!(q > 0)) return sketch.min;
    if (q >= 1) return sketch.max;
    const step = firstStep(values.length, (index) => (atMost[index] ?? 0) >= q * sketch.n);
    return values[step] ?? sketch.max;
  });
}

export function writeKll(writer: BinaryWriter, sketch: KllSketch): void {
  writer.count(sketch.k);
  writer.u8(sketch.float);
  writer.u32(sketch.coin);
  writer.count(sketch.n);
  if (sketch.n === 0) return;
  writer.f64(sketch.min);
  writer.f64(sketch.max);
  writer.u8(levelsOf(sketch));
  for (const level of levelsIn(sketch)) {
    writer.count(level.length);
    if (sketch.float === 32) writeOrderedFloats(writer, level);
    else for (const item of level) writer.f64(item);
  }
}

/** @throws RangeError for an impossible sketch. */
export function readKll(reader: BinaryReader): KllSketch {
  const k = reader.count();
  const float = reader.u8();
  if (float !== 32 && float !== 64) throw new RangeError(`floats have 32 or 64 bits, not ${float}`);
  const sketch = emptyKll({ k, float });
  sketch.coin = reader.u32();
  sketch.n = reader.count();
  if (sketch.n === 0) return sketch;
  sketch.min = reader.finite();
  sketch.max = reader.finite();
  const count = reader.u8();
  if (count < 1 || count > levelsMax) throw new RangeError(`a sketch has 1 to ${levelsMax} levels, not ${count}`);
  const capacity = capacityOf(k, count);
  const levels: number[][] = [];
  for (let level = 0; level < count; level += 1) {
    const size = reader.size(capacity);
    levels.push(float === 32 ? readOrderedFloats(reader, size) : Array.from({ length: size }, () => reader.finite()));
  }
  const weight = levels.reduce((sum, items, level) => sum + items.length * 2 ** level, 0);
  if (weight !== sketch.n || levels.reduce((sum, { length }) => sum + length, 0) > capacity) throw new RangeError('the items of the sketch do not add up');
  layOut(sketch, levels);
  return sketch;
}

const [tag, version] = [2, 1];
export const serialiseKll = (sketch: KllSketch): Uint8Array => sealed(tag, version, (writer) => writeKll(writer, sketch));
/** @throws RangeError for bytes that are no KLL sketch. */
export const parseKll = (bytes: Uint8Array): KllSketch => unsealed(bytes, tag, version, readKll);

const kindOf = (name: string, float: 32 | 64): SketchKind<KllSketch, 'number'> => ({
  role: 'sketch',
  name,
  takes: 'number',
  empty: (seed) => emptyKll({ float, seed }),
  observe: observeKll,
  merge: mergeKll,
  serialise: serialiseKll,
  parse: parseKll,
  answers: (sketch, probes) => [
    { about: 'count', value: sketch.n, error: 0, moves: 'not' },
    ...kllRanks(sketch, probes).map((value, index) => ({ about: `rank of probe ${index}`, value, error: sketch.n <= sketch.k ? 0 : kllRankErrorOfAll(sketch.k), moves: 'not' as const })),
    ...kllQuantiles(sketch, [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1]).map((value, index) => ({ about: `quantile ${index}`, value, error: Infinity, moves: 'as-place' as const })),
  ],
  orderIndependent: false,
});

export const kllKind = kindOf('kll', 64);
export const kllFloat32Kind = kindOf('kll/float32', 32);
