import { assertFinite, sealed, unsealed, type BinaryReader, type BinaryWriter } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';
import type { NumberSample } from '../tests/sample.js';

/**
 * Exact counts of finite numbers on a grid that is as fine as its room allows. A number’s key is the upper half of its float64
 * (1 + 11 + 20 bits, so within a part of 1e-6), in the order of the numbers; a cell holds the 2^shift keys that share their upper
 * bits, as in a log-linear histogram. When more than `cellsMax` cells are taken, neighbours are joined in pairs everywhere, until
 * they fit (uniform collapse: I. Epicoco and others, “UDDSketch”, IEEE Access 8, 2020).
 *
 * The cells of some numbers are a subset of those of more numbers, so the shift follows from the set of numbers alone: state and
 * bytes depend neither on order nor on how the numbers were split and merged. Counts are exact. Up to `cellsMax` distinct keys the
 * histogram is the sample itself.
 */
export interface GridHistogram {
  readonly cellsMax: number;
  n: number;
  /** Infinity and −Infinity while n is 0. */
  min: number;
  max: number;
  /** 0 to 31. */
  shift: number;
  cells: Map<number, number>;
}

const cellsMaxDefault = 1_024;

/** @throws RangeError when cellsMax is no whole number from 2 to 65,536. */
export function emptyGridHistogram(cellsMax = cellsMaxDefault): GridHistogram {
  if (!Number.isInteger(cellsMax) || cellsMax < 2 || cellsMax > 65_536) throw new RangeError(`a grid histogram has 2 to 65,536 cells, not ${cellsMax}`);
  return { cellsMax, n: 0, min: Infinity, max: -Infinity, shift: 0, cells: new Map() };
}

const number = new Float64Array(1);
const halves = new Int32Array(number.buffer);
const upper = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;
const largestKey = 0x7fefffff;

/** Ascending with x. What is nearer to 0 than 2^-1042 has the key of 0. */
function keyOf(x: number): number {
  number[0] = x;
  const half = halves[upper] ?? 0;
  if (half >= 0) return half;
  const size = half & 0x7fffffff;
  return size === 0 ? 0 : ~size;
}

/** The number of a key that is nearest to 0. */
function valueOf(key: number): number {
  halves[1 - upper] = 0;
  halves[upper] = key >= 0 ? key : ~key | 0x80000000;
  return (number[0] ?? 0) + 0;
}

/** One number for all of a cell: the number itself where the cell is a key, else the middle. Distinct and ascending over the cells. */
function valueOfCell(cell: number, shift: number): number {
  if (shift === 0) return valueOf(cell);
  const first = Math.max(~largestKey, cell * 2 ** shift);
  const last = Math.min(largestKey, cell * 2 ** shift + 2 ** shift - 1);
  return valueOf(first) / 2 + valueOf(last) / 2;
}

function joined(cells: ReadonlyMap<number, number>, by: number): Map<number, number> {
  const coarser = new Map<number, number>();
  for (const [cell, count] of cells) coarser.set(cell >> by, (coarser.get(cell >> by) ?? 0) + count);
  return coarser;
}

function fit(histogram: GridHistogram): void {
  while (histogram.cells.size > histogram.cellsMax) {
    histogram.cells = joined(histogram.cells, 1);
    histogram.shift += 1;
  }
}

/** @throws RangeError for what is not finite. */
export function observeGrid(histogram: GridHistogram, x: number): void {
  assertFinite(x);
  const { cells } = histogram;
  histogram.n += 1;
  if (x < histogram.min) histogram.min = x + 0;
  if (x > histogram.max) histogram.max = x + 0;
  const cell = keyOf(x) >> histogram.shift;
  const count = cells.get(cell);
  cells.set(cell, count === undefined ? 1 : count + 1);
  if (count === undefined && cells.size > histogram.cellsMax) fit(histogram);
}

const coarsened = ({ cells, shift }: GridHistogram, to: number): Map<number, number> => (to === shift ? new Map(cells) : joined(cells, to - shift));

/** Of two sizes the smaller holds. */
export function mergeGridHistograms(a: GridHistogram, b: GridHistogram): GridHistogram {
  const shift = Math.max(a.shift, b.shift);
  const merged: GridHistogram = { cellsMax: Math.min(a.cellsMax, b.cellsMax), n: a.n + b.n, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), shift, cells: coarsened(a, shift) };
  for (const [cell, count] of coarsened(b, shift)) merged.cells.set(cell, (merged.cells.get(cell) ?? 0) + count);
  fit(merged);
  return merged;
}

const ascending = (cells: ReadonlyMap<number, number>): [number, number][] => [...cells].sort(([a], [b]) => a - b);

