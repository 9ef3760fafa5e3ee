import { eachValue, type NumberSample } from './sample.js';

/** Counts of both samples in the same bins. */
export interface BinnedPair {
  readonly edges: number[];
  readonly reference: number[];
  readonly current: number[];
}

/**
 * Equal bins over both samples together, ⌈log₂ N + 1⌉ of them (H. A. Sturges, 1926), with numpy’s arithmetic:
 * `histogram_bin_edges(…, "sturges")`, half-open bins, the last one closed. Whole numbers get no bins narrower than 1.
 * Values must be finite.
 */
export function sturgesBins(reference: NumberSample, current: NumberSample, whole: boolean): BinnedPair {
  const rows = reference.n + current.n;
  let [low, high] = [Math.min(reference.values[0] ?? Infinity, current.values[0] ?? Infinity), Math.max(reference.values.at(-1) ?? -Infinity, current.values.at(-1) ?? -Infinity)];
  const range = high - low;
  let width = range / (Math.log2(rows) + 1);
  if (whole && width > 0 && width < 1) width = 1;
  const bins = width > 0 ? Math.ceil(range / width) : 1;
  if (range === 0) [low, high] = [low - 0.5, high + 0.5];
  const step = (high - low) / bins;
  const edges = Array.from({ length: bins + 1 }, (_, index) => (index === bins ? high : index * step + low));
  const [a, b] = [new Array<number>(bins).fill(0), new Array<number>(bins).fill(0)];
  let bin = 0;
  eachValue(reference, current, (value, inA, inB) => {
    while (bin < bins - 1 && value >= (edges[bin + 1] ?? Infinity)) bin += 1;
    a[bin] = (a[bin] ?? 0) + inA;
    b[bin] = (b[bin] ?? 0) + inB;
  });
  return { edges, reference: a, current: b };
}
