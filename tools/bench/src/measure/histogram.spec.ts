// Goal: percentiles are those of the counted durations, to within the 0.1 % that the layout promises, and merging loses nothing.
// Method: nearest-rank percentiles of sorted lists, worked out here by sorting; the bound on the step width from its definition.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Histogram, percentilesOf } from './histogram.js';

const durations = fc.array(fc.integer({ min: 0, max: 4_000_000_000 }), { minLength: 1, maxLength: 300 });

function counted(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('Histogram', () => {
  it('tells short durations exactly, by nearest rank', () => {
    const histogram = counted([15, 20, 35, 40, 50]);
    expect([0.05, 0.3, 0.4, 0.5, 1].map((share) => histogram.quantileUs(share))).toEqual([15, 20, 20, 35, 50]);
  });

  it('is never below the true percentile and at most 0.1 % above', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0.001, max: 1, noNaN: true }), (values, share) => {
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length - 1e-9)) - 1] ?? NaN;
        const found = counted(values).quantileUs(share);
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 1_024));
      }),
    );
  });

  it('answers the same whether durations were counted in one place or in two that were sent and merged', () => {
    fc.assert(
      fc.property(durations, durations, (left, right) => {
        const merged = Histogram.from(JSON.parse(JSON.stringify(counted(left).sparse())) as ReturnType<Histogram['sparse']>);
        merged.add(counted(right).sparse());
        const together = counted([...left, ...right]);
        expect(merged.count).toBe(left.length + right.length);
        for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) expect(merged.quantileUs(share)).toBe(together.quantileUs(share));
      }),
    );
  });

  it('counts what is beyond its range at its ends', () => {
    const histogram = counted([-3, 1e12]);
    expect(histogram.quantileUs(0.5)).toBe(0);
    expect(histogram.quantileUs(1)).toBe(2 ** 32 - 1);
  });

  it('has no percentiles when nothing was counted', () => {
    expect(percentilesOf(new Histogram())).toEqual({ count: 0, p50Ms: null, p90Ms: null, p99Ms: null, p999Ms: null, maxMs: null });
  });
});
