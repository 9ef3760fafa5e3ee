/**
 * Goal: the sketches say what they promise about values whose answers are known.
 * Method: closed forms (uniform and arithmetic sequences, a hash’s distinct count), exact recounts, bounds over many seeds; the
 * sizes in bytes that the design gives a pane.
 */
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import * as sketches from './index.js';

const sequence = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);
/** 1 … n in a fixed, scattered order: i·g mod p for a prime p above n. */
const scattered = (n: number, prime: number): number[] => sequence(prime - 1).map((index) => (index * 7_919) % prime).filter((value) => value <= n);

describe('moments', () => {
  it('of 1 … n have mean (n + 1)/2 and variance n(n + 1)/12', () => {
    const moments = sketches.emptyMoments();
    for (const x of sequence(1_000)) sketches.observeMoments(moments, x);
    expect(sketches.momentsMean(moments)).toBeCloseTo(500.5, 9);
    expect(sketches.momentsVariance(moments)).toBeCloseTo((1_000 * 1_001) / 12, 6);
  });

  it('keep the variance of small differences far from 0, where Σx² − (Σx)²/n has none left', () => {
    const moments = sketches.emptyMoments();
    for (const x of [4, 7, 13, 16]) sketches.observeMoments(moments, 1e9 + x);
    expect(sketches.momentsVariance(moments)).toBeCloseTo(30, 9);
  });

  it('know the mean of both ends of the range, and that the variance is out of it', () => {
    const moments = sketches.emptyMoments();
    for (const x of [Number.MAX_VALUE, -Number.MAX_VALUE]) sketches.observeMoments(moments, x);
    expect([sketches.momentsMean(moments), sketches.momentsVariance(moments)]).toEqual([0, null]);
  });

  it('refuse what is not finite', () => expect(() => sketches.observeMoments(sketches.emptyMoments(), NaN)).toThrow(RangeError));
});

describe('KLL', () => {
  it('is exact up to k values', () => {
    const sketch = sketches.emptyKll({ k: 400 });
    for (const x of scattered(400, 401)) sketches.observeKll(sketch, x);
    expect(sketches.kllQuantiles(sketch, [0, 0.25, 0.5, 0.999, 1])).toEqual([1, 100, 200, 400, 400]);
    expect(sketches.kllRanks(sketch, [0, 1, 100, 399.5, 400])).toEqual([0, 1 / 400, 0.25, 399 / 400, 1]);
  });

  it('has ranks of 1 … n within its stated error in at least 99 of 100 seeds, and bytes that do not grow', () => {
    const n = 20_000;
    const values = scattered(n, 20_011);
    let [one, all] = [0, 0];
    for (let seed = 0; seed < 100; seed += 1) {
      const sketch = sketches.emptyKll({ k: 400, float: 32, seed });
      for (const x of values) sketches.observeKll(sketch, x);
      const errors = sketches.kllRanks(sketch, sequence(99).map((q) => (q * n) / 100)).map((rank, index) => Math.abs((rank ?? NaN) - (index + 1) / 100));
      if ((errors[49] ?? 1) <= sketches.kllRankError(400)) one += 1;
      if (Math.max(...errors) <= sketches.kllRankErrorOfAll(400)) all += 1;
    }
    expect(one).toBeGreaterThanOrEqual(97);
    expect(all).toBeGreaterThanOrEqual(97);
  });

  it('counts every value once however it is merged', () => {
    let merged = sketches.emptyKll({ k: 64 });
    const uniform = seeded(4);
    for (let part = 0; part < 60; part += 1) {
      const sketch = sketches.emptyKll({ k: 64, seed: part });
      for (let row = 0; row < 500; row += 1) sketches.observeKll(sketch, uniform());
      merged = sketches.mergeKll(merged, sketch);
    }
    expect(merged.n).toBe(30_000);
    expect(sketches.kllSteps(merged).atMost.at(-1)).toBe(30_000);
    expect(sketches.kllRanks(merged, [0.5])[0]).toBeCloseTo(0.5, 1);
    expect(sketches.kllRetained(merged)).toBeLessThanOrEqual(3 * 64 + 8 * 12);
  });

  it('takes a weight for as many values', () => {
    const sketch = sketches.emptyKll({ k: 200 });
    for (const x of sequence(100)) sketches.observeKllWeighted(sketch, x, x);
    // Σ x for x ≤ 70 is 2,485 of 5,050.
    expect(sketch.n).toBe(5_050);
    expect(Math.abs((sketches.kllRanks(sketch, [70])[0] ?? NaN) - 2_485 / 5_050)).toBeLessThanOrEqual(2 * sketches.kllRankError(200));
  });

  it('refuses to merge with another k', () => expect(() => sketches.mergeKll(sketches.emptyKll({ k: 100 }), sketches.emptyKll({ k: 200 }))).toThrow(RangeError));
});

