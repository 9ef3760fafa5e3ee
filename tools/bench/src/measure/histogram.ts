/** 1,024 steps to an octave: a value is told to within 0.1 %. */
const stepBits = 10;
const steps = 1 << stepBits;
/** 71 minutes in µs; what is longer counts as this. */
const largest = 2 ** 32 - 1;
const size = (32 - stepBits + 1) * steps;

/** Pairs of step and count, for sending between processes. */
export type SparseCounts = readonly (readonly [step: number, count: number])[];

/** Position of a value of at least 0: exact below 2,048, then 1,024 equal steps for each doubling (the layout of HdrHistogram). */
function stepOf(value: number): number {
  if (value < 2 * steps) return value;
  const shift = 31 - Math.clz32(value) - stepBits;
  return shift * steps + (value >>> shift);
}

/** The largest value that falls on the step. */
function highestOf(step: number): number {
  if (step < 2 * steps) return step;
  const shift = Math.floor(step / steps) - 1;
  return (step - shift * steps + 1) * 2 ** shift - 1;
}

/** Counts durations in whole µs. Merging loses nothing; recording allocates nothing. */
export class Histogram {
  private readonly counts = new Float64Array(size);
  private total = 0;

  static from(sparse: SparseCounts): Histogram {
    const histogram = new Histogram();
    histogram.add(sparse);
    return histogram;
  }

  get count(): number {
    return this.total;
  }

  record(valueUs: number): void {
    const step = stepOf(valueUs >= largest ? largest : valueUs > 0 ? Math.round(valueUs) : 0);
    this.counts[step] = (this.counts[step] ?? 0) + 1;
    this.total += 1;
  }

  add(sparse: SparseCounts): void {
    for (const [step, count] of sparse) {
      this.counts[step] = (this.counts[step] ?? 0) + count;
      this.total += count;
    }
  }

  /**
   * The smallest value that at least the part `share` of all values do not exceed (nearest rank), to within 0.1 % above.
   * @param share in (0, 1]. NaN when nothing was counted.
   */
  quantileUs(share: number): number {
    if (this.total === 0) return NaN;
    const rank = Math.max(1, Math.ceil(share * this.total - 1e-9));
    let seen = 0;
    for (let step = 0; step < size; step += 1) {
      seen += this.counts[step] ?? 0;
      if (seen >= rank) return highestOf(step);
    }
    return NaN;
  }

  sparse(): SparseCounts {
    return [...this.counts].flatMap((count, step) => (count === 0 ? [] : [[step, count] as const]));
  }
}

/** Percentiles of durations, ms. */
export interface Percentiles {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  readonly maxMs: number | null;
}

export function percentilesOf(histogram: Histogram): Percentiles {
  const ms = (share: number): number | null => (histogram.count === 0 ? null : histogram.quantileUs(share) / 1_000);
  return { count: histogram.count, p50Ms: ms(0.5), p90Ms: ms(0.9), p99Ms: ms(0.99), p999Ms: ms(0.999), maxMs: ms(1) };
}
