/**
 * Goal: the measuring instruments measure what their sources say.
 * Method: published tables and worked examples, values from R 4 and scipy 1.17 (named at each), laws as properties, and
 * for the confidence sequence its promise itself in a seeded simulation.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '@millrace/testing';
import {
  aucOf, benjaminiHochberg, contingencyChiSquare, emptyFeatureCounts, emptyGridHistogram, emptyNameCounts, emptyPerformance, extendSequence, countFeature, gridQuantile, gridSamples, holm, ksDistance, ksTest, lossOf, mergePerformance,
  metricsOf, nameCount, observeGrid, observeNameCount, observeOutcome, rowsCounted, sampleOf, sequenceInterval, startSequence, totalVariation, twoProportion, wilsonInterval, type GridHistogram, type Said, type Task,
} from './index.js';

const grid = (values: readonly number[], cellsMax?: number): GridHistogram => {
  const histogram = emptyGridHistogram(cellsMax);
  for (const value of values) observeGrid(histogram, value);
  return histogram;
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('Kolmogorov–Smirnov', () => {
  it('finds D = 0.3 between 1…10 and 4…13 (scipy ks_2samp)', () => {
    const { statistic, pValue } = ksTest(range(1, 10), range(4, 13));
    expect(statistic).toBeCloseTo(0.3, 12);
    expect(pValue).toBeCloseTo(0.786929788, 8);
  });

  it('never reports more than the raw distance, whatever the grid', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, values, fc.integer({ min: 2, max: 200 }), (a, b, cells) => {
        expect(ksDistance(...gridSamples(grid(a, cells), grid(b, cells)))).toBeLessThanOrEqual(ksDistance(sampleOf(a), sampleOf(b)) + 1e-12);
      }),
    );
  });
});

describe('chi-square of two samples', () => {
  it('is the contingency form, not the one-sample form (scipy chi2_contingency: 3.111111, p 0.211072)', () => {
    const { statistic, degreesOfFreedom, pValue } = contingencyChiSquare({ a: 50, b: 30, c: 20 }, { a: 40, b: 30, c: 30 });
    expect(statistic).toBeCloseTo(3.111111, 6);
    expect(degreesOfFreedom).toBe(2);
    expect(pValue).toBeCloseTo(0.211072, 6);
  });
  it('sees a category that only one sample has', () => expect(contingencyChiSquare({ a: 500, b: 500 }, { a: 450, b: 450, new: 100 }).pValue).toBeLessThan(1e-6));
  it('pools cells that are too small to trust', () => expect(contingencyChiSquare({ a: 100, b: 100, c: 2, d: 2, e: 2 }, { a: 100, b: 100, c: 2, d: 2, e: 2 }).degreesOfFreedom).toBe(2));
  it.each([
    { kinds: 2, n: 1_000, m: 100 },
    { kinds: 20, n: 1_000, m: 100 },
    { kinds: 60, n: 2_000, m: 200 },
    { kinds: 20, n: 300, m: 300 },
  ])('rejects equal distributions of $kinds kinds no more often than it says ($n against $m)', ({ kinds, n, m }) => {
    const chance = seeded(kinds * 7 + m);
    // Shares from large to tiny, so that some cells are always too small.
    const counts = (rows: number): Record<string, number> => {
      const table: Record<string, number> = {};
      for (let row = 0; row < rows; row += 1) {
        const name = `k${Math.floor(chance() ** 3 * kinds)}`;
        table[name] = (table[name] ?? 0) + 1;
      }
      return table;
    };
    const runs = 300;
    let rejected = 0;
    for (let run = 0; run < runs; run += 1) if (contingencyChiSquare(counts(n), counts(m)).pValue <= 0.05) rejected += 1;
    // Binomial(300, 0.05) exceeds 27 with probability 0.001.
    expect(rejected).toBeLessThanOrEqual(27);
    // Twice the smaller p and Fisher’s test are conservative, but not blind.
    expect(rejected).toBeGreaterThanOrEqual(2);
  });
  it('measures names that objects inherit', () => expect(totalVariation({ UA: 50 }, { UA: 25, constructor: 25 })).toBeCloseTo(0.5, 12));
  it('has total variation ½ Σ|p − q|', () => expect(totalVariation({ a: 50, b: 50 }, { a: 40, b: 50, c: 10 })).toBeCloseTo(0.1, 12));
});

describe('proportions', () => {
  it('compares two (R prop.test without correction, 15/100 against 25/100: p 0.0771)', () => expect(twoProportion({ hits: 15, n: 100 }, { hits: 25, n: 100 }).pValue).toBeCloseTo(0.0771, 4));
  it('has Wilson’s interval (8 of 10: 0.4902 to 0.9433)', () => {
    const { low, high } = wilsonInterval(8, 10);
    expect([low, high].map((bound) => Number(bound.toFixed(4)))).toEqual([0.4902, 0.9433]);
  });
});

describe('several tests at once', () => {
  const p = [0.01, 0.04, 0.03, 0.005];
  it('adjusts as R’s p.adjust does (holm)', () => expect(holm(p).map((value) => Number(value.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02]));
  it('adjusts as R’s p.adjust does (BH)', () => expect(benjaminiHochberg(p).map((value) => Number(value.toFixed(12)))).toEqual([0.02, 0.04, 0.04, 0.02]));
});

describe('grids and names of windows', () => {
  it('hold few values as they are', () => {
    const histogram = grid([-999, 0.5, 0.5, 41, -0]);
    expect([...histogram.cells.values()].sort()).toEqual([1, 1, 1, 2]);
    expect([gridQuantile(histogram, 0), gridQuantile(histogram, 0.5), gridQuantile(histogram, 1)]).toEqual([-999, 0.5, 41]);
  });
  it('find quantiles of many values within the width of a cell', () => {
    const chance = seeded(5);
    const histogram = grid(Array.from({ length: 100_000 }, () => 100 * chance()));
    expect(histogram.cells.size).toBeLessThanOrEqual(1_024);
    // 64 cells between powers of two, so 1 wide from 64 on; the sample’s own quantiles have a standard error of up to 0.16.
    for (const q of [0.01, 0.25, 0.5, 0.9, 0.99]) expect(Math.abs((gridQuantile(histogram, q) ?? NaN) - 100 * q)).toBeLessThan(1.2);
  });
  it('lose next to nothing of a distance on the common grid', () => {
    const chance = seeded(6);
    const normal = (n: number, shift: number): number[] => Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance()) + shift);
    const [a, b] = [normal(50_000, 0), normal(20_000, 0.1)];
    // One cell holds at most some 0.8 % of either sample, and near the largest distance both fill it alike.
    expect(ksDistance(sampleOf(a), sampleOf(b)) - ksDistance(...gridSamples(grid(a), grid(b)))).toBeLessThan(0.001);
  });
  it('count wanted names exactly, whatever else comes, and of the others all or none', () => {
    const counts = emptyNameCounts(['UA']);
    for (const name of range(1, 5_000).flatMap((index) => [`tail-${index}`, 'UA', `tail-${index}`])) observeNameCount(counts, name);
    expect(nameCount(counts, 'UA')).toBe(5_000);
    const known = range(1, 5_000).map((index) => nameCount(counts, `tail-${index}`)).filter((count) => count !== null);
    expect(new Set(known)).toEqual(new Set([2]));
    expect(known.length).toBeGreaterThan(300);
  });
  it('tell nulls, oddities and values apart', () => {
    const numbers = emptyFeatureCounts('number');
    for (const value of [1, null, NaN, undefined, '', Infinity, 'text', true]) countFeature(numbers, value);
    expect([numbers.nulls, numbers.odd, numbers.values.n, rowsCounted(numbers)]).toEqual([4, 3, 1, 8]);
    const names = emptyFeatureCounts('category');
    for (const value of ['UA', '', null, 7, true, '__proto__', 'constructor']) countFeature(names, value);
    expect([names.nulls, names.odd, names.values.n]).toEqual([2, 0, 5]);
  });
});

describe('performance', () => {
  it('has the AUC of the textbook example (scikit-learn roc_auc_score: 0.75)', () => {
    const sums = emptyPerformance('binary');
    [[0.1, false], [0.4, false], [0.35, true], [0.8, true]].forEach(([probability, label]) => observeOutcome(sums, { probability: Number(probability) }, Boolean(label)));
    const metric = (name: string) => metricsOf(sums).find((entry) => entry.name === name)?.value;
    expect(metric('auc')).toBeCloseTo(0.75, 12);
    expect(metric('brier')).toBeCloseTo((0.01 + 0.16 + 0.65 ** 2 + 0.04) / 4, 9);
    expect(metric('log-loss')).toBeCloseTo(-(Math.log(0.9) + Math.log(0.6) + Math.log(0.35) + Math.log(0.8)) / 4, 9);
    expect(metric('accuracy')).toBe(0.75);
    expect(metric('positive-rate')).toBe(0.5);
  });
  it('counts ties as half', () => expect(aucOf([0, 10, 0], [0, 7, 0])?.value).toBe(0.5));
  it('has DeLong’s error in its closed form: placements 1 and 0.5, 1 and 0.5', () => {
    // Positives at 2 and 1, negatives at 1 and 0: placements of the positives 1 and 0.75, of the negatives 0.75 and 1.
    expect(aucOf([0, 1, 1], [1, 1, 0])?.standardError).toBeCloseTo(Math.sqrt((2 * 0.125 ** 2) / 2 + (2 * 0.125 ** 2) / 2), 12);
  });
  it('knows nothing of AUC while a class is missing', () => expect(aucOf([1, 2], [0, 0])).toBeNull());
  it('adds up over partitions', () => {
    const chance = seeded(7);
    const outcomes = Array.from({ length: 200 }, () => ({ probability: chance(), label: chance() < 0.3 }));
    const sumsOf = (list: typeof outcomes) => list.reduce((sums, { probability, label }) => (observeOutcome(sums, { probability }, label), sums), emptyPerformance('binary'));
    const merged = metricsOf(mergePerformance(sumsOf(outcomes.slice(0, 90)), sumsOf(outcomes.slice(90))));
    metricsOf(sumsOf(outcomes)).forEach(({ name, value }) => expect(merged.find((metric) => metric.name === name)?.value).toBeCloseTo(value, 12));
  });
  it.each<{ task: Task; said: Said; label: boolean | number | string; loss: number | null }>([
    { task: 'binary' as const, said: { probability: 0.8 }, label: true, loss: 0.04 },
    { task: 'multiclass' as const, said: { probabilities: { a: 0.7, b: 0.3 } }, label: 'b', loss: (0.7 ** 2 + 0.7 ** 2) / 2 },
    { task: 'multiclass' as const, said: { probabilities: { a: 0.5, b: 0.3, c: 0.2 } }, label: 'a', loss: (0.25 + 0.09 + 0.04) / 2 },
    { task: 'multiclass' as const, said: { probabilities: { a: 1 } }, label: 'unheard-of', loss: 1 },
    { task: 'regression' as const, said: { value: 3 }, label: 5, loss: 4 },
    { task: 'binary' as const, said: { value: 3 }, label: true, loss: null },
  ])('$task loss is $loss', ({ task, said, label, loss }) => (loss === null ? expect(lossOf(task, said, label)).toBeNull() : expect(lossOf(task, said, label)).toBeCloseTo(loss, 12)));
  it('measures regression by hand: errors 1, −2, 3 on 1, 2, 3', () => {
    const sums = emptyPerformance('regression');
    [[2, 1], [0, 2], [6, 3]].forEach(([value = 0, truth = 0]) => observeOutcome(sums, { value }, truth));
    const metric = (name: string) => metricsOf(sums).find((entry) => entry.name === name)?.value;
    expect(metric('mae')).toBeCloseTo(2, 12);
    expect(metric('rmse')).toBeCloseTo(Math.sqrt(14 / 3), 12);
    expect(metric('r2')).toBeCloseTo(1 - 14 / 2, 12);
    expect(metric('mean-error')).toBeCloseTo(2 / 3, 12);
  });
  it('has an interval of R² that follows from that of the squared errors', () => {
    const sums = emptyPerformance('regression');
    const chance = seeded(5);
    for (let row = 0; row < 500; row += 1) observeOutcome(sums, { value: row }, row + 10 * (chance() - 0.5));
    const metric = (name: string) => metricsOf(sums).find((entry) => entry.name === name);
    const [r2, rmse] = [metric('r2'), metric('rmse')];
    const meanSquare = (1 - (r2?.value ?? 0)) / (rmse?.value ?? 0) ** 2;
    expect(1 - (r2?.low ?? 0)).toBeCloseTo(meanSquare * (rmse?.high ?? 0) ** 2, 12);
    expect(1 - (r2?.high ?? 0)).toBeCloseTo(meanSquare * (rmse?.low ?? 0) ** 2, 12);
  });
  it('does not reward a class model for claiming more than it knows', () => {
    // The truth is a with probability 0.7: saying 0.7 must cost less, on average, than saying 1.
    const expected = (a: number): number => 0.7 * (lossOf('multiclass', { probabilities: { a, b: 1 - a } }, 'a') ?? 0) + 0.3 * (lossOf('multiclass', { probabilities: { a, b: 1 - a } }, 'b') ?? 0);
    expect(expected(0.7)).toBeLessThan(expected(1));
  });
});

describe('the confidence sequence', () => {
  /** Share of runs in which some look’s interval does not hold the weighted mean so far. */
  const missShare = (alpha: number, runs: number, length: number, meanAt: (look: number) => number): number => {
    const chance = seeded(20_261_121);
    let missed = 0;
    for (let run = 0; run < runs; run += 1) {
      const sequence = startSequence(alpha);
      let truth = 0;
      let misses = false;
      for (let look = 0; look < length; look += 1) {
        const weightBefore = sequence.weights;
        extendSequence(sequence, chance() < meanAt(look) ? 1 : 0);
        truth += (sequence.weights - weightBefore) * meanAt(look);
        const { low, high } = sequenceInterval(sequence);
        misses ||= truth / sequence.weights < low || truth / sequence.weights > high;
      }
      if (misses) missed += 1;
    }
    return missed / runs;
  };
  it('misses the mean at some look in no more than α of the runs', () => expect(missShare(0.1, 300, 1_000, () => 0.2)).toBeLessThanOrEqual(0.1));
  it('keeps its promise while the mean moves from day to day', () => expect(missShare(0.1, 300, 1_000, (look) => (look % 200 < 100 ? 0.1 : 0.6))).toBeLessThanOrEqual(0.1));
  it('closes in on the mean, faster when observations vary little', () => {
    const widthOf = (spread: number): number => {
      const chance = seeded(3);
      const sequence = startSequence(0.05);
      for (let look = 0; look < 2_000; look += 1) extendSequence(sequence, 0.5 + (chance() - 0.5) * spread);
      const { low, high } = sequenceInterval(sequence);
      expect(low).toBeLessThanOrEqual(0.5);
      expect(high).toBeGreaterThanOrEqual(0.5);
      return high - low;
    };
    expect(widthOf(0.1)).toBeLessThan(widthOf(1) / 3);
  });
  it('refuses what lies outside its bounds', () => expect(() => extendSequence(startSequence(0.05), 1.01)).toThrow(RangeError));
});
