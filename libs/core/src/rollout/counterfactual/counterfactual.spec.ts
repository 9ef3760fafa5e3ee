// Goal: the value of a policy that did not decide is what theory says, its interval is honest, and it is not told when the log cannot tell it.
// Method: sums done by hand; Student's own sleep data for the interval at equal weights (R's t.test); properties that hold for
//   any log (fast-check); logs drawn with seeded chance whose truth is known in closed form. Coverage is held in tools/simulator.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seededUniforms } from '../../statistics/index.js';
import { armDecisions, type ArmDecision } from './arm-decisions.js';
import { counterfactualValue } from './counterfactual-value.js';
import type { LoggedDecision } from './logged-decision.js';
import { overlapLimits, type OverlapRefusal } from './overlap.js';

const anything = { effectiveUnitsMin: 0, meanWeightOff: Infinity, unitsPerSquaredSkew: 0 };
const row = (unit: string, propensity: number, target: number, loss: number, expected: LoggedDecision['expected'] = null): LoggedDecision => ({ unit, propensity, target, loss, expected });

const byHand = [
  row('a', 0.5, 1, 1, { logged: 0.6, target: 0.4 }),
  row('b', 0.25, 0.5, 0, { logged: 0.1, target: 0.3 }),
  row('c', 0.5, 0, 1, { logged: 0.5, target: 0.2 }),
  row('d', 0.8, 0.4, 0.5, { logged: 0.5, target: 0.5 }),
];

