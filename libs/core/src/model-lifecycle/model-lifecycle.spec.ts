/**
 * Goal: the gate has four answers and waves nobody through; an alias has a history.
 * Method: tables of hand-made evidence around each bound.
 */
import { describe, expect, it } from '@jest/globals';
import { aliasAt, judgeGate, type GatePolicy } from './index.js';

const policy: GatePolicy = { metrics: [{ metric: 'auc', minimum: 0.7 }], slices: [{ by: 'origin', metric: 'auc', minimum: 0.6, rowsMin: 100 }], championLossMargin: 0 };
const metric = (value: number, slice = 'overall', n = 1_000) => ({ name: 'auc', slice, value, n });
const good = [metric(0.75), metric(0.7, 'origin=JFK'), metric(0.65, 'origin=EWR')];
/** Differences with this mean and a standard deviation of 0.1. */
const paired = (mean: number, n = 10_000) => ({ n, sum: mean * n, squares: n * mean * mean + (n - 1) * 0.01 });

describe('the promotion gate', () => {
  it.each([
    { name: 'all well, no champion', metrics: good, paired: null, outcome: 'passed' },
    { name: 'exactly at the threshold', metrics: [metric(0.7), metric(0.6, 'origin=JFK')], paired: null, outcome: 'passed' },
    { name: 'below it overall', metrics: [metric(0.699), metric(0.65, 'origin=JFK')], paired: null, outcome: 'failed' },
    { name: 'below it on one slice', metrics: [...good, metric(0.59, 'origin=LGA')], paired: null, outcome: 'failed' },
    { name: 'a small slice does not count', metrics: [...good, metric(0.1, 'origin=LGA', 99)], paired: null, outcome: 'passed' },
    { name: 'no slice is large enough', metrics: [metric(0.75), metric(0.7, 'origin=JFK', 10)], paired: null, outcome: 'errored' },
    { name: 'the metric was not measured', metrics: [], paired: null, outcome: 'errored' },
    { name: 'not a number', metrics: [metric(Number.NaN), metric(0.7, 'origin=JFK')], paired: null, outcome: 'errored' },
    { name: 'better than the champion', metrics: good, paired: paired(-0.01), outcome: 'passed' },
    { name: 'worse than the champion', metrics: good, paired: paired(0.01), outcome: 'failed' },
    { name: 'nobody can tell', metrics: good, paired: paired(0.0005), outcome: 'inconclusive' },
    { name: 'a loss is no number', metrics: good, paired: { n: 10, sum: Number.NaN, squares: Number.NaN }, outcome: 'errored' },
    { name: 'compared on nothing', metrics: good, paired: { n: 0, sum: 0, squares: 0 }, outcome: 'errored' },
  ])('$name: $outcome', ({ metrics, paired: pairs, outcome }) => expect(judgeGate({ metrics, paired: pairs }, policy).outcome).toBe(outcome));

  it('is no rubber stamp: without thresholds and champion it fails and says so', () => {
    const { outcome, checks } = judgeGate({ metrics: good, paired: null }, { metrics: [], slices: [], championLossMargin: 0 });
    expect(outcome).toBe('failed');
    expect(checks[0]?.reason).toMatch(/nothing to judge by/);
  });
});

describe('an alias', () => {
  const moves = [{ version: '2', movedAt: '2013-05-01T00:00:00Z' }, { version: '1', movedAt: '2013-03-01T00:00:00Z' }, { version: null, movedAt: '2013-06-01T00:00:00Z' }];
  it.each([
    { at: '2013-02-28T23:59:59Z', version: null },
    { at: '2013-03-01T00:00:00Z', version: '1' },
    { at: '2013-04-30T23:59:59Z', version: '1' },
    { at: '2013-05-02T00:00:00+02:00', version: '2' },
    { at: '2013-07-01T00:00:00Z', version: null },
  ])('pointed at $version at $at', ({ at, version }) => expect(aliasAt(moves, at)).toBe(version));
});
