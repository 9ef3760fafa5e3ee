import { categoricalColumn, numericalColumn, type ColumnSample } from '@millrace/core/drift';
import type { Chance } from '../chance.js';

export interface Shape {
  readonly name: string;
  readonly about: string;
  draw(chance: Chance, rows: number, change?: Change): ColumnSample;
}

/** What is done to a current sample. */
export interface Change {
  /** Added to numbers. */
  readonly shift?: number;
  readonly factor?: number;
  /** Share of rows that lose their value. */
  readonly nulls?: number;
  /** Share of rows that take a category never seen before. */
  readonly newCategory?: number;
  /** Share of rows that move from the first category to the last. */
  readonly moved?: number;
}

export const newName = 'brand-new';

function numbers(name: string, about: string, one: (chance: Chance) => number): Shape {
  const draw = (chance: Chance, rows: number, { shift = 0, factor = 1, nulls = 0 }: Change = {}): ColumnSample => {
    const values = new Float64Array(rows);
    for (let row = 0; row < rows; row += 1) values[row] = nulls > 0 && chance.uniform() < nulls ? NaN : one(chance) * factor + shift;
    return numericalColumn(values);
  };
  return { name, about, draw };
}

function cumulated(weights: readonly number[]): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let below = 0;
  return Float64Array.from(weights, (weight) => (below += weight / total));
}

function cellOf(below: Float64Array, u: number): number {
  let [low, high] = [0, below.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (u < (below[middle] ?? 1)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How a category's chance falls with its place: 1/place (G. K. Zipf). */
const zipf = (kinds: number): number[] => Array.from({ length: kinds }, (_, index) => 1 / (index + 1));

function categories(name: string, about: string, weights: readonly number[]): Shape {
  const below = cumulated(weights);
  const names = weights.map((_, index) => `c${index}`);
  const draw = (chance: Chance, rows: number, { nulls = 0, newCategory = 0, moved = 0 }: Change = {}): ColumnSample => {
    const values: (string | null)[] = [];
    for (let row = 0; row < rows; row += 1) {
      const u = chance.uniform();
      if (nulls > 0 && chance.uniform() < nulls) values.push(null);
      else if (newCategory > 0 && chance.uniform() < newCategory) values.push(newName);
      else values.push(names[u < moved ? names.length - 1 : cellOf(below, u)] ?? null);
    }
    return categoricalColumn(values);
  };
  return { name, about, draw };
}

const poissonMean = 3;
const poisson = cumulated(Array.from({ length: 30 }, (_, k) => Array.from({ length: k }, (_unused, j) => poissonMean / (j + 1)).reduce((product, ratio) => product * ratio, 1)));

export const shapes: readonly Shape[] = [
  numbers('normal', 'N(0, 1)', (chance) => chance.normal()),
  numbers('lognormal', 'exp N(0, 1)', (chance) => Math.exp(chance.normal())),
  numbers('heavy-tail', 'Student’s t with 2 degrees of freedom', (chance) => chance.normal() / Math.sqrt(chance.exponential())),
  numbers('discrete', 'Poisson with mean 3', (chance) => cellOf(poisson, chance.uniform())),
  numbers('zero-inflated', '60 % zeros, else exponential', (chance) => (chance.uniform() < 0.6 ? 0 : chance.exponential())),
  categories('3-categories', 'shares 0.5, 0.3, 0.2', [0.5, 0.3, 0.2]),
  categories('20-categories', 'Zipf shares', zipf(20)),
  categories('100-categories', 'Zipf shares', zipf(100)),
];

/** @throws RangeError when there is no such shape. */
export function shapeOf(name: string): Shape {
  const shape = shapes.find((each) => each.name === name);
  if (shape === undefined) throw new RangeError(`there is no shape ${name}`);
  return shape;
}