describe('the value of another policy', () => {
  it('is the sums done by hand', () => {
    const { selfNormalised, doublyRobust, logged, overlap } = counterfactualValue(byHand, 0.05, anything);
    // Weights 2, 2, 0, 0.5: (2·1 + 0.5·0.5) / 4.5.
    expect(selfNormalised?.value.estimate).toBeCloseTo(0.5, 12);
    // Influences ±1 / 1.125 and twice 0.
    expect(selfNormalised?.value.standardError).toBeCloseTo(Math.sqrt(2 / 1.125 ** 2 / 12), 12);
    // 1.2, 0.1, 0.2, 0.5.
    expect(doublyRobust?.value.estimate).toBeCloseTo(0.5, 12);
    expect(doublyRobust?.value.standardError).toBeCloseTo(Math.sqrt((0.7 ** 2 + 0.4 ** 2 + 0.3 ** 2) / 12), 12);
    expect(logged.estimate).toBeCloseTo(0.625, 12);
    expect(overlap).toMatchObject({ rowsWithWeight: 3, leastPropensity: 0.25, largestShare: 2 / 4.5 });
    expect(overlap.effectiveUnits).toBeCloseTo(4.5 ** 2 / 8.25, 12);
    expect(overlap.meanWeight.value).toBeCloseTo(1.125, 12);
  });

  it('has Student’s interval where all weights are the same', () => {
    const sleep = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
    const { selfNormalised, logged } = counterfactualValue(sleep.map((loss, index) => row(`p${index}`, 1, 1, loss)), 0.05, anything);
    for (const interval of [selfNormalised?.value, logged]) {
      expect(interval?.estimate).toBeCloseTo(0.75, 12);
      expect(interval?.lower).toBeCloseTo(-0.5297804, 6);
      expect(interval?.upper).toBeCloseTo(2.0297804, 6);
    }
    expect(selfNormalised?.change).toMatchObject({ estimate: 0, lower: 0, upper: 0 });
  });

  it('needs no propensities to be right when the model is, and no model when they are', () => {
    const chance = seededUniforms(7);
    const rows = Array.from({ length: 4_000 }, (_, index) => {
      const [propensity, mean] = [0.2 + 0.6 * chance(), chance()];
      const loss = chance() < mean ? 1 : 0;
      return { decision: row(`u${index}`, propensity, 0.5, loss), mean };
    });
    const value = (decisions: readonly LoggedDecision[]) => counterfactualValue(decisions, 0.05, anything).doublyRobust?.value;
    const mean = rows.reduce((sum, each) => sum + each.mean, 0) / rows.length;
    // The loss does not depend on what is done here, so that its mean is the value of any policy.
    const rightModel = value(rows.map(({ decision, mean: expected }) => ({ ...decision, propensity: 0.9, expected: { logged: expected, target: expected } })));
    expect(Math.abs((rightModel?.estimate ?? NaN) - mean)).toBeLessThan(4 * (rightModel?.standardError ?? 0));
    const drawn = Array.from({ length: 4_000 }, (_, index) => {
      const propensity = chance() < 0.3 ? 0.3 : 0.7;
      return row(`v${index}`, propensity, 0.5, propensity === 0.3 ? 1 : 0, { logged: 9, target: -3 + 12 });
    });
    // Actions of propensity 0.3 lose 1, those of 0.7 lose 0; a policy that takes both alike loses a half.
    const rightPropensity = value(drawn);
    expect(Math.abs((rightPropensity?.estimate ?? NaN) - 0.5)).toBeLessThan(4 * (rightPropensity?.standardError ?? 0));
  });

  const decisions = fc.array(
    fc.record({ propensity: fc.double({ min: 0.05, max: 1, noNaN: true }), target: fc.double({ min: 0, max: 1, noNaN: true }), loss: fc.double({ min: -5, max: 5, noNaN: true }), logged: fc.double({ min: -5, max: 5, noNaN: true }), aim: fc.double({ min: -5, max: 5, noNaN: true }) }),
    { minLength: 3, maxLength: 40 },
  ).filter((rows) => rows.some(({ target }) => target > 0.01)).map((rows) => rows.map(({ propensity, target, loss, logged, aim }, index) => row(`u${index}`, propensity, target, loss, { logged, target: aim })));
  const estimates = (rows: readonly LoggedDecision[]): number[] => {
    const { selfNormalised, doublyRobust } = counterfactualValue(rows, 0.05, anything);
    return [selfNormalised, doublyRobust].flatMap((each) => (each === null ? [] : [each.value.estimate, each.value.standardError]));
  };
  const near = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((each, index) => Math.abs(each - (b[index] ?? NaN)) <= 1e-9 * (1 + Math.abs(each)));

  it('counts rows of one unit as one observation, and does not see their order', () => {
    fc.assert(fc.property(decisions, (rows) => {
      const twice = [...rows.toReversed(), ...rows];
      return near(estimates(twice), estimates(rows));
    }));
  });

  it('moves with the losses', () => {
    fc.assert(fc.property(decisions, fc.double({ min: -10, max: 10, noNaN: true }), (rows, more) => {
      const moved = estimates(rows.map((each) => ({ ...each, loss: each.loss + more, expected: each.expected === null ? null : { logged: each.expected.logged + more, target: each.expected.target + more } })));
      return near(moved, estimates(rows).map((each, index) => (index % 2 === 0 ? each + more : each)));
    }));
  });

  it.each([
    ['a propensity of 0', { propensity: 0 }],
    ['a propensity above 1', { propensity: 1.2 }],
    ['a target below 0', { target: -0.1 }],
    ['a loss that is no number', { loss: NaN }],
    ['an expectation that is no number', { expected: { logged: NaN, target: 0 } }],
  ])('is not asked with %s', (_what, change) => {
    expect(() => counterfactualValue([row('a', 0.5, 0.5, 0), { ...row('b', 0.5, 0.5, 0), ...change }])).toThrow(/^row 1: /u);
    expect(() => counterfactualValue([])).toThrow(RangeError);
  });
});

