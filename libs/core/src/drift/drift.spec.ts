/**
 * Goal: windows close when they should, and performance is judged against what was measured when the version was made.
 * Method: hand-made clocks; closed-form performance.
 */
import { describe, expect, it } from '@jest/globals';
import { emptyPerformance, observeOutcome } from '../statistics/index.js';
import { durationMs, isClosed, judgePerformance, watermarkMs, windowStart } from './index.js';

describe('performance of a window', () => {
  const sums = (n: number, errorShare: number) => {
    const all = emptyPerformance('binary');
    for (let index = 0; index < n; index += 1) observeOutcome(all, { probability: 0.9 }, index >= n * errorShare);
    return all;
  };
  const accuracy = { name: 'accuracy', value: 0.9, n: 1_000, low: 0.88, high: 0.92 };
  const rules = [{ metric: 'accuracy', worseByMax: 0.05 }];
  const judge = (n: number, errorShare: number, reference = [accuracy]) => judgePerformance(reference, sums(n, errorShare), rules, { alpha: 0.01, rowsMin: 200 });

  it.each([
    { name: 'as good as before', n: 1_000, errors: 0.1, outcome: 'passed' },
    { name: 'worse within what is tolerated', n: 1_000, errors: 0.14, outcome: 'passed' },
    { name: 'clearly worse', n: 1_000, errors: 0.25, outcome: 'failed' },
    { name: 'worse, but on too few rows to be sure of them', n: 199, errors: 0.9, outcome: 'inconclusive' },
  ])('$name: $outcome', ({ n, errors, outcome }) => expect(judge(n, errors).outcome).toBe(outcome));

  it('is errored when the version has no reference for the metric', () => expect(judge(1_000, 0.1, []).outcome).toBe('errored'));
  it('does not take an interval that was cut off at 1 for certainty', () => {
    // 0.95 ± 0.20 at 95 %, cut off at 1: one standard error is 0.102, so 0.85 is no news at α 0.01.
    const uncertain = { name: 'accuracy', value: 0.95, n: 20, low: 0.75, high: 1 };
    expect(judge(1_000, 0.15, [uncertain]).outcome).toBe('inconclusive');
  });
  it('fails a loss that rises, too', () => {
    const brier = { name: 'brier', value: 0.1, n: 1_000, low: 0.09, high: 0.11 };
    expect(judgePerformance([brier], sums(1_000, 0.4), [{ metric: 'brier', worseByMax: 0.05 }], { alpha: 0.01, rowsMin: 200 }).outcome).toBe('failed');
  });
});

describe('event time', () => {
  it.each([
    { text: 'P7D', ms: 604_800_000 },
    { text: 'P2W', ms: 1_209_600_000 },
    { text: 'PT1H30M', ms: 5_400_000 },
    { text: 'P1DT0.5S', ms: 86_400_500 },
  ])('$text is $ms ms', ({ text, ms }) => expect(durationMs(text)).toBe(ms));
  it.each(['P', 'P1M', 'PT', '7 days', 'P1Y'])('refuses %s', (text) => expect(() => durationMs(text)).toThrow(RangeError));
  it('aligns windows to the epoch, before it too', () => {
    expect(windowStart(1_500, 1_000)).toBe(1_000);
    expect(windowStart(-1, 1_000)).toBe(-1_000);
  });
  it.each([
    { name: 'the slowest partition holds the clock', clocks: [{ maxEventTimeMs: 100, idle: false }, { maxEventTimeMs: 40, idle: false }], mark: 30 },
    { name: 'an idle one does not', clocks: [{ maxEventTimeMs: 100, idle: false }, { maxEventTimeMs: 40, idle: true }], mark: 90 },
    { name: 'one that never spoke does not', clocks: [{ maxEventTimeMs: 100, idle: false }, { maxEventTimeMs: null, idle: false }], mark: 90 },
    { name: 'when all are idle the furthest counts', clocks: [{ maxEventTimeMs: 100, idle: true }, { maxEventTimeMs: 40, idle: true }], mark: 90 },
    { name: 'nothing seen, no clock', clocks: [{ maxEventTimeMs: null, idle: false }], mark: null },
  ])('$name', ({ clocks, mark }) => expect(watermarkMs(clocks, 10)).toBe(mark));
  it('closes a window when the watermark reaches its end, not a millisecond earlier', () => {
    expect(isClosed(0, 1_000, 999)).toBe(false);
    expect(isClosed(0, 1_000, 1_000)).toBe(true);
    expect(isClosed(0, 1_000, null)).toBe(false);
  });
});