function sampleAt(histogram: GridHistogram, shift: number): NumberSample {
  const cells = ascending(coarsened(histogram, shift));
  return { values: Float64Array.from(cells, ([cell]) => valueOfCell(cell, shift)), counts: Float64Array.from(cells, ([, count]) => count), n: histogram.n };
}

/** The numbers, each moved within its cell. */
export const gridSample = (histogram: GridHistogram): NumberSample => sampleAt(histogram, histogram.shift);

/**
 * Both on one grid: that of all their numbers together. Which grid that is does not depend on how the numbers fell to the two, so
 * what holds for exchangeable samples holds for what comes out.
 */
export function gridSamples(a: GridHistogram, b: GridHistogram): [NumberSample, NumberSample] {
  const { shift } = mergeGridHistograms(a, b);
  return [sampleAt(a, shift), sampleAt(b, shift)];
}

/** Part of the numbers that is at most x, within half of what its cell holds; null for no numbers. */
export function gridRank(histogram: GridHistogram, x: number): { readonly rank: number; readonly error: number } | null {
  const { n, min, max, shift, cells } = histogram;
  if (n === 0) return null;
  if (x >= max || x < min) return { rank: x >= max ? 1 : 0, error: 0 };
  const own = keyOf(x) >> shift;
  let below = 0;
  for (const [cell, count] of cells) if (cell < own) below += count;
  const inside = cells.get(own) ?? 0;
  return { rank: (below + inside / 2) / n, error: inside / 2 / n };
}

/** The value of which the part q of all numbers is at most, from its cell; null for no numbers. */
export function gridQuantile(histogram: GridHistogram, q: number): number | null {
  const { values, counts, n } = gridSample(histogram);
  let below = 0;
  for (let index = 0; index < values.length; index += 1) {
    below += counts[index] ?? 0;
    if (below >= q * n) return Math.min(histogram.max, Math.max(histogram.min, values[index] ?? 0));
  }
  return null;
}

/** Zigzag: small whole numbers of either sign become small counts. */
const zigzag = (value: number): number => (value >= 0 ? 2 * value : -2 * value - 1);
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

export function writeGridHistogram(writer: BinaryWriter, histogram: GridHistogram): void {
  for (const size of [histogram.cellsMax, histogram.n]) writer.count(size);
  if (histogram.n === 0) return;
  writer.f64(histogram.min);
  writer.f64(histogram.max);
  writer.u8(histogram.shift);
  writer.count(histogram.cells.size);
  let before = 0;
  for (const [cell, count] of ascending(histogram.cells)) {
    writer.count(zigzag(cell - before));
    writer.count(count);
    before = cell;
  }
}

/** @throws RangeError for an impossible histogram. */
export function readGridHistogram(reader: BinaryReader): GridHistogram {
  const histogram = emptyGridHistogram(reader.count());
  histogram.n = reader.count();
  if (histogram.n === 0) return histogram;
  histogram.min = reader.finite();
  histogram.max = reader.finite();
  histogram.shift = reader.u8();
  const size = reader.size(histogram.cellsMax);
  let [before, sum] = [0, 0];
  for (let index = 0; index < size; index += 1) {
    before += unzigzag(reader.count());
    const count = reader.count();
    histogram.cells.set(before, count);
    sum += count;
  }
  if (sum !== histogram.n || histogram.shift > 31 || histogram.min > histogram.max) throw new RangeError('this grid histogram cannot be');
  return histogram;
}

const [tag, version] = [9, 1];
export const serialiseGridHistogram = (histogram: GridHistogram): Uint8Array => sealed(tag, version, (writer) => writeGridHistogram(writer, histogram));
/** @throws RangeError for bytes that are no grid histogram. */
export const parseGridHistogram = (bytes: Uint8Array): GridHistogram => unsealed(bytes, tag, version, readGridHistogram);

export const gridHistogramKind: SketchKind<GridHistogram, 'number'> = {
  role: 'sketch',
  name: 'grid-histogram',
  takes: 'number',
  empty: () => emptyGridHistogram(),
  observe: observeGrid,
  merge: mergeGridHistograms,
  serialise: serialiseGridHistogram,
  parse: parseGridHistogram,
  answers: (histogram, probes) => [
    { about: 'count', value: histogram.n, error: 0, moves: 'not' },
    { about: 'minimum', value: histogram.n === 0 ? null : histogram.min, error: 0, moves: 'as-place' },
    { about: 'maximum', value: histogram.n === 0 ? null : histogram.max, error: 0, moves: 'as-place' },
    ...probes.map((probe, index) => {
      const at = gridRank(histogram, probe);
      return { about: `rank of probe ${index}`, value: at?.rank ?? null, error: at?.error ?? 0, moves: 'not' as const };
    }),
  ],
  orderIndependent: true,
};
