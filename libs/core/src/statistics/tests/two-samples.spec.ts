/**
 * Goal: two-sample tests and distances give the figures of scipy, and intervals and critical values keep their promises.
 * Method: frozen values of scipy 1.17.1 (fixtures/two-samples.py), worked examples of the papers named, the vectors of the
 * research notes, brute force over every arrangement of small samples, and seeded simulation of coverage.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { columnOf } from '../../drift/compare/seeded-columns.fixture.js';
import {
  distanceInterval, flooredShares, hellingerDistance, jensenShannonDistance, jensenShannonDivergence, ksCriticalDistance, ksDistance, ksPValue, ksTest, kullbackLeibler, largestDifference, oneSampleSurvival,
  permutationChiSquare, populationStability, riseProbability, sampleOf, shareDifferenceInterval, shareRise, deviationOfSample, totalVariationNoise, totalVariationOf, wassersteinDistance, wassersteinInterval, type CellDistance, type Floor, type NumberSample,
} from '../index.js';

interface Vectors {
  readonly ks: readonly { shape: string; n: number; m: number; shift: number; seed: number; seedCurrent?: number; d: number; exact: number | null; asymptotic: number; w1: number; normed: number }[];
  readonly oneSample: readonly { n: number; d: number; p: number }[];
  readonly rise: readonly { n: number; m: number; before: number; now: number; p: number }[];
  readonly tables: readonly { a: number[]; b: number[]; psi: number; kl: number; jsE: number; js2: number; hellinger: number; chi2: number; chi2p: number }[];
}
const vectors = JSON.parse(readFileSync(new URL('../../../fixtures/two-samples.json', import.meta.url), 'utf8')) as Vectors;

const numbersOf = (shape: string, n: number, shift: number, seed: number): NumberSample => {
  const column = columnOf(shape, n, shift, seed);
  if (column.type !== 'numerical') throw new RangeError(`${shape} holds no numbers`);
  return column.sample;
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('Kolmogorov–Smirnov (ks_2samp, kstwo)', () => {
  it.each(vectors.ks)('$shape, $n against $m', ({ shape, n, m, shift, seed, seedCurrent, d, exact, asymptotic, w1, normed }) => {
    const [a, b] = [numbersOf(shape, n, 0, seed), numbersOf(shape, m, shift, seedCurrent ?? seed + 500)];
    expect(ksDistance(a, b)).toBeCloseTo(d, 12);
    if (exact !== null) expect(ksPValue(n, m, d, 'auto') / exact).toBeCloseTo(1, 9);
    expect(ksPValue(n, m, d, exact === null ? 'auto' : 'asymptotic')).toBeCloseTo(asymptotic, 8);
    expect(wassersteinDistance(a, b) / w1).toBeCloseTo(1, 9);
    expect(wassersteinDistance(a, b) / deviationOfSample(a) / normed).toBeCloseTo(1, 9);
  });
  it.each(vectors.oneSample)('the tail of one sample of $n at $d', ({ n, d, p }) => expect(Math.abs(oneSampleSurvival(n, d) - p)).toBeLessThan(1e-9 + 1e-8 * p));
  it('1…10 against 4…13: D 0.3, exact p 0.786929788, asymptotic 0.664, W1 3, W1/σ 1.044465936', () => {
    const { statistic, pValue } = ksTest(range(1, 10), range(4, 13));
    expect(statistic).toBeCloseTo(0.3, 12);
    expect(pValue).toBeCloseTo(0.786929788, 8);
    expect(ksTest(range(1, 10), range(4, 13), 'asymptotic').pValue).toBeCloseTo(0.664, 3);
    const [a, b] = [sampleOf(range(1, 10)), sampleOf(range(4, 13))];
    expect(wassersteinDistance(a, b)).toBeCloseTo(3, 12);
    expect(wassersteinInterval(a, b, 0.95, deviationOfSample(a)).plugIn).toBeCloseTo(1.044465936, 8);
  });
  it('counts every arrangement of 4 and 3', () => {
    const distances: number[] = [];
    for (let mask = 0; mask < 128; mask += 1) {
      const mine = range(0, 6).filter((bit) => (mask >> bit) % 2 === 1);
      if (mine.length === 4) distances.push(ksDistance(sampleOf(mine), sampleOf(range(0, 6).filter((bit) => !mine.includes(bit)))));
    }
    expect(distances).toHaveLength(35);
    for (const d of new Set(distances)) expect(ksPValue(4, 3, d)).toBeCloseTo(distances.filter((each) => each >= d - 1e-9).length / 35, 12);
  });
  it.each([[1_000, 50], [300, 300], [20_000, 700], [100_000, 100_000]])('the critical distance of %i against %i is exceeded at most as often as asked, and nearly so', (n, m) => {
    const critical = ksCriticalDistance(n, m, 0.001);
    expect(ksPValue(n, m, critical + 1e-9)).toBeLessThanOrEqual(0.001);
    expect(ksPValue(n, m, critical * 0.97)).toBeGreaterThan(0.001);
  });
  it('is 1, never NaN, for equal constants', () => expect(ksTest([5, 5, 5], [5, 5])).toEqual({ statistic: 0, pValue: 1 }));
  it('refuses an empty sample', () => expect(() => ksTest([NaN], [1])).toThrow(RangeError));
});

describe('shares', () => {
  it.each(vectors.rise)('hypergeom.sf: $before of $n → $now of $m', ({ n, m, before, now, p }) => expect(riseProbability({ hits: before, n }, { hits: now, n: m }) / p).toBeCloseTo(1, 8));
  it('bounds a rise away from 0 exactly when Fisher’s one-sided test rejects', () => {
    for (let now = 0; now <= 40; now += 1) {
      const { lowerBound, pValue, effect } = shareRise({ hits: 20, n: 400 }, { hits: now, n: 100 }, 0.01);
      expect(lowerBound > 0).toBe(pValue < 0.01);
      expect(lowerBound).toBeLessThanOrEqual(effect);
    }
  });
  it('never bounds more than there is, but for its level', () => {
    const chance = seeded(3);
    const hits = (n: number, share: number): number => Array.from({ length: n }, () => Number(chance() < share)).reduce((sum, hit) => sum + hit, 0);
    let wrong = 0;
    for (let trial = 0; trial < 2_000; trial += 1) if (shareRise({ hits: hits(300, 0.02), n: 300 }, { hits: hits(100, 0.1), n: 100 }, 0.05).lowerBound > 0.08) wrong += 1;
    // Binomial(2000, 0.05) is above 135 with probability 0.0002.
    expect(wrong).toBeLessThanOrEqual(135);
  });
  // R. G. Newcombe, Stat. Med. 17 (1998), table II, examples (a), (e) and (h), method 10.
  it.each([
    { a: { hits: 56, n: 70 }, b: { hits: 48, n: 80 }, low: 0.0524, high: 0.3339 },
    { a: { hits: 5, n: 56 }, b: { hits: 0, n: 29 }, low: -0.0381, high: 0.1926 },
    { a: { hits: 10, n: 10 }, b: { hits: 0, n: 10 }, low: 0.6075, high: 1 },
  ])('Newcombe’s interval: $a − $b', ({ a, b, low, high }) => {
    const interval = shareDifferenceInterval(a, b);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });
});

const [p, q] = [[0.36, 0.48, 0.16], [1 / 3, 1 / 3, 1 / 3]];

describe('distances', () => {
  it.each([
    ['PSI', populationStability(p, q), 0.182754608], ['KL', kullbackLeibler(p, q), 0.085299601], ['JS distance, base e', jensenShannonDistance(p, q), 0.149866142],
    ['JS distance, base 2', jensenShannonDistance(p, q, 2), 0.180007581], ['JS divergence, base 2', jensenShannonDivergence(p, q) / Math.LN2, 0.032402729],
    ['Hellinger', hellingerDistance(p, q), 0.150498275], ['L∞', largestDifference(p, q), 0.173333333], ['total variation', totalVariationOf(p, q), 0.173333333],
  ])('%s of the research vector', (_name, value, expected) => expect(Math.abs(value - expected)).toBeLessThan(1e-9));
  it.each<[string, Floor, number]>([['Evidently', 'evidently', 0.712], ['Deepchecks', { least: 0.01 }, 0.23], ['Frouros', { least: 2.2e-308 }, 70.6], ['Deequ', 'none', Infinity]])('PSI of (.5, .5, 0) and (.4, .5, .1) as %s has it', (_tool, floor, expected) => {
    const value = populationStability(flooredShares([50, 50, 0], floor), flooredShares([40, 50, 10], floor));
    if (expected === Infinity) expect(value).toBe(Infinity);
    else expect(value / expected).toBeCloseTo(1, 2);
  });
  it.each(vectors.tables)('scipy on $a and $b with half a row more per cell', ({ a, b, psi, kl, jsE, js2, hellinger }) => {
    expect(distanceInterval(a, b, 'psi').plugIn).toBeCloseTo(psi, 10);
    expect(distanceInterval(a, b, 'kl').plugIn).toBeCloseTo(kl, 10);
    expect(distanceInterval(a, b, 'js-distance').plugIn).toBeCloseTo(jsE, 10);
    expect(distanceInterval(a, b, 'js-distance', { base: 2 }).plugIn).toBeCloseTo(js2, 10);
    expect(distanceInterval(a, b, 'hellinger').plugIn).toBeCloseTo(hellinger, 10);
  });
});

describe('intervals of distances hold the truth', () => {
  const from = [0.3, 0.25, 0.2, 0.15, 0.1];
  const truths: Readonly<Record<CellDistance, (x: number[], y: number[]) => number>> = {
    psi: populationStability, kl: kullbackLeibler, 'js-divergence': jensenShannonDivergence, 'js-distance': jensenShannonDistance, hellinger: hellingerDistance, 'l-infinity': largestDifference, 'total-variation': totalVariationOf,
  };
  const counted = (chance: () => number, shares: number[], n: number): number[] => {
    const counts = shares.map(() => 0);
    for (let row = 0; row < n; row += 1) {
      let [u, cell] = [chance(), 0];
      while (cell < shares.length - 1 && u >= (shares[cell] ?? 1)) u -= shares[cell++] ?? 0;
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    return counts;
  };
  it.each((Object.keys(truths) as CellDistance[]).flatMap((distance) => [from, [0.4, 0.2, 0.2, 0.1, 0.1], [0.1, 0.1, 0.2, 0.3, 0.3]].map((to) => ({ distance, to }))))('$distance to $to', ({ distance, to }) => {
    const chance = seeded(17);
    const truth = truths[distance](from, to);
    let held = 0;
    for (let trial = 0; trial < 100; trial += 1) {
      const { low, high } = distanceInterval(counted(chance, from, 1_000), counted(chance, to, 200), distance);
      if (low <= truth + 1e-12 && truth <= high + 1e-12) held += 1;
    }
    // Binomial(100, 0.95) is below 87 with probability 0.0005.
    expect(held).toBeGreaterThanOrEqual(87);
  });
});

describe('chi-square by permutation', () => {
  it('has Pearson’s statistic, and his p where cells are large', () => {
    const { statistic, pValue } = permutationChiSquare([50, 30, 20], [40, 30, 30], { tablesMax: 20_000 });
    expect(statistic).toBeCloseTo(vectors.tables[0]?.chi2 ?? NaN, 9);
    // 20 of some 95 tables: within a factor that 20 hits allow.
    expect(Math.abs(Math.log(pValue / (vectors.tables[0]?.chi2p ?? NaN)))).toBeLessThan(0.7);
  });
  it('agrees with Fisher’s exact test on a 2 × 2 table of small cells', () => {
    // scipy.stats.fisher_exact([[8, 2], [1, 5]]): 0.03496503496503495.
    const values = range(1, 40).map((seed) => permutationChiSquare([8, 2], [1, 5], { tablesMax: 5_000, seed }).pValue);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.035, 2);
  });
  it('is the same twice', () => expect(permutationChiSquare([5, 1, 0], [2, 2, 2])).toEqual(permutationChiSquare([5, 1, 0], [2, 2, 2])));
});

describe('total variation by chance', () => {
  it.each([{ pooled: [6_000, 3_600, 2_400] }, { pooled: range(1, 20).map((k) => Math.round(3_000 / k)) }])('stays below its quantile as often as asked: $pooled.length cells', ({ pooled }) => {
    const chance = seeded(23);
    const total = pooled.reduce((sum, count) => sum + count, 0);
    const [m, n] = [600, total - 600];
    const quantile = totalVariationNoise(pooled, n, m).quantile(0.01, true);
    const rows = Int32Array.from(pooled.flatMap((count, cell) => new Array<number>(count).fill(cell)));
    let above = 0;
    for (let trial = 0; trial < 2_000; trial += 1) {
      const current = pooled.map(() => 0);
      for (let drawn = 0; drawn < m; drawn += 1) {
        const at = drawn + Math.floor(chance() * (total - drawn));
        const [taken = 0, here = 0] = [rows[at], rows[drawn]];
        [rows[drawn], rows[at]] = [taken, here];
        current[taken] = (current[taken] ?? 0) + 1;
      }
      if (totalVariationOf(pooled.map((count, cell) => (count - (current[cell] ?? 0)) / n), current.map((count) => count / m)) > quantile) above += 1;
    }
    // Binomial(2000, 0.01) is above 36 with probability 0.0004, below 6 with 0.0001.
    expect(above).toBeLessThanOrEqual(36);
    expect(above).toBeGreaterThanOrEqual(6);
  });
});
