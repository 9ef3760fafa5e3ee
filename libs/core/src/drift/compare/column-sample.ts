import { sampleOf, type NumberSample } from '../../statistics/index.js';

/** One column of numbers, of one of the two samples. */
export interface NumericalColumn {
  readonly type: 'numerical';
  readonly sample: NumberSample;
  readonly nulls: number;
  /** Texts that are no numbers, with how often each was seen; empty for a column that holds numbers only. */
  readonly strays: ReadonlyMap<string, number>;
  /** By how much F may be off because the sample is a sketch: 0 for exact values, ε for KLL. */
  readonly rankError: number;
}

/** One column of names. */
export interface CategoricalColumn {
  readonly type: 'categorical';
  readonly counts: ReadonlyMap<string, number>;
  /** Sum of the counts. */
  readonly n: number;
  readonly nulls: number;
}

export type ColumnSample = NumericalColumn | CategoricalColumn;

/** NaN counts as null: it carries no information. Infinite values are values. */
export function numericalColumn(values: ArrayLike<number>): NumericalColumn {
  const sample = sampleOf(values);
  return { type: 'numerical', sample, nulls: values.length - sample.n, strays: new Map(), rankError: 0 };
}

/** null counts as null, and so does an empty text, as in profiles. */
export function categoricalColumn(values: readonly (string | null)[]): CategoricalColumn {
  const counts = new Map<string, number>();
  let nulls = 0;
  for (const value of values) {
    if (value === null || value === '') nulls += 1;
    else counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return { type: 'categorical', counts, n: values.length - nulls, nulls };
}

/** Texts read as numbers where they are some, for comparison with a column of numbers. */
export function numbersOfTexts(values: readonly (string | null)[]): NumericalColumn {
  const strays = new Map<string, number>();
  const numbers: number[] = [];
  let nulls = 0;
  for (const value of values) {
    const text = value?.trim() ?? '';
    if (text === '') nulls += 1;
    else if (Number.isNaN(Number(text))) strays.set(text, (strays.get(text) ?? 0) + 1);
    else numbers.push(Number(text));
  }
  return { type: 'numerical', sample: sampleOf(numbers), nulls, strays, rankError: 0 };
}

/** The numbers of a column as names, for comparison with a column of names. */
export function namesOfNumbers({ sample, nulls }: NumericalColumn): CategoricalColumn {
  const counts = new Map<string, number>();
  sample.values.forEach((value, index) => counts.set(String(value), sample.counts[index] ?? 0));
  return { type: 'categorical', counts, n: sample.n, nulls };
}

const straysOf = (column: NumericalColumn): number => [...column.strays.values()].reduce((sum, count) => sum + count, 0);

/** Rows that hold a value of any kind. */
export const valuesOf = (column: ColumnSample): number => (column.type === 'categorical' ? column.n : column.sample.n + straysOf(column));

export const rowsOf = (column: ColumnSample): number => valuesOf(column) + column.nulls;

export const strayRowsOf = (column: ColumnSample): number => (column.type === 'categorical' ? 0 : straysOf(column));
