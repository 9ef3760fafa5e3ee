// Goal: a window's outcomes are judged on metrics, promised probabilities, groups and early labels, and say why.
// Method: windows of seeded outcomes whose truth is known; every finding is seen passing and failing. Coverage and false alarms
//   are simulated by `npm run calibrate -- --study performance-watch`.
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { metricsOf } from '../statistics/index.js';
import { calibrationOf, earlyLabels, emptyOutcomes, estimateWindow, historyOfCounts, isWrong, judgeOutcomes, mergeOutcomes, observeOutcomeState, observeScore, validationErrors, windowGap, type LabelsKnown, type ObservedOutcome, type OutcomePolicy, type OutcomeState, type ScoreCounts } from './index.js';

const hour = 3_600_000;
const day = 24 * hour;

interface World {
  readonly flipped?: number;
  /** Selected more often, by this much of the score. */
  readonly favoured?: number;
  /** Every score by this factor: fewer are selected. */
  readonly shy?: number;
  readonly delayHours?: (late: boolean, random: () => number) => number;
}

/** Scores are uniform and right (late with probability `score`), group b is a third of all. */
function outcomes(count: number, seed: number, { flipped = 0, favoured = 0, shy = 1, delayHours = () => 1 }: World = {}): ObservedOutcome[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const [truth, group] = [random(), random() < 1 / 3 ? 'b' : 'a'];
    const late = random() < truth !== random() < flipped;
    const probability = Math.min(1, shy * truth + (group === 'b' ? favoured : 0));
    const predictedAtMs = Math.floor(random() * day);
    return { said: { probability, label: probability >= 0.5 }, label: late, predictedAtMs, labelledAtMs: predictedAtMs + delayHours(late, random) * hour, groups: { carrier: group }, cohortMs: 0 };
  });
}

function stateOf(rows: readonly ObservedOutcome[]): OutcomeState {
  const state = emptyOutcomes('binary');
  for (const row of rows) observeOutcomeState(state, row);
  return state;
}

const validation = stateOf(outcomes(5_000, 1));
const reference = { metrics: metricsOf(validation.performance), calibration: calibrationOf(validation.performance) };
const policy: OutcomePolicy = { alpha: 0.01, rowsMin: 200, rules: [{ metric: 'auc', worseByMax: 0.05 }], gapMax: 0.05, fairness: [{ by: 'carrier', metrics: ['selection-rate', 'equalised-odds'], differenceMax: 0.1, rowsMin: 30 }] };
const old: LabelsKnown = { matured: {}, modelSinceMs: -100 * day, versionSinceMs: -100 * day, maximumDelayMs: 7 * day };
const judge = (state: OutcomeState, labels = old): ReturnType<typeof judgeOutcomes> => judgeOutcomes(reference, state, policy, { window: { fromMs: 0, toMs: day }, labels, uniform: seeded(4) });
const outcomeBy = (verdict: ReturnType<typeof judgeOutcomes>): Record<string, string> => Object.fromEntries(verdict.findings.map(({ subject, outcome }) => [subject, outcome]));

describe('judging the outcomes of a window', () => {
  it('passes what is as it was', () => {
    const verdict = judge(stateOf(outcomes(6_000, 2)));
    expect(outcomeBy(verdict)).toEqual({ auc: 'passed', 'estimation-gap': 'passed', 'selection-rate by carrier': 'passed', 'true-positive-rate by carrier': 'passed', 'false-positive-rate by carrier': 'passed' });
    expect(verdict.outcome).toBe('passed');
  });
  it('finds that probabilities promise too much', () => {
    // A fifth of the labels flipped: errors of 1/4 become 1/4·0.8 + 3/4·0.2 = 0.35.
    const gap = judge(stateOf(outcomes(6_000, 2, { flipped: 0.2 }))).findings.find(({ subject }) => subject === 'estimation-gap');
    expect(gap?.outcome).toBe('failed');
    expect(gap?.statistic).toBeCloseTo(0.1, 1);
    expect(gap?.reason).toMatch(/of the answers were wrong where their probabilities promised .* what the scores mean has changed$/);
  });
  it('finds a group that is favoured', () => {
    const verdict = judge(stateOf(outcomes(6_000, 2, { favoured: 0.3 })));
    const finding = verdict.findings.find(({ subject }) => subject === 'selection-rate by carrier');
    // Selected from 0.5 on: a half of group a, and 0.8 of group b.
    expect(finding).toMatchObject({ outcome: 'failed', threshold: 0.1 });
    expect(finding?.statistic).toBeCloseTo(0.3, 1);
    expect(verdict.outcome).toBe('failed');
  });
  it('does not judge groups that are too small', () => {
    expect(outcomeBy(judge(stateOf(outcomes(60, 2))))['selection-rate by carrier']).toBe('inconclusive');
  });
  it('says that a young model has quick labels only', () => {
    const [auc] = judge(stateOf(outcomes(6_000, 2)), { ...old, modelSinceMs: 0 }).findings;
    expect(auc?.reason).toContain('labels may come 7.0 days late and this model has answered for 1.0 days only');
  });
  it('is inconclusive instead of passed where early labels mislead, and not where they do not', () => {
    const slow = (late: boolean, random: () => number): number => (late ? 48 : 6) * random();
    const shy = { shy: 0.6, delayHours: slow };
    const matured = stateOf(outcomes(20_000, 5, shy)).delays;
    const all = outcomes(12_000, 6, shy);
    // The version answers since the window began: of late flights a quarter has come when it ends, of the others most.
    const young = judge(stateOf(all.filter(({ labelledAtMs }) => labelledAtMs < day)), { ...old, matured, versionSinceMs: 0 });
    const labels = young.findings.find(({ subject }) => subject === 'labels');
    expect(labels?.outcome).toBe('inconclusive');
    expect(labels?.reason).toMatch(/^the early labels mislead: .* of “false”, .* of “true” could have come/);
    expect(young.outcome).not.toBe('passed');
    const final = all.filter(({ said, label }) => said.label !== label).length / all.length;
    expect(Math.abs((labels?.statistic ?? 0) - final)).toBeLessThan(0.03);
    expect(Math.abs((labels?.reference ?? 0) - final)).toBeGreaterThan(0.1);
    const mature = judge(stateOf(outcomes(6_000, 2, { delayHours: slow })), { ...old, matured });
    expect(outcomeBy(mature)['labels']).toBe('passed');
    expect(mature.outcome).toBe('passed');
  });
  it('adds up in any order and any parts', () => {
    const rows = outcomes(900, 7, { favoured: 0.1, delayHours: (late) => (late ? 30 : 3) });
    const parts = [rows.slice(0, 200), rows.slice(200, 500), rows.slice(500)].map(stateOf);
    const [a, b, c] = parts as [OutcomeState, OutcomeState, OutcomeState];
    const whole = stateOf(rows);
    for (const merged of [mergeOutcomes(mergeOutcomes(c, a), b), mergeOutcomes(a, mergeOutcomes(b, c))]) {
      expect({ ...merged, performance: { ...merged.performance, loss: 0, lossSquares: 0, logLoss: 0, logLossSquares: 0 } })
        .toEqual({ ...whole, performance: { ...whole.performance, loss: 0, lossSquares: 0, logLoss: 0, logLossSquares: 0 } });
      expect(merged.performance.loss).toBeCloseTo(whole.performance.loss, 9);
    }
  });
});

