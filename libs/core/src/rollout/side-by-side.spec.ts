/**
 * Goal: several candidates at once keep their units apart whoever comes and goes, pay for their number once, are compared
 * with the champion alone, and the best of those that have passed is promoted, not the first.
 * Method: places and plans against values by hand; the sticky split over random schedules of candidates; evidence against the
 * definition of the weighed outcome at the share among champion and candidate.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planRoute } from '../inference/index.js';
import { decideRollout } from './decide-rollout.js';
import { judgeStep } from './judge-step.js';
import { chooseCandidate, freePlace, type Place } from './side-by-side.js';
import { routeOf, startRollout, type RolloutState } from './rollout-state.js';
import { splitOf } from './step-evidence.js';
import { policyOf } from './rollouts.fixture.js';

const section = { candidatesMax: 3, steps: [{ type: 'shadow', rowsMin: 20 }, { type: 'linear', from: 0.1, by: 0.1, rowsMin: 20 }] };
const three = policyOf(section);
const one = policyOf({ ...section, candidatesMax: 1 });

describe('the plan of one of several candidates', () => {
  it('has its part of the error, of the exposure and of the units; that of a single one says nothing of others', () => {
    const [shared, alone] = [policyOf({ ...section, exposureMax: 'P3D' }), policyOf({ ...section, candidatesMax: 1, exposureMax: 'P3D' })];
    expect(shared).toMatchObject({ candidates: 3, alpha: 0.05 / 3, exposureMaxMs: 86_400_000 });
    expect(shared.steps.map(({ alpha }) => alpha)).toEqual(alone.steps.map(({ alpha }) => expect.closeTo(alpha / 3, 12)));
    expect(shared.steps.at(-1)?.ramp?.to).toBe(0.25);
    expect(alone).toMatchObject({ alpha: 0.05, exposureMaxMs: 3 * 86_400_000 });
    expect(alone).not.toHaveProperty('candidates');
  });
  it('caps the shares of a named strategy', () => expect(policyOf({ candidatesMax: 3 }).steps.map(({ share }) => share)).toEqual([0, 0.1, 0.25]));
  it.each([
    { steps: [{ type: 'bandit' }], path: '/spec/rollout/steps/0/type' },
    { steps: [{ type: 'blue-green' }], path: '/spec/rollout/steps/0/type' },
    { steps: [{ type: 'ab', share: 0.3 }], path: '/spec/rollout/steps/0/share' },
  ])('refuses what needs more room: $path', ({ steps, path }) => expect(() => policyOf({ candidatesMax: 3, steps })).toThrow(path));
});

describe('places', () => {
  it('are side by side, are filled again, and end with the champion’s', () => {
    const at = (from: number): Place => ({ policy: three, from });
    expect(freePlace(three, [])).toBe(0);
    expect(freePlace(three, [at(0)])).toBe(0.25);
    expect(freePlace(three, [at(0), at(0.5)])).toBe(0.25);
    expect(freePlace(three, [at(0), at(0.25)])).toBe(0.5);
    expect(freePlace(three, [at(0), at(0.25), at(0.5)])).toBeNull();
  });
  it('are not beside one that was planned to be alone', () => {
    expect(freePlace(three, [{ policy: one, from: 0 }])).toBeNull();
    expect(freePlace(one, [{ policy: three, from: 0 }])).toBeNull();
  });
  it('never move a unit from one candidate to another, nor back from one to the champion while it is tried', () => {
    const moves = fc.array(fc.oneof(fc.constant('come' as const), fc.nat(2).map((index) => ({ go: index })), fc.nat(2).map((index) => ({ grow: index }))), { maxLength: 30 });
    const units = Array.from({ length: 200 }, (_, index) => `u-${index}`);
    fc.assert(fc.property(moves, (schedule) => {
      let number = 0;
      let tried: { name: string; from: number; share: number; mirror: boolean }[] = [];
      let before = new Map<string, string>();
      for (const move of schedule) {
        if (move === 'come') {
          const from = freePlace(three, tried.map((each) => ({ policy: three, from: each.from })));
          if (from !== null) tried = [...tried, { name: `c${(number += 1)}`, from, share: 0.1, mirror: false }];
        } else if ('go' in move) tried = tried.filter((_, index) => index !== move.go);
        else tried = tried.map((each, index) => (index === move.grow ? { ...each, share: Math.min(0.25, each.share + 0.1) } : each));
        const [candidate = null, ...beside] = tried;
        const now = new Map(units.map((unit) => [unit, planRoute({ salt: 's', champion: { name: 'champion' }, candidate, beside }, unit).primary.name]));
        for (const [unit, name] of before) if (name !== 'champion' && tried.some((each) => each.name === name) && now.get(unit) !== name) return false;
        before = now;
      }
      return true;
    }));
  });
});

/** Puts it into its second step by hand. */
function inLinear(others: number): RolloutState {
  const { state } = decideRollout(startRollout(three, others), { type: 'command', command: 'advance', by: 'spec', reason: 'r' }, three);
  return state;
}

