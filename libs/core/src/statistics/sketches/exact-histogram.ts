import { assertFinite, sealed, unsealed } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';

/**
 * Exact counts of each distinct number, as long as there are at most `valuesMax` of them: for flags, ratings and small counts.
 * One value more and the histogram gives up: it forgets its counts, keeps only how many values came, and says so (`complete`
 * false) for ever, whatever it is merged with. Hence its bytes depend on the values alone, not on their order.
 */
export interface ExactHistogram {
  readonly valuesMax: number;
  n: number;
  /** Empty once there were too many values. −0 counts as 0. */
  readonly counts: Map<number, number>;
  complete: boolean;
}

const valuesMaxDefault = 256;

/** @throws RangeError when valuesMax is no whole number from 1 to 65,536. */
export function emptyExactHistogram(valuesMax = valuesMaxDefault): ExactHistogram {
  if (!Number.isInteger(valuesMax) || valuesMax < 1 || valuesMax > 65_536) throw new RangeError(`an exact histogram holds 1 to 65,536 values, not ${valuesMax}`);
  return { valuesMax, n: 0, counts: new Map(), complete: true };
}

function add(histogram: ExactHistogram, x: number, count: number): void {
  if (!histogram.complete) return;
  const seen = histogram.counts.get(x);
  if (seen !== undefined) histogram.counts.set(x, seen + count);
  else if (histogram.counts.size < histogram.valuesMax) histogram.counts.set(x + 0, count);
  else giveUp(histogram);
}

function giveUp(histogram: ExactHistogram): void {
  histogram.complete = false;
  histogram.counts.clear();
}

/** @throws RangeError for what is not finite. */
export function observeExactly(histogram: ExactHistogram, x: number): void {
  assertFinite(x);
  histogram.n += 1;
  add(histogram, x, 1);
}

/** @throws RangeError when the limits differ. */
export function mergeExactHistograms(a: ExactHistogram, b: ExactHistogram): ExactHistogram {
  if (a.valuesMax !== b.valuesMax) throw new RangeError('exact histograms of different limits cannot be merged');
  const merged: ExactHistogram = { valuesMax: a.valuesMax, n: a.n + b.n, counts: new Map(a.counts), complete: a.complete };
  if (!b.complete) giveUp(merged);
  for (const [x, count] of b.counts) add(merged, x, count);
  return merged;
}

/** How often x came; null when there were too many values to know. */
export function exactCount(histogram: ExactHistogram, x: number): number | null {
  return histogram.complete ? (histogram.counts.get(x) ?? 0) : null;
}

/** Values ascending with their counts; null when there were too many. */
export function exactCounts(histogram: ExactHistogram): [number, number][] | null {
  return histogram.complete ? [...histogram.counts].sort(([a], [b]) => a - b) : null;
}

const [tag, version] = [5, 1];

export function serialiseExactHistogram(histogram: ExactHistogram): Uint8Array {
  return sealed(tag, version, (writer) => {
    writer.count(histogram.valuesMax);
    writer.count(histogram.n);
    writer.u8(histogram.complete ? 1 : 0);
    if (!histogram.complete) return;
    const counts = exactCounts(histogram) ?? [];
    writer.count(counts.length);
    for (const [x, count] of counts) {
      writer.f64(x);
      writer.count(count);
    }
  });
}

/** @throws RangeError for bytes that are no such histogram. */
export function parseExactHistogram(bytes: Uint8Array): ExactHistogram {
  return unsealed(bytes, tag, version, (reader) => {
    const histogram = emptyExactHistogram(reader.count());
    histogram.n = reader.count();
    histogram.complete = reader.u8() === 1;
    if (!histogram.complete) return histogram;
    const size = reader.size(histogram.valuesMax);
    for (let index = 0; index < size; index += 1) histogram.counts.set(reader.finite(), reader.count());
    return histogram;
  });
}

export const exactHistogramKind: SketchKind<ExactHistogram, 'number'> = {
  role: 'sketch',
  name: 'exact-histogram',
  takes: 'number',
  empty: () => emptyExactHistogram(),
  observe: observeExactly,
  merge: mergeExactHistograms,
  serialise: serialiseExactHistogram,
  parse: parseExactHistogram,
  answers: (histogram, probes) => [
    { about: 'count', value: histogram.n, error: 0, moves: 'not' },
    { about: 'distinct', value: histogram.complete ? histogram.counts.size : null, error: 0, moves: 'not' },
    ...probes.map((probe, index) => ({ about: `count of probe ${index}`, value: exactCount(histogram, probe), error: 0, moves: 'not' as const })),
  ],
  orderIndependent: true,
};
