// Goal: performance is estimated, corrected and compared between groups as the sources say, and each answer carries its error.
// Method: isotonic fits of scikit-learn and Newcombe’s published examples (fixtures/isotonic.py); closed forms where the
//   truth is known; coverage is simulated by `npm run calibrate -- --study performance`.
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { seeded } from '@millrace/testing';
import { isotonicAt, isotonicRegression } from '../statistics/index.js';
import { arrivalChance, correctedMean, delayHistoryOf, densityRatio, estimatePerformance, gapOf, groupRate, judgeFairness, metricOfConfusion, observeGap, observeGroup, rateDifference, startGap, type FairnessCounts, type GroupCounts } from './index.js';

interface Vectors {
  readonly isotonic: readonly { x: number[]; y: number[]; weights: number[] | null; at: number[]; fitted: number[] }[];
  readonly newcombe: readonly { k1: number; n1: number; k2: number; n2: number; low: number; high: number }[];
}
const vectors = JSON.parse(readFileSync(new URL('../../fixtures/isotonic.json', import.meta.url), 'utf8')) as Vectors;

describe('isotonic regression', () => {
  it.each(vectors.isotonic)('agrees with scikit-learn on $x.length points', ({ x, y, weights, at, fitted }) => {
    const steps = isotonicRegression(x, y, weights ?? undefined);
    at.forEach((point, index) => expect(isotonicAt(steps, point)).toBeCloseTo(fitted[index] ?? NaN, 12));
  });
  it('of nothing is nowhere', () => expect(isotonicAt(isotonicRegression([], []), 1)).toBeNaN());
  it('refuses lengths that differ', () => expect(() => isotonicRegression([1], [])).toThrow(RangeError));
});

describe('estimated performance', () => {
  const uniform = (): (() => number) => seeded(7);
  it('is exact where each score is its own frequency', () => {
    // Half of the rows score 0.25 and a quarter of them is positive; the others 0.75 and three quarters.
    const scores = Array.from({ length: 400 }, (_, row) => (row < 200 ? 0.25 : 0.75));
    const labels = scores.map((score, row) => (row % 4 < 4 * score ? 1 : 0));
    const [accuracy] = estimatePerformance({ scores, labels }, scores, { uniform: uniform() });
    expect(accuracy?.value).toBeCloseTo(0.75, 12);
    // Binomial spread of 400 labels, widened by that of the 400 it was calibrated on.
    const half = 1.96 * Math.sqrt((2 * 0.75 * 0.25) / 400);
    expect((accuracy?.high ?? 0) - (accuracy?.low ?? 0)).toBeGreaterThan(1.4 * half);
    expect((accuracy?.high ?? 0) - (accuracy?.low ?? 0)).toBeLessThan(2.6 * half);
  });
  it('says nothing of metrics that are not defined', () => {
    const estimates = estimatePerformance({ scores: [0.1, 0.9], labels: [0, 1] }, [0.1, 0.2], { uniform: uniform() });
    expect(estimates.find(({ metric }) => metric === 'precision')).toMatchObject({ value: null, low: null, high: null });
  });
  it('needs labelled rows', () => expect(() => estimatePerformance({ scores: [], labels: [] }, [0.5], { uniform: uniform() })).toThrow(RangeError));
  it.each([['accuracy', 0.8], ['precision', 0.75], ['recall', 0.6], ['f1', 2 / 3], ['specificity', 0.9]] as const)('%s of a confusion matrix', (metric, value) => {
    expect(metricOfConfusion(metric, { truePositives: 6, falsePositives: 2, falseNegatives: 4, trueNegatives: 18 })).toBeCloseTo(value, 12);
  });
});

describe('density ratio', () => {
  it('of two normals one σ apart is exp(x − ½), up to its estimation', () => {
    const random = seeded(3);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const reference = Array.from({ length: 4_000 }, () => [normal()]);
    const { weights, effectiveRows } = densityRatio(reference, Array.from({ length: 4_000 }, () => [1 + normal()]));
    const errors = reference.map(([x = 0], row) => Math.abs((weights[row] ?? 0) - Math.exp(x - 0.5))).sort((a, b) => a - b);
    expect(errors[2_000]).toBeLessThan(0.1);
    // E[w]² / E[w²] = 1/e, and the cap of large ratios can only raise it.
    expect(effectiveRows / 4_000).toBeGreaterThan(0.3);
    expect(effectiveRows / 4_000).toBeLessThan(0.5);
  });
});