describe('evidence beside other candidates', () => {
  it('weighs each outcome by the share among champion and candidate, before and after another came', () => {
    const alone = inLinear(0);
    const beside = decideRollout(alone, { type: 'beside', cause: 'shares', others: 0.5, routeRevision: 8, reason: 'another came' }, three);
    expect(beside.steps).toMatchObject([{ from: 'linear', to: 'linear', reason: expect.stringMatching(/^another came; /) }]);
    const legs = beside.state.evidence?.legs ?? [];
    expect(legs).toEqual([{ revision: 7, share: 0.1 }, { revision: 8, share: 0.1, others: 0.5 }]);
    expect(legs.map(splitOf)).toEqual([0.1, expect.closeTo(0.2, 12)]);
    const told = (leg: number) => decideRollout(beside.state, { type: 'outcomes', streamTimeMs: 1, pairs: [], arms: [{ arm: 'candidate', loss: 1, leg }] }, three).state.evidence?.difference.sum;
    // Without an outcome both means are 0.5, so the baseline is too.
    expect(told(0)).toBeCloseTo(0.5 / 0.1, 9);
    expect(told(1)).toBeCloseTo(0.5 / 0.2, 9);
  });
  it('keeps what others answer when its own share grows or its step ends', () => {
    expect(inLinear(0.4).evidence?.legs).toEqual([{ revision: null, share: 0.1, others: 0.4 }]);
    expect(routeOf(inLinear(0.4), three)).toMatchObject({ share: 0.1 });
  });
  it('names the number of candidates that its errors are corrected for', () => {
    const { evidence } = decideRollout(startRollout(three), { type: 'outcomes', streamTimeMs: 1, pairs: Array.from({ length: 400 }, () => ({ candidate: 0, champion: 0.5 })), arms: [] }, { ...three, steps: three.steps.map((step) => ({ ...step, soakMs: 1e12, durationMs: 1e13 })) }).state;
    if (evidence === null) throw new Error('the step is under way');
    expect(judgeStep(evidence, three)).toMatchObject({ verdict: 'better', evidence: { candidates: 3 }, reason: expect.stringMatching(/, corrected for 3 candidates at once\)$/) });
  });
});

describe('who is promoted', () => {
  const ab = policyOf({ candidatesMax: 3, steps: [{ type: 'ab', rowsMin: 50, lossMargin: 0.2 }] });
  /** A candidate with so many outcomes of each arm, all with the losses given. */
  function after(rows: number, candidate: number, champion = 0.4): RolloutState {
    const arms = Array.from({ length: rows }, () => [{ arm: 'candidate' as const, loss: candidate }, ...Array.from({ length: 3 }, () => ({ arm: 'champion' as const, loss: champion }))]).flat();
    return decideRollout(startRollout(ab), { type: 'outcomes', streamTimeMs: 1, pairs: [], arms }, ab).state;
  }
  const contender = (version: string, state: RolloutState) => ({ version, state, policy: ab });
  const good = contender('good', after(400, 0.3));
  const best = contender('best', after(400, 0.1));
  const young = contender('young', after(10, 0));

  it('a passed candidate waits for its neighbours instead of being promoted', () => expect(good.state).toMatchObject({ phase: 'ab', held: 'chosen-next' }));
  it('the one with the smaller loss, of two that have passed', () => expect(chooseCandidate([good, best])).toMatchObject({ chosen: best, reason: expect.stringMatching(/^chosen: it leads: mean difference -0\.\d+, beside it version good -0\.\d+ \(ab\)$/) }));
  it('nobody while one that leads still gathers, or has not yet the outcomes that the last step needs', () => {
    const leading = contender('leading', { ...best.state, held: null });
    expect(chooseCandidate([good, leading])).toBeNull();
    expect(chooseCandidate([good, contender('waiting', { ...leading.state, held: 'timeout' })])).toMatchObject({ chosen: good });
    expect(chooseCandidate([good, young])).toBeNull();
    const earlier = { ...ab, steps: [...ab.steps, ...ab.steps] };
    expect(chooseCandidate([good, { ...young, policy: earlier }])).toMatchObject({ chosen: good });
    expect(chooseCandidate([good, { ...leading, policy: earlier }])).toBeNull();
    expect(chooseCandidate([young])).toBeNull();
  });
  it('then the chosen one answers everything, and the others end as superseded', () => {
    const event = { type: 'beside', others: 0, routeRevision: 3, reason: 'r' } as const;
    expect(decideRollout(best.state, { ...event, cause: 'chosen' }, ab).state.phase).toBe('full');
    expect(decideRollout(young.state, { ...event, cause: 'chosen' }, ab).state.phase).toBe('ab');
    expect(decideRollout(good.state, { ...event, cause: 'superseded' }, ab).state).toMatchObject({ phase: 'superseded', held: null, evidence: null });
  });
  it('one that has passed and turns out to do harm is taken back while it waits', () => {
    const arms = Array.from({ length: 3_000 }, () => [{ arm: 'candidate' as const, loss: 1 }, ...Array.from({ length: 3 }, () => ({ arm: 'champion' as const, loss: 0 }))]).flat();
    expect(decideRollout(good.state, { type: 'outcomes', streamTimeMs: 2, pairs: [], arms }, ab).state.phase).toBe('rolled-back');
  });
});
