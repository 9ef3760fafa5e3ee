import { eachValue } from '../../statistics/index.js';
import type { ColumnSample } from './column-sample.js';

const binsMax = 16;

/**
 * Both distributions over the same few bins, as shares, for the eye: numbers over equal widths, what lies outside of the
 * middle in the outer bins; categories by their frequency, the rest last.
 */
export function pictureOf(reference: ColumnSample, current: ColumnSample, bins = binsMax): [number[], number[]] {
  if (reference.type === 'numerical' && current.type === 'numerical') {
    const distinct = cellsOfFew(reference, current, bins);
    if (distinct !== null) return distinct;
    const [low, high] = middleRange(reference, current);
    const [before, now] = [new Array<number>(bins).fill(0), new Array<number>(bins).fill(0)];
    const width = high > low ? (high - low) / bins : 1;
    eachValue(reference.sample, current.sample, (value, a, b) => {
      const bin = Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)));
      before[bin] = (before[bin] ?? 0) + a / Math.max(1, reference.sample.n);
      now[bin] = (now[bin] ?? 0) + b / Math.max(1, current.sample.n);
    });
    return [before, now];
  }
  if (reference.type !== 'categorical' || current.type !== 'categorical') return [[], []];
  const share = (column: typeof reference, name: string): number => (column.counts.get(name) ?? 0) / Math.max(1, column.n);
  const names = [...new Set([...reference.counts.keys(), ...current.counts.keys()])].sort((x, y) => share(reference, y) + share(current, y) - share(reference, x) - share(current, x) || (x < y ? -1 : 1));
  const shown = names.slice(0, names.length > bins ? bins - 1 : bins);
  const sharesOf = (column: typeof reference): number[] => {
    const shares = shown.map((name) => share(column, name));
    return names.length > bins ? [...shares, column.n === 0 ? 0 : 1 - shares.reduce((sum, each) => sum + each, 0)] : shares;
  };
  return [sharesOf(reference), sharesOf(current)];
}

/** A cell for each value, when there are few. */
function cellsOfFew(reference: ColumnSample & { type: 'numerical' }, current: ColumnSample & { type: 'numerical' }, cellsMax: number): [number[], number[]] | null {
  if (Math.max(reference.sample.values.length, current.sample.values.length) > cellsMax) return null;
  const [before, now]: [number[], number[]] = [[], []];
  eachValue(reference.sample, current.sample, (_value, a, b) => {
    before.push(a / Math.max(1, reference.sample.n));
    now.push(b / Math.max(1, current.sample.n));
  });
  return before.length > cellsMax ? null : [before, now];
}

/** Where the middle 98 % of either sample lie, so that an outlier does not flatten the picture. */
function middleRange(reference: ColumnSample & { type: 'numerical' }, current: ColumnSample & { type: 'numerical' }): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { sample } of [reference, current]) {
    let below = 0;
    sample.values.forEach((value, index) => {
      const before = below;
      below += sample.counts[index] ?? 0;
      if (!Number.isFinite(value)) return;
      if (before <= 0.01 * sample.n && below > 0.01 * sample.n) low = Math.min(low, value);
      if (before < 0.99 * sample.n && below >= 0.99 * sample.n) high = Math.max(high, value);
    });
  }
  return low <= high ? [low, high] : [0, 0];
}
