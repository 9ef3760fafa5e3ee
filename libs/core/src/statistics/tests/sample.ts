/** The empirical distribution of numbers: distinct values, ascending, with how often each was seen. */
export interface NumberSample {
  readonly values: Float64Array;
  readonly counts: Float64Array;
  /** Sum of the counts. */
  readonly n: number;
}

/** NaN is left out; ±∞ are values like others. */
export function sampleOf(values: ArrayLike<number>): NumberSample {
  const sorted = Float64Array.from(values).filter((value) => !Number.isNaN(value)).sort();
  const distinct = new Float64Array(sorted.length);
  const counts = new Float64Array(sorted.length);
  let size = 0;
  for (const value of sorted) {
    if (size === 0 || distinct[size - 1] !== value) {
      // Adding 0 makes one zero of −0 and 0.
      distinct[size] = value + 0;
      size += 1;
    }
    counts[size - 1] = (counts[size - 1] ?? 0) + 1;
  }
  return { values: distinct.subarray(0, size), counts: counts.subarray(0, size), n: sorted.length };
}

/** Visits each distinct value of either sample, ascending, with its count in both. */
export function eachValue(a: NumberSample, b: NumberSample, visit: (value: number, inA: number, inB: number) => void): void {
  let [i, j] = [0, 0];
  while (i < a.values.length || j < b.values.length) {
    const [x, y] = [i < a.values.length ? (a.values[i] ?? Infinity) : Infinity, j < b.values.length ? (b.values[j] ?? Infinity) : Infinity];
    const value = Math.min(x, y);
    const fromA = i < a.values.length && x === value;
    const fromB = j < b.values.length && y === value;
    visit(value, fromA ? (a.counts[i] ?? 0) : 0, fromB ? (b.counts[j] ?? 0) : 0);
    if (fromA) i += 1;
    if (fromB) j += 1;
  }
}

/** D = max |F − G|. @throws RangeError when a sample is empty. */
export function ksDistance(a: NumberSample, b: NumberSample): number {
  if (a.n === 0 || b.n === 0) throw new RangeError('an empty sample cannot be compared');
  let [i, j, belowA, belowB, distance] = [0, 0, 0, 0, 0];
  // Once a sample has ended, the distance only shrinks.
  while (i < a.values.length && j < b.values.length) {
    const [x, y] = [a.values[i] ?? 0, b.values[j] ?? 0];
    if (x <= y) {
      belowA += a.counts[i] ?? 0;
      i += 1;
    }
    if (y <= x) {
      belowB += b.counts[j] ?? 0;
      j += 1;
    }
    const apart = belowA / a.n - belowB / b.n;
    if (apart > distance) distance = apart;
    else if (-apart > distance) distance = -apart;
  }
  return distance;
}

/** W1 = ∫ |F − G| dx, in the unit of the values. Infinite values are left out. @throws RangeError when a sample has no finite value. */
export function wassersteinDistance(a: NumberSample, b: NumberSample): number {
  const finite = (sample: NumberSample): number => sample.counts.reduce((sum, count, index) => (Number.isFinite(sample.values[index]) ? sum + count : sum), 0);
  const [n, m] = [finite(a), finite(b)];
  if (n === 0 || m === 0) throw new RangeError('a sample without finite values cannot be compared');
  let [belowA, belowB, distance] = [0, 0, 0];
  let before = NaN;
  eachValue(a, b, (value, inA, inB) => {
    if (!Number.isFinite(value)) return;
    if (!Number.isNaN(before)) distance += Math.abs(belowA / n - belowB / m) * (value - before);
    belowA += inA;
    belowB += inB;
    before = value;
  });
  return distance;
}