describe('HyperLogLog', () => {
  it.each([1, 10, 100, 1_000, 10_000, 100_000])('counts %i distinct values within 2.58 standard errors in 97 % of 40 sets, without bias', (n) => {
    const ratios = sequence(40).map((set) => {
      const sketch = sketches.emptyHyperLogLog();
      for (let value = 0; value < n; value += 1) sketches.observeDistinctNumber(sketch, set * 1e9 + value);
      return sketches.distinctCount(sketch) / n;
    });
    expect(ratios.filter((ratio) => Math.abs(ratio - 1) <= sketches.hyperLogLogRelativeError).length).toBeGreaterThanOrEqual(38);
    // The mean of 40 has a standard error of 1.63 %/√40 = 0.26 %.
    expect(Math.abs(ratios.reduce((sum, ratio) => sum + ratio, 0) / 40 - 1)).toBeLessThanOrEqual(0.01);
  });

  it('does not count twice, nor tell 0 from −0', () => {
    const sketch = sketches.emptyHyperLogLog();
    for (const x of [0, -0, 0, 5, 5]) sketches.observeDistinctNumber(sketch, x);
    expect(sketches.distinctCount(sketch)).toBeCloseTo(2, 2);
  });
});

describe('frequent items', () => {
  it('bound every count, as a recount confirms, and shed at most n/(c + 1)', () => {
    const uniform = seeded(9);
    const items = sketches.emptyFrequentNames(50);
    const truth = new Map<string, number>();
    for (let row = 0; row < 50_000; row += 1) {
      const name = `n${Math.floor(uniform() ** -1.2)}`;
      truth.set(name, (truth.get(name) ?? 0) + 1);
      sketches.observeItem(items, name);
    }
    expect(items.shed).toBeLessThanOrEqual(50_000 / 51);
    for (const [name, count] of truth) {
      const { atLeast, atMost } = sketches.itemCount(items, name);
      expect(atLeast <= count && count <= atMost).toBe(true);
    }
    expect(sketches.frequentItems(items, 1)[0]?.item).toBe('n1');
  });

  it('take a count at once', () => {
    const items = sketches.emptyFrequentNames(2);
    sketches.observeItem(items, 'a', 5);
    sketches.observeItem(items, 'b', 3);
    sketches.observeItem(items, 'c', 4);
    expect(sketches.frequentItems(items)).toEqual([{ item: 'a', atLeast: 2, atMost: 5 }, { item: 'c', atLeast: 1, atMost: 4 }]);
  });
});

describe('exact tables', () => {
  it('give up beyond their limit, and say so', () => {
    const histogram = sketches.emptyExactHistogram(3);
    for (const x of [3, 1, 1]) sketches.observeExactly(histogram, x);
    expect(sketches.exactCounts(histogram)).toEqual([[1, 2], [3, 1]]);
    for (const x of [2, 4]) sketches.observeExactly(histogram, x);
    expect([histogram.n, histogram.complete, sketches.exactCounts(histogram), sketches.exactCount(histogram, 1)]).toEqual([5, false, null, null]);
  });

  it('count pairs', () => {
    const table = sketches.emptyTwoWayCounts(3);
    for (const [row, column] of [['a', 'x'], ['a', 'y'], ['b', 'x'], ['a', 'x']] as const) sketches.observePair(table, row, column);
    expect(sketches.tableOf(table)).toEqual([{ row: 'a', cells: [['x', 2], ['y', 1]] }, { row: 'b', cells: [['x', 1]] }]);
    sketches.observePair(table, 'c', 'x');
    expect([sketches.tableOf(table), table.n]).toEqual([null, 5]);
  });
});

describe('a feature’s state', () => {
  it('takes at most 8 KB, numbers and categories alike', () => {
    const uniform = seeded(2);
    const mixed = sketches.emptyFeatureState('number', 7);
    const names = sketches.emptyFeatureState('category');
    // 128 heavy numbers fill the counters, the rest goes over the whole range of floats: the worst case for every part.
    for (let row = 0; row < 200_000; row += 1) {
      sketches.observeFeature(mixed, row % 2 === 0 ? Math.floor(128 * uniform()) + 0.1 : (uniform() - 0.5) * 10 ** (600 * uniform() - 300));
      sketches.observeFeature(names, `${'a name that is rather long: number '}${Math.floor(uniform() ** -1.3)} of them`);
    }
    expect(sketches.serialiseFeatureState(mixed).length).toBeLessThanOrEqual(8_192);
    expect(sketches.serialiseFeatureState(names).length).toBeLessThanOrEqual(8_192);
  });

  it('keeps nulls, NaN, infinities and strangers apart from values', () => {
    const state = sketches.emptyFeatureState('number');
    for (const value of [1, null, undefined, NaN, Infinity, 'text', 2]) sketches.observeFeature(state, value);
    expect([sketches.featureCount(state), state.nulls, state.odd]).toEqual([2, 3, 2]);
  });

  it('shortens long names, each to one of its own', () => {
    const [a, b] = [`${'x'.repeat(60)}a`, `${'x'.repeat(60)}b`].map(sketches.shortName);
    expect(a).not.toBe(b);
    expect(new TextEncoder().encode(a).length).toBeLessThanOrEqual(40);
    expect(sketches.shortName('Zürich')).toBe('Zürich');
  });
});
