/**
 * Goal: sequences and intervals say what their formulas say, keep their error at every look, and survive being stored.
 * Method: vectors of confseq, gbstats and scipy, and betting wealth computed as whole-array products in numpy
 * (fixtures/sequences.py); closed forms; seeded runs looked at after every observation.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import fc from 'fast-check';
import { clopperPearsonInterval, wilsonInterval } from '../intervals/index.js';
import {
  alwaysValidInterval, betaBinomialEvidence, bettingEvidence, bettingInterval, extendBetting, mixturePrecision, normalMixtureBound, normalMixtureEvidence, observeTrial, observeUnit,
  quantileInterval, quantileRanks, startBetaBinomial, startBetting, startSampleRatio, type Aim, type BettingSequence, type Sides,
} from './index.js';

interface Vectors {
  readonly normalMixture: readonly { sum: number; variance: number; tightest: number; alpha: number; sides: Sides; evidence: number; bound: number }[];
  readonly alwaysValid: readonly { estimate: number; standardError: number; n: number; alpha: number; tightest: number; low: number; high: number; pValue: number }[];
  readonly betaBinomial: readonly { hits: number; n: number; p: number; concentration: number; evidence: number }[];
  readonly quantileRanks: readonly { n: number; p: number; alpha: number; tightest: number; low: number; high: number }[];
  readonly betting: readonly { name: string; values: number[]; lowest: number; highest: number; alpha: number; aimUp: Aim; aimDown: Aim; low: number; high: number; upAtZero: number }[];
  readonly proportions: readonly { hits: number; n: number; confidence: number; exact: [number, number]; wilson: [number, number] }[];
}
const vectors = JSON.parse(readFileSync(new URL('../../../fixtures/sequences.json', import.meta.url), 'utf8')) as Vectors;

const aim: Aim = { effects: [], deviations: [0.1] };
const betting = (range: number, alpha = 0.05): BettingSequence => startBetting({ lowest: -range, highest: range, alpha, aimUp: aim, aimDown: aim });

describe('normal mixture (confseq) and always-valid interval (gbstats)', () => {
  it.each(vectors.normalMixture)('sum $sum of variance $variance, $sides sided', ({ sum, variance, tightest, alpha, sides, evidence, bound }) => {
    const precision = mixturePrecision(tightest, alpha, sides);
    expect(normalMixtureEvidence(sum, variance, precision, sides)).toBeCloseTo(evidence, 9);
    // confseq's own bisection stops at 40 bits.
    expect(normalMixtureBound(variance, alpha, precision, sides) / bound).toBeCloseTo(1, 8);
  });
  it.each(vectors.alwaysValid)('estimate $estimate of $n', ({ estimate, standardError, n, alpha, tightest, low, high, pValue }) => {
    const interval = alwaysValidInterval(estimate, standardError, n, alpha, { tightest });
    expect(interval.low).toBeCloseTo(low, 12);
    expect(interval.high).toBeCloseTo(high, 12);
    expect(interval.pValue).toBeCloseTo(pValue, 10);
  });
  it('knows nothing without a spread', () => expect(alwaysValidInterval(0.1, 0, 10, 0.05)).toEqual({ low: -Infinity, high: Infinity, pValue: 1 }));
  it('stays finite far below zero', () => expect(normalMixtureEvidence(-4_000, 5_000, 10, 'one')).toBeLessThan(0));
});

describe('beta-binomial e-process', () => {
  it.each(vectors.betaBinomial)('$hits of $n against $p (the mixture integral by quadrature)', ({ hits, n, p, concentration, evidence }) => {
    expect(betaBinomialEvidence(hits, n, p, concentration)).toBeCloseTo(evidence, 8);
    const process = startBetaBinomial(p, concentration);
    for (let trial = 0; trial < n; trial += 1) observeTrial(process, trial < hits);
    expect(process.evidence).toBeCloseTo(evidence, 8);
  });
  it('is a martingale: the next trial changes it by nothing on average under p', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (hits, misses, p) => {
      const after = (hit: 0 | 1): number => Math.exp(betaBinomialEvidence(hits + hit, hits + misses + 1, p, 20) - betaBinomialEvidence(hits, hits + misses, p, 20));
      expect(p * after(1) + (1 - p) * after(0)).toBeCloseTo(1, 9);
    }));
  });
});

describe('sample ratio', () => {
  const runs = (share: number, truth: number, units: number, count: number): number => {
    let found = 0;
    for (let run = 0; run < count; run += 1) {
      const chance = seeded(9_000 + run);
      const ratio = startSampleRatio(share, 0.01);
      for (let unit = 0; unit < units && ratio.mismatchAt === null; unit += 1) observeUnit(ratio, chance() < truth);
      if (ratio.mismatchAt !== null) found += 1;
    }
    return found;
  };
  it('finds 52/48 within 20,000 units', () => expect(runs(0.5, 0.52, 20_000, 60)).toBeGreaterThanOrEqual(57));
  it('lets a true share pass', () => expect(runs(0.1, 0.1, 10_000, 100)).toBeLessThanOrEqual(4));
  it('stays refused, and says since when', () => {
    const ratio = startSampleRatio(0.5, 0.01);
    for (let unit = 0; unit < 500; unit += 1) observeUnit(ratio, true);
    const { mismatchAt } = ratio;
    expect(mismatchAt).toBeLessThan(200);
    for (let unit = 0; unit < 500; unit += 1) observeUnit(ratio, false);
    expect(observeUnit(ratio, false)).toBe(true);
    expect(ratio.mismatchAt).toBe(mismatchAt);
  });
});

describe('quantile ranks (confseq asked of every count)', () => {
  it.each(vectors.quantileRanks)('p $p of $n', ({ n, p, alpha, tightest, low, high }) => expect(quantileRanks(n, p, alpha, tightest)).toEqual({ low, high }));
  it('holds the p99 of an exponential at every look', () => {
    let wrong = 0;
    for (let run = 0; run < 60; run += 1) {
      const chance = seeded(400 + run);
      const limit = -Math.log(0.01);
      let below = 0;
      for (let n = 1; n <= 2_000; n += 1) {
        if (-Math.log(1 - chance()) <= limit) below += 1;
        if (n % 20 !== 0) continue;
        const { low, high } = quantileRanks(n, 0.99, 0.1);
        // The quantile lies between the order statistics exactly when the count below it lies between the ranks.
        if (below < low || below >= high) { wrong += 1; break; }
      }
    }
    expect(wrong).toBeLessThanOrEqual(12);
  });
  it('answers from a sorted sample, unbounded where it must', () => {
    const sorted = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    expect(quantileInterval(sorted, 0.99, 0.05)).toMatchObject({ estimate: 99, high: Infinity });
    expect(quantileInterval([], 0.5, 0.05)).toEqual({ estimate: null, low: -Infinity, high: Infinity });
  });
});

describe('betting sequence', () => {
  it.each(vectors.betting)('$name has the bounds of the products', ({ values, low, high, upAtZero, ...plan }) => {
    const sequence = startBetting(plan);
    for (const value of values) extendBetting(sequence, value);
    const interval = bettingInterval(sequence);
    expect(interval.low).toBeCloseTo(low, 9);
    expect(interval.high).toBeCloseTo(high, 9);
    expect(bettingEvidence(sequence, 'up', 0)).toBeCloseTo(upAtZero, 8);
  });
  it('bounds the running average of means that change, at every look', () => {
    const wrong = { low: 0, high: 0 };
    for (let run = 0; run < 150; run += 1) {
      const chance = seeded(70_000 + run);
      const sequence = betting(1);
      let [meanSum, tooLow, tooHigh] = [0, false, false];
      for (let look = 1; look <= 1_500; look += 1) {
        const mean = Math.floor(look / 100) % 2 === 0 ? 0.2 : -0.2;
        meanSum += mean;
        extendBetting(sequence, chance() < (1 + mean) / 2 ? 1 : -1);
        const needed = Math.log(20);
        tooLow ||= bettingEvidence(sequence, 'up', meanSum / look, needed) >= needed;
        tooHigh ||= bettingEvidence(sequence, 'down', meanSum / look, needed) >= needed;
      }
      if (tooLow) wrong.low += 1;
      if (tooHigh) wrong.high += 1;
    }
    // 150 runs at 0.05: more than 14 are seen once in 100 such specs even when all of α is spent.
    expect(Math.max(wrong.low, wrong.high)).toBeLessThanOrEqual(14);
  });
  it('goes on after being stored as if it had not been', () => {
    const [kept, stored] = [betting(1), betting(1)];
    let read: BettingSequence = stored;
    const chance = seeded(3);
    for (let look = 0; look < 700; look += 1) {
      const y = chance() < 0.1 ? 1 : -0.05;
      extendBetting(kept, y);
      if (look % 97 === 0) read = JSON.parse(JSON.stringify(read)) as BettingSequence;
      extendBetting(read, y);
    }
    expect(read).toEqual(kept);
  });
  it('is symmetric: what is said of y is said of −y the other way round', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 120 }), (values) => {
      const [one, other] = [betting(1), betting(1)];
      for (const value of values) {
        extendBetting(one, value / 8);
        extendBetting(other, -value / 8);
      }
      const [a, b] = [bettingInterval(one), bettingInterval(other)];
      expect(a.low).toBeCloseTo(-b.high, 9);
      expect(a.high).toBeCloseTo(-b.low, 9);
    }), { numRuns: 40 });
  });
  it('does not care about the unit', () => {
    const [small, large] = [betting(1), betting(1_000)];
    const chance = seeded(8);
    for (let look = 0; look < 400; look += 1) {
      const y = 2 * chance() - 1;
      extendBetting(small, y);
      extendBetting(large, 1_000 * y);
    }
    expect(bettingInterval(large).low / 1_000).toBeCloseTo(bettingInterval(small).low, 9);
  });
  it.each([
    { name: 'nothing', values: [], low: -1, high: 1 },
    { name: 'one observation', values: [1], low: -1, high: 1 },
  ])('knows nothing from $name', ({ values, low, high }) => {
    const sequence = betting(1);
    for (const value of values) extendBetting(sequence, value);
    expect(bettingInterval(sequence)).toMatchObject({ low, high });
  });
  it('narrows on constants without leaving the numbers', () => {
    const sequence = betting(1);
    for (let look = 0; look < 5_000; look += 1) extendBetting(sequence, 0);
    const { low, high } = bettingInterval(sequence);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
    expect(high - low).toBeLessThan(0.02);
  });
  it.each([
    { name: 'an observation outside its bounds', act: () => extendBetting(betting(1), 1.01) },
    { name: 'NaN', act: () => extendBetting(betting(1), NaN) },
    { name: 'an error of 0', act: () => betting(1, 0) },
    { name: 'bounds on one side of 0', act: () => startBetting({ lowest: 0, highest: 1, alpha: 0.05, aimUp: aim, aimDown: aim }) },
  ])('refuses $name', ({ act }) => expect(act).toThrow(RangeError));
});

describe('intervals of a proportion (scipy.stats.binomtest)', () => {
  it.each(vectors.proportions)('$hits of $n', ({ hits, n, confidence, exact, wilson }) => {
    expect(clopperPearsonInterval(hits, n, confidence).low).toBeCloseTo(exact[0], 10);
    expect(clopperPearsonInterval(hits, n, confidence).high).toBeCloseTo(exact[1], 10);
    expect(wilsonInterval(hits, n, confidence).low).toBeCloseTo(wilson[0], 10);
    expect(wilsonInterval(hits, n, confidence).high).toBeCloseTo(wilson[1], 10);
  });
  it('hold nothing back without observations', () => {
    expect(clopperPearsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });
});
