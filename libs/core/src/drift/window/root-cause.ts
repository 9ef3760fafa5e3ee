import { ksDistance, sampleOf } from '../../statistics/index.js';
import type { RowSample, SampledRow, SampledValue } from './row-sample.js';

export interface ExampleRow {
  readonly recordId: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: SampledValue;
}

/** Where the shift of one subject sits. */
export interface RootCause {
  readonly subject: string;
  /** Part of all the shift that this subject has, in [0, 1]. */
  readonly share: number;
  /** The one- or two-attribute segments without which least of the shift is left; best first. */
  readonly segments: readonly { readonly segment: string; readonly explained: number; readonly rows: number }[];
  /** Rows of the window that the reference hardly has, of the first segment where there is one. */
  readonly examples: readonly ExampleRow[];
}

const [subjectsMax, segmentsMax, examplesMax, valuesMax, pairsOf] = [5, 3, 5, 12, 12];
/** Fewer sampled rows on a side than this say nothing. */
const rowsMin = 15;
/** A segment that explains less than this is none. */
const explainedMin = 0.2;

type Test = (row: SampledRow) => boolean;
interface Segment {
  readonly name: string;
  readonly fields: readonly number[];
  readonly holds: Test;
}

/** KS distance of numbers, total variation of categories; 0 where a side is too small. A null is a category of its own, and no number. */
function shiftOf(before: readonly SampledValue[], now: readonly SampledValue[]): number {
  if (before.length < rowsMin || now.length < rowsMin) return 0;
  const numbers = (values: readonly SampledValue[]): number[] => values.filter((value) => typeof value === 'number');
  const [a, b] = [numbers(before), numbers(now)];
  if (a.length >= rowsMin && b.length >= rowsMin) return ksDistance(sampleOf(a), sampleOf(b));
  const counts = new Map<string, number>();
  for (const value of before) counts.set(String(value), (counts.get(String(value)) ?? 0) - 1 / before.length);
  for (const value of now) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1 / now.length);
  return [...counts.values()].reduce((sum, each) => sum + Math.abs(each), 0) / 2;
}

/** One segment per frequent category of each field but the subject’s own. */
function segmentsOf(sample: RowSample, without: number): Segment[] {
  return sample.fields.flatMap((field, index) => {
    if (index === without) return [];
    const counts = new Map<string, number>();
    for (const { values } of sample.rows) if (typeof values[index] === 'string') counts.set(values[index], (counts.get(values[index]) ?? 0) + 1);
    const frequent = [...counts].filter(([, count]) => count >= rowsMin).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, valuesMax);
    return frequent.map(([value]): Segment => ({ name: `${field}=${value}`, fields: [index], holds: (row) => row.values[index] === value }));
  });
}

interface Explained {
  readonly segment: Segment;
  readonly explained: number;
  readonly rows: number;
}

/** How much of the shift goes when a segment’s rows are left out of both sides. */
function explanation(segment: Segment, reference: RowSample, current: RowSample, at: (sample: RowSample, row: SampledRow) => SampledValue, whole: number): Explained {
  const outside = (sample: RowSample): SampledValue[] => sample.rows.filter((row) => !segment.holds(row)).map((row) => at(sample, row));
  const [before, now] = [outside(reference), outside(current)];
  const left = before.length < rowsMin || now.length < rowsMin ? whole : shiftOf(before, now);
  return { segment, explained: Math.max(0, 1 - left / whole), rows: current.rows.length - now.length };
}

/** What explains most; of two that explain about as much, the one with fewer rows, then the simpler. */
function ranked(all: readonly Explained[]): Explained[] {
  const score = ({ explained, rows, segment }: Explained): number => explained - 0.0002 * rows - 0.05 * (segment.fields.length - 1);
  return all.filter(({ explained }) => explained >= explainedMin).sort((a, b) => score(b) - score(a) || (a.segment.name < b.segment.name ? -1 : 1));
}

function pairs(singles: readonly Explained[]): Segment[] {
  const best = [...singles].sort((a, b) => b.explained - a.explained || (a.segment.name < b.segment.name ? -1 : 1)).slice(0, pairsOf).map(({ segment }) => segment);
  return best.flatMap((a, index) =>
    best.slice(index + 1).filter((b) => a.fields[0] !== b.fields[0]).map((b): Segment => ({ name: `${a.name} & ${b.name}`, fields: [...a.fields, ...b.fields], holds: (row) => a.holds(row) && b.holds(row) })),
  );
}

/** How rare a value is in the reference: its share for a category, the smaller tail for a number. */
function rarity(value: SampledValue, before: readonly SampledValue[]): number {
  if (typeof value !== 'number') return before.filter((each) => each === value).length / Math.max(1, before.length);
  const numbers = before.filter((each) => typeof each === 'number');
  const below = numbers.filter((each) => each <= value).length;
  return Math.min(below, numbers.length - below) / Math.max(1, numbers.length);
}

function causeOf(reference: RowSample, current: RowSample, subject: string, share: number): RootCause {
  const places = new Map([reference, current].map((sample) => [sample, sample.fields.indexOf(subject)]));
  const at = (sample: RowSample, row: SampledRow): SampledValue => row.values[places.get(sample) ?? -1] ?? null;
  const before = reference.rows.map((row) => at(reference, row));
  if (before.every((value) => value === null)) return { subject, share, segments: [], examples: [] };
  const whole = shiftOf(before, current.rows.map((row) => at(current, row)));
  const same = reference.fields.length === current.fields.length && reference.fields.every((field, index) => field === current.fields[index]);
  const singles = whole === 0 || !same ? [] : segmentsOf(current, current.fields.indexOf(subject)).map((segment) => explanation(segment, reference, current, at, whole));
  const doubles = pairs(singles).map((segment) => explanation(segment, reference, current, at, whole));
  const best = ranked([...singles, ...doubles]).slice(0, segmentsMax);
  const inside = best[0]?.segment.holds ?? ((): boolean => true);
  const examples = current.rows
    .filter((row) => inside(row))
    .map((row) => ({ row, rare: rarity(at(current, row), before) }))
    .sort((a, b) => a.rare - b.rare || a.row.hash - b.row.hash)
    .slice(0, examplesMax)
    .map(({ row }) => ({ recordId: row.recordId, partition: row.partition, offset: row.offset, value: at(current, row) }));
  return { subject, share, segments: best.map(({ segment, explained, rows }) => ({ segment: segment.name, explained, rows })), examples };
}

/**
 * Ranks what has drifted by its part of all the shift, and for each subject the segments (one attribute, or two) by how much of its
 * shift is gone when their rows are left out of both sides; with rows to look at, by their offsets. Computed from the samples of
 * rows of reference and window: a description of the alarm, not a test.
 */
export function rootCauses(reference: RowSample, current: RowSample, alarmed: readonly { readonly subject: string; readonly weight: number }[]): RootCause[] {
  const total = alarmed.reduce((sum, { weight }) => sum + weight, 0);
  return [...alarmed]
    .sort((a, b) => b.weight - a.weight || (a.subject < b.subject ? -1 : 1))
    .slice(0, subjectsMax)
    .map(({ subject, weight }) => causeOf(reference, current, subject, total > 0 ? weight / total : 1 / alarmed.length));
}