describe('overlap', () => {
  /** A split that gave the candidate `share`, logged as `propensity`; the policy in question always takes the candidate. */
  function split(n: number, share: number, lossAt: (u: number) => number, propensity = share): LoggedDecision[] {
    const chance = seededUniforms(11);
    return Array.from({ length: n }, (_, index) => {
      const isCandidate = chance() < share;
      return row(`u${index}`, isCandidate ? propensity : 1 - propensity, isCandidate ? 1 : 0, lossAt(chance()));
    });
  }
  const tenth = (u: number): number => (u < 0.1 ? 1 : 0);

  it.each<[OverlapRefusal['code'], string, LoggedDecision[]]>([
    ['no-overlap', 'a candidate that never answered', split(5_000, 0.5, tenth).map((each) => ({ ...each, target: 0 }))],
    ['support-missing', 'a candidate that answered only half of the slices it would answer', split(5_000, 0.5, tenth).map((each, index) => (index % 2 === 0 ? each : { ...each, propensity: 1, target: 0 }))],
    ['propensities-wrong', 'a candidate that answered twice as often as was logged', split(5_000, 0.2, tenth, 0.1)],
    ['too-few-effective-units', 'a candidate with 50 answers', split(500, 0.1, tenth)],
    ['too-skewed', 'a loss that one unit of a thousand has', split(3_000, 0.5, (u) => (u < 0.001 ? 1_000 : 0))],
  ])('is refused as %s for %s', (code, _what, decisions) => {
    const { refusal, selfNormalised, doublyRobust } = counterfactualValue(decisions);
    expect([refusal?.code, selfNormalised, doublyRobust]).toEqual([code, null, null]);
    expect(refusal?.reason).toMatch(/\w+ \w+/u);
  });

  it('is good enough for an ordinary split', () => {
    const { refusal, selfNormalised, overlap } = counterfactualValue(split(5_000, 0.1, tenth));
    expect(refusal).toBeNull();
    // 500 answers of the candidate: what its own mean would say.
    expect(overlap.effectiveUnits).toBeGreaterThan(430);
    expect(selfNormalised?.value.standardError).toBeCloseTo(Math.sqrt((0.1 * 0.9) / 500), 2);
    expect(overlapLimits.effectiveUnitsMin).toBe(100);
  });
});

describe('decisions of arms', () => {
  const chance = seededUniforms(3);
  const log: ArmDecision[] = Array.from({ length: 300 }, (_, index) => ({ unit: `u${index % 120}`, arm: chance() < 0.4 ? 'candidate' : 'champion', propensity: 0.5, loss: chance(), slice: index % 3 === 0 ? 'x' : 'y' }));

  it('are weighed by the policy in question', () => {
    const decisions = armDecisions(log, { candidate: 0.25, champion: 0.75 });
    expect(decisions.map(({ target }) => target)).toEqual(log.map(({ arm }) => (arm === 'candidate' ? 0.25 : 0.75)));
    expect(armDecisions(log, { other: 1 }).every(({ target }) => target === 0)).toBe(true);
  });

  it('expect losses from other units only', () => {
    const before = armDecisions(log, { candidate: 1 });
    const changed = armDecisions(log.map((each) => (each.unit === 'u7' ? { ...each, loss: 1e6 } : each)), { candidate: 1 });
    const own = log.flatMap(({ unit }, index) => (unit === 'u7' ? [index] : []));
    expect(own.length).toBeGreaterThan(1);
    for (const index of own) expect(changed[index]?.expected?.logged).toBeCloseTo(before[index]?.expected?.logged ?? NaN, 9);
    expect(changed.some(({ expected }, index) => Math.abs((expected?.target ?? NaN) - (before[index]?.expected?.target ?? NaN)) > 1)).toBe(true);
  });

  it('expect what an arm has lost in a slice', () => {
    const level = (arm: string, slice: string | null): number => (arm === 'candidate' ? 0.1 : 0.3) + (slice === 'x' ? 0.5 : 0);
    const sure = armDecisions(Array.from({ length: 40_000 }, (_, index) => log[index % log.length] ?? log[0]).flatMap((each, index) => (each === undefined ? [] : [{ ...each, unit: `s${index}`, loss: level(each.arm, each.slice) }])), { candidate: 1 });
    sure.forEach(({ expected }, index) => {
      const { arm = '', slice = null } = log[index % log.length] ?? {};
      expect(Math.abs((expected?.logged ?? NaN) - level(arm, slice))).toBeLessThan(0.01);
      expect(Math.abs((expected?.target ?? NaN) - level('candidate', slice))).toBeLessThan(0.01);
    });
  });
});