describe('early labels', () => {
  const matured = { no: { n: 1_000, wrong: 0, delays: { '20': 1_000 } }, yes: { n: 1_000, wrong: 0, delays: { '80': 1_000 } } };
  it('are weighted by the class’s pace', () => {
    // Bin 20 is half a minute, bin 80 is 25 days: after a day hardly any “yes” could have come.
    const early = earlyLabels({ no: { n: 500, wrong: 0, delays: {} }, yes: { n: 5, wrong: 5, delays: {} } }, historyOfCounts(matured), { fromMs: 0, toMs: day }, 0);
    expect(early?.misleading).toBe(true);
    expect(early?.corrected).toBeGreaterThan(early?.raw ?? 1);
  });
  it('are unknown without a history', () => expect(earlyLabels({ no: { n: 5, wrong: 0, delays: {} } }, historyOfCounts({}), { fromMs: 0, toMs: day }, 0)).toBeNull());
});

describe('estimates of a window without labels', () => {
  const calibration = reference.calibration ?? { positives: [], negatives: [] };
  const scoresOf = (rows: readonly ObservedOutcome[]): ScoreCounts => {
    const scores: ScoreCounts = {};
    for (const { said } of rows) observeScore(scores, said.probability ?? 0);
    return scores;
  };
  it('hold what labels show later', () => {
    const rows = outcomes(3_000, 11);
    const realised = metricsOf(stateOf(rows).performance);
    const estimates = estimateWindow(calibration, scoresOf(rows), seeded(1));
    expect(estimates.map(({ name }) => name)).toEqual(['accuracy', 'auc', 'positive-rate']);
    for (const { name, low, high } of estimates) {
      const value = realised.find((metric) => metric.name === name)?.value ?? NaN;
      expect(value).toBeGreaterThan(low);
      expect(value).toBeLessThan(high);
    }
  });
  it('are the same for the same seed, and nothing for nothing', () => {
    const scores = scoresOf(outcomes(500, 11));
    expect(estimateWindow(calibration, scores, seeded(1))).toEqual(estimateWindow(calibration, scores, seeded(1)));
    expect(estimateWindow(calibration, {}, seeded(1))).toEqual([]);
    expect(estimateWindow({ positives: [], negatives: [] }, scores, seeded(1))).toEqual([]);
    expect(windowGap(calibration, { positives: [], negatives: [] }, seeded(1))).toBeNull();
  });
});

describe('a wrong answer', () => {
  it.each([
    ['binary', { probability: 0.7 }, false, null, true],
    ['binary', { probability: 0.7, label: false }, false, null, false],
    ['binary', {}, false, null, null],
    ['multiclass', { label: 'low' }, 'high', null, true],
    ['regression', { value: 3 }, 5, 1, true],
    ['regression', { value: 3 }, 5, 2, false],
    ['regression', { value: 3 }, 5, null, null],
  ] as const)('%s %j for %p, tolerance %p: %p', (task, said, label, tolerance, wrong) => expect(isWrong(task, said, label, tolerance)).toBe(wrong));
  it('of a regression is off by more than four of five', () => {
    const rows = Array.from({ length: 10 }, (_, error) => ({ said: { value: error }, label: 0 }));
    expect(validationErrors('regression', rows, null)).toEqual({ wrong: 1, rows: 10, tolerance: 8 });
    expect(validationErrors('regression', rows, 4)).toEqual({ wrong: 5, rows: 10, tolerance: 4 });
    expect(validationErrors('binary', [], null)).toBeNull();
  });
});
