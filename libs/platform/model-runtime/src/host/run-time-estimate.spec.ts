// Goal: the estimate is the straight line that runs lie on, and never promises a time below nothing.
// Method: runs on a known line; runs of one size; a change of speed.
import { describe, expect, it } from '@jest/globals';
import { RunTimeEstimate } from './run-time-estimate.js';

const after = (...runs: readonly (readonly [number, number])[]): RunTimeEstimate => {
  const estimate = new RunTimeEstimate();
  for (const [rows, ms] of runs) estimate.add(rows, ms);
  return estimate;
};

describe('RunTimeEstimate', () => {
  it('knows nothing before the first run', () => {
    expect([after().runMs(100), after().waitMs(100, 10), after().usefulRows]).toEqual([0, 0, Infinity]);
  });

  it('finds fixed and per-row cost: 2 ms + 0.5 ms a row', () => {
    const estimate = after([1, 2.5], [10, 7], [100, 52], [4, 4]);
    expect(estimate.runMs(20)).toBeCloseTo(12, 9);
    // 50 rows in batches of at most 20: three times the fixed cost.
    expect(estimate.waitMs(50, 20)).toBeCloseTo(3 * 2 + 25, 9);
    // The fixed 2 ms are 5 % of a run of 40 ms: 80 rows.
    expect(estimate.usefulRows).toBeCloseTo(80, 9);
  });

  it('takes the cost as proportional while all runs have one size', () => {
    expect(after([4, 8], [4, 8]).runMs(10)).toBeCloseTo(20, 9);
  });

  it.each([
    ['larger runs were faster by chance', after([1, 9], [10, 3]), 50],
    ['the line would begin below zero', after([10, 1], [20, 30]), 1],
    ['runs without rows', after([0, 3], [0, 3]), 5],
  ])('stays at or above zero when %s', (_case, estimate, rows) => {
    expect(estimate.runMs(rows)).toBeGreaterThanOrEqual(0);
    expect(estimate.runMs(rows)).toBeLessThan(Infinity);
  });

  it('forgets: twenty runs at a new speed outweigh a hundred at the old one', () => {
    const runs = [...Array<[number, number]>(100).fill([2, 200]), ...Array<[number, number]>(20).fill([2, 2])];
    expect(after(...runs).runMs(2)).toBeLessThan(30);
  });
});
