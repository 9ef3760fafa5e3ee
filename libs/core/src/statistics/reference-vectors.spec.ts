/**
 * Goal: the instruments give the figures of the field’s reference libraries.
 * Method: samples from a linear congruential generator that Python and this file share; expected values computed on
 * 2026-11-21 with scipy 1.17.1, scikit-learn 1.9.1 and numpy 2.4.6, the call named at each. DeLong’s error and the
 * confidence sequence were computed in numpy straight from the papers’ definitions (all placements; whole-array sums).
 */
import { describe, expect, it } from '@jest/globals';
import {
  contingencyChiSquare, emptyPerformance, extendSequence, fisherExact, ksTest, metricsOf, observeOutcome, sequenceInterval, startSequence,
  twoProportion, wilsonInterval,
} from './index.js';

/** ANSI C’s generator, its upper bits modulo m. BigInt, because the product exceeds 2^53. */
function draws(n: number, m: number, seed: number): number[] {
  let state = BigInt(seed);
  return Array.from({ length: n }, () => {
    state = (1_103_515_245n * state + 12_345n) % 2n ** 31n;
    return Number((state / 65_536n) % BigInt(m));
  });
}

describe('two-sample KS (scipy.stats.ks_2samp; exact up to 10,000 rows)', () => {
  it.each([
    { n: 200, m: 5_000, shift: 6, seed: 1, d: 0.0728, p: 0.24860469128874302 },
    { n: 1_000, m: 1_000, shift: 5, seed: 2, d: 0.067, p: 0.022438659451142425 },
    { n: 300, m: 20_000, shift: 0, seed: 3, d: 0.028716666666666668, p: 0.961788594470855 },
    { n: 50, m: 80, shift: 15, seed: 4, d: 0.2975, p: 0.006699614253690023 },
  ])('$n against $m, shifted by $shift', ({ n, m, shift, seed, d, p }) => {
    const { statistic, pValue } = ksTest(draws(n, 100, seed), draws(m, 100, seed + 100).map((value) => value + shift));
    expect(statistic).toBeCloseTo(d, 12);
    expect(pValue).toBeCloseTo(p, 8);
  });
});

describe('counts (scipy.stats)', () => {
  it.each<{ name: string; a: Record<string, number>; b: Record<string, number>; statistic: number; dof: number; p: number }>([
    { name: 'three large cells', a: { a: 50, b: 30, c: 20 }, b: { a: 40, b: 30, c: 30 }, statistic: 3.111111111111111, dof: 2, p: 0.2110720877910903 },
    { name: 'two cells', a: { a: 240, b: 10 }, b: { a: 160, b: 40 }, statistic: 28.8, dof: 1, p: 8.025111266927582e-8 },
  ])('chi2_contingency without correction: $name', ({ a, b, statistic, dof, p }) => {
    const result = contingencyChiSquare(a, b);
    expect(result.statistic).toBeCloseTo(statistic, 10);
    expect(result.degreesOfFreedom).toBe(dof);
    expect(result.pValue / p).toBeCloseTo(1, 8);
  });
  it.each<{ name: string; a: Record<string, number>; b: Record<string, number>; p: number }>([
    { name: 'a category gone', a: { a: 120 }, b: { a: 80, b: 10 }, p: 0.0001547084705175312 },
    { name: 'a fifth of the window is new, against a large reference', a: { a: 5_000 }, b: { a: 160, new: 40 }, p: 4.452545886847988e-59 },
    { name: 'half a per cent is new, against a larger one', a: { a: 100_000 }, b: { a: 1_990, new: 10 }, p: 8.216799904131726e-18 },
    // The pool {new} by fisher_exact, the others by chi2_contingency (p 0.447): twice the smaller.
    { name: 'three cells, one new and small', a: { a: 2_600, b: 2_400 }, b: { a: 97, b: 100, new: 3 }, p: 2 * 5.607752350862522e-5 },
  ])('small cells take fisher_exact: $name', ({ a, b, p }) => expect(contingencyChiSquare(a, b).pValue / p).toBeCloseTo(1, 8));
  it.each([
    { a: { hits: 15, n: 100 }, b: { hits: 25, n: 100 }, p: 0.07709987174354202 },
    { a: { hits: 120, n: 5_000 }, b: { hits: 40, n: 1_000 }, p: 0.004144996969943099 },
  ])('large counts take the pooled z-test: $a against $b', ({ a, b, p }) => expect(twoProportion(a, b).pValue).toBeCloseTo(p, 12));
  it.each([
    { a: { hits: 0, n: 5_000 }, b: { hits: 3, n: 200 }, p: 5.607752350862522e-5 },
    { a: { hits: 2, n: 5_000 }, b: { hits: 1, n: 200 }, p: 0.11102416310209622 },
    { a: { hits: 1, n: 40 }, b: { hits: 6, n: 50 }, p: 0.12662661010712195 },
    { a: { hits: 39, n: 40 }, b: { hits: 44, n: 50 }, p: 0.12662661010712195 },
  ])('small counts take fisher_exact: $a against $b', ({ a, b, p }) => {
    expect(twoProportion(a, b).pValue / p).toBeCloseTo(1, 9);
    expect(twoProportion(b, a).pValue / p).toBeCloseTo(1, 9);
  });
  it('fisher_exact agrees where counts are large, too', () => expect(fisherExact({ hits: 120, n: 5_000 }, { hits: 40, n: 1_000 }) / 0.006817550201894149).toBeCloseTo(1, 9));
  it.each([
    { hits: 8, n: 10, confidence: 0.95, low: 0.4901624715366418, high: 0.9433178485456248 },
    { hits: 0, n: 20, confidence: 0.95, low: 0, high: 0.16112515805281935 },
    { hits: 500, n: 1_000, confidence: 0.99, low: 0.45940700521208483, high: 0.5405929947879151 },
    { hits: 1, n: 1_000, confidence: 0.9, low: 0.00022312384391207085, high: 0.00446972290936893 },
  ])('binomtest.proportion_ci wilson: $hits of $n at $confidence', ({ hits, n, confidence, low, high }) => {
    const interval = wilsonInterval(hits, n, confidence);
    expect(interval.low).toBeCloseTo(low, 12);
    expect(interval.high).toBeCloseTo(high, 12);
  });
});