describe('gap between realised and expected errors', () => {
  it('stays quiet while the probabilities hold, and speaks when they do not', () => {
    const random = seeded(5);
    const [held, broken] = [startGap(0.01), startGap(0.01)];
    for (let row = 0; row < 3_000; row += 1) {
      observeGap(held, random() < 0.1, 0.1);
      observeGap(broken, random() < 0.25, 0.1);
    }
    expect(gapOf(held).drifted).toBe(false);
    expect(gapOf(broken)).toMatchObject({ drifted: true, n: 3_000 });
  });
});

describe('early labels', () => {
  const history = delayHistoryOf({ no: Array.from({ length: 999 }, (_, index) => index), yes: Array.from({ length: 999 }, (_, index) => 10 * index) });
  it('are expected by the history of their class', () => {
    expect(arrivalChance(history, 'no', 499)).toBeCloseTo(0.5, 2);
    expect(arrivalChance(history, 'yes', 499)).toBeCloseTo(0.05, 2);
    expect(arrivalChance(history, 'unheard of', 1)).toBe(1);
  });
  it('count for those of their class that have not come', () => {
    // 500 of 1,000 “no” (all right) and 50 of 1,000 “yes” (all wrong) have come: half of the final answers are right.
    const outcomes = [...Array.from({ length: 500 }, () => ({ value: 1, label: 'no', ageMs: 499 })), ...Array.from({ length: 50 }, () => ({ value: 0, label: 'yes', ageMs: 499 }))];
    const answer = correctedMean(outcomes, history);
    expect(answer.raw).toBeCloseTo(500 / 550, 12);
    expect(answer.mean).toBeCloseTo(0.5, 2);
    expect(answer.maturity).toBeCloseTo(550 / 2_000, 2);
    expect(answer.tooEarlyFor).toEqual([]);
  });
  it('tells which class is too early to be known', () => {
    expect(correctedMean([{ value: 1, label: 'yes', ageMs: 5 }], history).tooEarlyFor).toEqual(['yes']);
    expect(correctedMean([], history)).toMatchObject({ n: 0, mean: null });
  });
});

describe('fairness', () => {
  const cell = (selected: number, n: number): GroupCounts => ({ n, selected, positives: 0, truePositives: 0, negatives: 0, falsePositives: 0 });
  it.each(vectors.newcombe)('$k1/$n1 − $k2/$n2 has Newcombe’s interval', ({ k1, n1, k2, n2, low, high }) => {
    const difference = rateDifference(groupRate('selection-rate', cell(k1, n1)), groupRate('selection-rate', cell(k2, n2)));
    expect(difference.low).toBeCloseTo(low, 8);
    expect(difference.high).toBeCloseTo(high, 8);
  });
  it('counts what is needed, whatever a group is called', () => {
    const counts: FairnessCounts = {};
    observeGroup(counts, { group: '__proto__', selected: true, positive: true });
    observeGroup(counts, { group: '__proto__', selected: true, positive: false });
    observeGroup(counts, { group: '__proto__', selected: false, positive: null });
    expect(Object.entries(counts)).toEqual([['__proto__', { n: 3, selected: 2, positives: 1, truePositives: 1, negatives: 1, falsePositives: 1 }]]);
  });
  it.each([
    ['failed', { a: cell(500, 1_000), b: cell(300, 1_000) }],
    ['passed', { a: cell(5_000, 10_000), b: cell(4_900, 10_000) }],
    ['inconclusive', { a: cell(50, 100), b: cell(35, 100) }],
    ['inconclusive', { a: cell(500, 1_000), b: cell(1, 10) }],
  ] as const)('%s for %j', (outcome, counts) => {
    expect(judgeFairness(counts, [{ measure: 'selection-rate', differenceMax: 0.1 }], { nMin: 30, alpha: 0.05 })[0]?.outcome).toBe(outcome);
  });
  it('judges equalised odds on both rates', () => {
    const even: GroupCounts = { n: 2_000, selected: 900, positives: 1_000, truePositives: 800, negatives: 1_000, falsePositives: 100 };
    const findings = judgeFairness({ a: even, b: { ...even, truePositives: 500 } }, [{ measure: 'equalised-odds', differenceMax: 0.1 }], { nMin: 30, alpha: 0.05 });
    expect(findings.map(({ measure, outcome }) => [measure, outcome])).toEqual([['true-positive-rate', 'failed'], ['false-positive-rate', 'passed']]);
  });
});
