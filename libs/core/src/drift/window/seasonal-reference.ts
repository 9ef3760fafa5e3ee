import { mergeFeatureCounts, rowsCounted, type CategoryCounts, type FeatureCounts, type NumericCounts } from '../../statistics/index.js';
import { percent } from '../compare/finding.js';
import { seasonField } from './input-state.js';
import type { RowSample } from './row-sample.js';
import { bucketWords, type Season } from './season.js';

/** So great a part of a window may be of buckets of which training has too few rows. */
const leftOutMax = 0.05;
/** Buckets that are named when training lacks them. */
const namedMax = 4;

export interface MixedReference {
  readonly counts: FeatureCounts;
  /** Part of the window’s rows that has no like in `counts`: effects up to this much more prove nothing. */
  readonly leftOut: number;
}

type Take = (rows: number) => number;

const thinnedNumbers = ({ nulls, odd, values, kind }: NumericCounts, take: Take): NumericCounts => {
  const start = { kind, nulls: take(nulls), odd: take(odd) };
  const cells = [...values.cells].sort(([a], [b]) => a - b).map(([cell, count]): [number, number] => [cell, take(count)]).filter(([, count]) => count > 0);
  return { ...start, values: { ...values, n: cells.reduce((sum, [, count]) => sum + count, 0), cells: new Map(cells) } };
};

const thinnedNames = ({ nulls, odd, values, kind }: CategoryCounts, take: Take): CategoryCounts => {
  const start = { kind, nulls: take(nulls), odd: take(odd) };
  const names = [...values.known].sort(([a], [b]) => (a < b ? -1 : 1));
  const unknown = values.n - names.reduce((sum, [, { count }]) => sum + count, 0);
  const known = new Map(names.map(([name, entry]) => [name, { ...entry, count: take(entry.count) }]));
  return { ...start, values: { ...values, known, passed: new Set(), n: take(unknown) + [...known.values()].reduce((sum, { count }) => sum + count, 0) } };
};

/** Every so-manieth row of counts in the order of their values, from a start in [0, 1) (systematic sampling: W. G. Madow, L. H. Madow, Ann. Math. Statist. 15, 1944). */
function thinned(counts: FeatureCounts, wanted: number, start: number): FeatureCounts {
  const all = rowsCounted(counts);
  if (wanted >= all) return counts;
  let below = 0;
  const place = (): number => Math.floor((below * wanted) / all + start);
  const take = (rows: number): number => {
    const before = place();
    below += rows;
    return place() - before;
  };
  return counts.kind === 'number' ? thinnedNumbers(counts, take) : thinnedNames(counts, take);
}

/** Starts that spread evenly over [0, 1), so that what rounding takes from one bucket another gives back. */
const startOf = (index: number): number => (0.5 + index * 0.618_033_988_749_895) % 1;

/**
 * The reference that a window of a seasonal model is compared with: of each bucket (say, hour of the day) as many rows of training as
 * its share of the *window’s* rows asks for, as large as the scarcest bucket allows. So a change of traffic from one hour to
 * another is no drift, and rows are compared with rows of the same hour. While within each bucket nothing has changed, such
 * a reference and the window are stratified samples of one mixture, in equal proportions; the difference of their distribution functions
 * then varies less than that of two plain samples of the mixture, by a Gaussian process of its own, so the bounds for
 * plain samples hold asymptotically (T. W. Anderson, Proc. Amer. Math. Soc. 6, 1955; for shares W. Hoeffding, Ann. Math. Statist. 27,
 * 1956). Rows are thinned in the order of their values, which adds less noise than drawing them would.
 *
 * Buckets that would make the reference smaller than the window are left out while they hold at most a twentieth of its rows; by their
 * share every effect that matters must be larger.
 * @param byBucket counts of the subject in training.
 * @param rows of the window, by bucket. @param all rows of the window; those of no bucket have no like.
 * @returns why there is none, in words, when too many rows have no like.
 */