describe('performance (sklearn.metrics)', () => {
  it('of 400 scores, 185 of them positive: roc_auc_score, DeLong, log_loss, brier_score_loss, accuracy_score', () => {
    // Scores in the middle of the 1,000 bins, so that binning loses nothing.
    const scores = draws(400, 1_000, 7).map((draw) => ((draw * 7 + 3) % 1_000) / 1_000 + 0.0005);
    const labels = draws(400, 1_000, 8).map((draw, index) => draw / 1_000 < (scores[index] ?? 0));
    const sums = emptyPerformance('binary');
    scores.forEach((probability, index) => observeOutcome(sums, { probability }, labels[index] === true));
    const metric = (name: string) => metricsOf(sums).find((entry) => entry.name === name);
    const halfWidth = 1.959963984540054;
    expect(metric('auc')?.value).toBeCloseTo(0.8411942174732873, 12);
    expect(metric('auc')?.low).toBeCloseTo(0.8411942174732873 - halfWidth * 0.019193276608445428, 10);
    expect(metric('log-loss')?.value).toBeCloseTo(0.4883024473707881, 9);
    expect(metric('log-loss')?.high).toBeCloseTo(0.4883024473707881 + halfWidth * 0.02477343214554992, 9);
    expect(metric('brier')?.value).toBeCloseTo(0.16245694, 9);
    expect(metric('accuracy')?.value).toBeCloseTo(0.7575, 12);
    expect(metric('positive-rate')?.value).toBeCloseTo(185 / 400, 12);
  });
  it('of 300 values: mean_absolute_error, root of mean_squared_error, r2_score, mean of f − t', () => {
    const truths = draws(300, 50, 9);
    const errors = draws(300, 21, 10).map((draw) => draw - 10);
    const sums = emptyPerformance('regression');
    truths.forEach((truth, index) => observeOutcome(sums, { value: truth + (errors[index] ?? 0) }, truth));
    const value = (name: string) => metricsOf(sums).find((entry) => entry.name === name)?.value;
    expect(value('mae')).toBeCloseTo(5.383333333333334, 12);
    expect(value('rmse')).toBeCloseTo(6.234580980306535, 12);
    expect(value('r2')).toBeCloseTo(0.82872710945382, 12);
    expect(value('mean-error')).toBeCloseTo(-0.19, 12);
  });
});

describe('the confidence sequence (numpy, Theorem 2 of the paper)', () => {
  it.each([
    { name: '500 values of 0…1 at α 0.05', values: draws(500, 101, 11).map((draw) => draw / 100), alpha: 0.05, low: 0.43032868337835495, high: 0.540964269340525 },
    { name: '2,000 zeros and ones at α 0.01', values: draws(2_000, 100, 12).map((draw) => (draw < 20 ? 1 : 0)), alpha: 0.01, low: 0.1568095955013247, high: 0.2654221040393473 },
  ])('$name', ({ values, alpha, low, high }) => {
    const sequence = startSequence(alpha);
    for (const value of values) extendSequence(sequence, value);
    expect(sequenceInterval(sequence).low).toBeCloseTo(low, 10);
    expect(sequenceInterval(sequence).high).toBeCloseTo(high, 10);
  });
});
