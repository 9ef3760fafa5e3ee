import { sealed, unsealed, type BinaryReader, type BinaryWriter } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';
import { emptyGridHistogram, gridRank, mergeGridHistograms, observeGrid, readGridHistogram, writeGridHistogram, type GridHistogram } from './grid-histogram.js';
import { emptyNameCounts, mergeNameCounts, nameCount, observeNameCount, readNameCounts, writeNameCounts, type NameCounts } from './name-counts.js';

/**
 * What a window keeps of a feature to be judged by: exact counts that depend neither on the order of the rows nor on how they were
 * split into panes, partitions and processes, so that a verdict is the same to the last byte whatever way the rows came. At most 8 KB.
 *
 * null, undefined, NaN and the empty text count as nulls; ±∞ among numbers and values of the other kind as `odd`.
 */
export interface NumericCounts {
  readonly kind: 'number';
  nulls: number;
  odd: number;
  values: GridHistogram;
}

export interface CategoryCounts {
  readonly kind: 'category';
  nulls: number;
  odd: number;
  values: NameCounts;
}

export type FeatureCounts = NumericCounts | CategoryCounts;

/** What counts may take, where it is less than usual. */
export interface CountsRoom {
  readonly cellsMax: number;
  readonly nameBytesMax: number;
}

/** @param wanted categories that are counted however many others come. */
export function emptyFeatureCounts(kind: 'number' | 'category', wanted: readonly string[] = [], room?: CountsRoom): FeatureCounts {
  return kind === 'number' ? { kind, nulls: 0, odd: 0, values: emptyGridHistogram(room?.cellsMax) } : { kind, nulls: 0, odd: 0, values: emptyNameCounts(wanted, room?.nameBytesMax) };
}

/** Takes in one value, in place. true and false are the categories `true` and `false`; a number among categories is its text. */
export function countFeature(counts: FeatureCounts, value: unknown): void {
  if (value === null || value === undefined || value === '') counts.nulls += 1;
  else if (counts.kind === 'number') {
    if (typeof value !== 'number') counts.odd += 1;
    else if (value - value === 0) observeGrid(counts.values, value);
    else if (Number.isNaN(value)) counts.nulls += 1;
    else counts.odd += 1;
  } else if (typeof value === 'string') observeNameCount(counts.values, value);
  else if (typeof value === 'boolean' || Number.isFinite(value)) observeNameCount(counts.values, String(value));
  else if (Number.isNaN(value)) counts.nulls += 1;
  else counts.odd += 1;
}

/** Rows with nulls and all. */
export const rowsCounted = ({ nulls, odd, values }: FeatureCounts): number => nulls + odd + values.n;

/** @throws RangeError when the kinds differ. */
export function mergeFeatureCounts(a: FeatureCounts, b: FeatureCounts): FeatureCounts {
  const both = { nulls: a.nulls + b.nulls, odd: a.odd + b.odd };
  if (a.kind === 'number' && b.kind === 'number') return { kind: 'number', ...both, values: mergeGridHistograms(a.values, b.values) };
  if (a.kind === 'category' && b.kind === 'category') return { kind: 'category', ...both, values: mergeNameCounts(a.values, b.values) };
  throw new RangeError('a numeric and a categorical feature cannot be merged');
}

export function writeFeatureCounts(writer: BinaryWriter, counts: FeatureCounts): void {
  writer.u8(counts.kind === 'number' ? 0 : 1);
  writer.count(counts.nulls);
  writer.count(counts.odd);
  if (counts.kind === 'number') writeGridHistogram(writer, counts.values);
  else writeNameCounts(writer, counts.values);
}

/** @param room as of the counts that were written. @throws RangeError for impossible counts. */
export function readFeatureCounts(reader: BinaryReader, room?: CountsRoom): FeatureCounts {
  const kind = reader.u8();
  const start = { nulls: reader.count(), odd: reader.count() };
  if (kind === 0) return { kind: 'number', ...start, values: readGridHistogram(reader) };
  if (kind === 1) return { kind: 'category', ...start, values: readNameCounts(reader, room?.nameBytesMax) };
  throw new RangeError(`there is no kind ${kind} of feature`);
}

const [tag, version] = [11, 1];
export const serialiseFeatureCounts = (counts: FeatureCounts): Uint8Array => sealed(tag, version, (writer) => writeFeatureCounts(writer, counts));
/** @throws RangeError for bytes that are no counts of a feature. */
export const parseFeatureCounts = (bytes: Uint8Array): FeatureCounts => unsealed(bytes, tag, version, readFeatureCounts);

const common = { role: 'sketch', observe: countFeature, merge: mergeFeatureCounts, serialise: serialiseFeatureCounts, parse: parseFeatureCounts, orderIndependent: true } as const;

export const numericCountsKind: SketchKind<FeatureCounts, 'number'> = {
  ...common,
  name: 'feature-counts',
  takes: 'number',
  empty: () => emptyFeatureCounts('number'),
  answers: (counts, probes) => [
    { about: 'rows', value: rowsCounted(counts), error: 0, moves: 'not' },
    ...probes.map((probe, index) => {
      const at = counts.kind === 'number' ? gridRank(counts.values, probe) : null;
      return { about: `rank of probe ${index}`, value: at?.rank ?? null, error: at?.error ?? 0, moves: 'not' as const };
    }),
  ],
};

export const categoryCountsKind: SketchKind<FeatureCounts, 'name'> = {
  ...common,
  name: 'feature-counts/category',
  takes: 'name',
  empty: () => emptyFeatureCounts('category'),
  answers: (counts, probes) => [
    { about: 'rows', value: rowsCounted(counts), error: 0, moves: 'not' },
    ...probes.map((probe, index) => ({ about: `count of probe ${index}`, value: counts.kind === 'category' ? nameCount(counts.values, probe) : null, error: 0, moves: 'not' as const })),
  ],
};