export function mixedReference(season: Season, byBucket: ReadonlyMap<number, FeatureCounts>, rows: ReadonlyMap<number, number>, all: number): MixedReference | string {
  const buckets = [...rows].map(([bucket, now]) => ({ bucket, now, counts: byBucket.get(bucket), before: before(byBucket.get(bucket)) })).sort((a, b) => a.before / a.now - b.before / b.now || a.bucket - b.bucket);
  let out = all - buckets.reduce((sum, { now }) => sum + now, 0);
  const kept = buckets.filter(({ now, before: known }) => {
    const leaves = known === 0 || (known < now && out + now <= leftOutMax * all);
    if (leaves) out += now;
    return !leaves;
  });
  if (out > leftOutMax * all || kept.length === 0) return lacking(season, buckets.filter(({ before: known }) => known === 0), all);
  kept.sort((a, b) => a.bucket - b.bucket);
  const judged = kept.reduce((sum, { now }) => sum + now, 0);
  const size = Math.floor(Math.min(...kept.map(({ now, before: known }) => (known * judged) / now)));
  let below = 0;
  const parts = kept.flatMap(({ now, counts }, index) => {
    const from = Math.floor((below * size) / judged);
    below += now;
    const wanted = Math.floor((below * size) / judged) - from;
    return counts === undefined ? [] : [thinned(counts, wanted, startOf(index))];
  });
  return { counts: parts.reduce(mergeFeatureCounts), leftOut: out / all };
}

const before = (counts: FeatureCounts | undefined): number => (counts === undefined ? 0 : rowsCounted(counts));

function lacking(season: Season, buckets: readonly { readonly bucket: number; readonly now: number }[], all: number): string {
  const inOrder = [...buckets].sort((a, b) => a.bucket - b.bucket);
  const named = inOrder.slice(0, namedMax).map(({ bucket }) => bucketWords(season, bucket)).join(', ');
  const share = percent(inOrder.reduce((sum, { now }) => sum + now, 0) / Math.max(1, all));
  return inOrder.length === 0 ? 'the rows were counted without their season' : `training has no rows of ${named}${inOrder.length > namedMax ? ` and ${inOrder.length - namedMax} more` : ''}, which ${share} of the rows here are of`;
}

/** Samples without the field of the season, the reference’s with the buckets in the proportions of the window’s where `matched`. */
export function samplesInSeason(reference: RowSample, current: RowSample, matched: boolean): [RowSample, RowSample] {
  const at = reference.fields.indexOf(seasonField);
  if (at < 0 || current.fields[at] !== seasonField) return [reference, current];
  const [before, now] = [reference, current].map(({ rows }) => rowsByValue(rows, at));
  const shares = [...(now ?? [])];
  const size = Math.min(...shares.map(([bucket, rows]) => ((before?.get(bucket)?.length ?? 0) * current.rows.length) / rows.length));
  const wanted = new Map(shares.map(([bucket, rows]) => [bucket, Math.floor((size * rows.length) / current.rows.length)]));
  const taken = new Map<unknown, number>();
  // By hash, so the first of a bucket are as good as any.
  const alike = reference.rows.filter(({ values }) => {
    const bucket = values[at];
    const before = taken.get(bucket) ?? 0;
    taken.set(bucket, before + 1);
    return before < (wanted.get(bucket) ?? 0);
  });
  return [without({ ...reference, rows: matched ? alike : reference.rows }, at), without(current, at)];
}

function rowsByValue(rows: RowSample['rows'], at: number): Map<unknown, RowSample['rows']> {
  const groups = new Map<unknown, RowSample['rows']>();
  for (const row of rows) groups.set(row.values[at], [...(groups.get(row.values[at]) ?? []), row]);
  return groups;
}

const without = ({ fields, limit, rows }: RowSample, at: number): RowSample => ({ limit, fields: fields.filter((_, index) => index !== at), rows: rows.map((row) => ({ ...row, values: row.values.filter((_, index) => index !== at) })) });
