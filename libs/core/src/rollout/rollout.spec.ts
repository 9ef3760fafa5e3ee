/**
 * Goal: a good candidate goes shadow → canary → A/B → full, a bad one goes home, an undecided one does not pass, and
 * people can hold, push and stop it; the same events always lead to the same decisions.
 * Method: seeded Bernoulli losses with known means; false verdicts counted over many runs; command tables.
 */
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { decideRollout, freshEvidence, isLive, routeOf, startRollout, type RolloutEvent, type RolloutPolicy, type RolloutState, type RolloutStep } from './index.js';

const day = 86_400_000;
const arm = { rowsMin: 200, lossMargin: 0.05, durationMs: 60 * day };
const policy: RolloutPolicy = { alpha: 0.05, lossBound: 1, shadow: { pairsMin: 300, lossMargin: 0.01, durationMs: 60 * day }, canary: { share: 0.2, ...arm }, ab: { share: 0.5, ...arm } };

/** Feeds outcomes, an hour of stream time per batch of 50, until the roll-out ends or `batches` are used up. */
function drive(candidateLoss: number, championLoss: number, seed: number, batches = 2_000, rules = policy): { state: RolloutState; steps: RolloutStep[] } {
  const chance = seeded(seed);
  const draw = (mean: number): number => (chance() < mean ? 1 : 0);
  let state = startRollout(rules);
  const steps: RolloutStep[] = [];
  for (let batch = 0; batch < batches && isLive(state.phase); batch += 1) {
    const { share } = routeOf(state.phase, rules);
    const event: RolloutEvent = {
      type: 'outcomes',
      streamTimeMs: batch * 3_600_000,
      pairs: state.phase === 'shadow' ? Array.from({ length: 50 }, () => ({ candidate: draw(candidateLoss), champion: draw(championLoss) })) : [],
      arms: state.phase === 'shadow' ? [] : Array.from({ length: 50 }, () => (chance() < share ? { arm: 'candidate' as const, loss: draw(candidateLoss) } : { arm: 'champion' as const, loss: draw(championLoss) })),
    };
    const decision = decideRollout(state, event, rules);
    state = decision.state;
    steps.push(...decision.steps);
  }
  return { state, steps };
}

describe('a roll-out on evidence', () => {
  it('takes a better candidate through every phase', () => {
    const { state, steps } = drive(0.2, 0.3, 1, 2_000, { ...policy, shadow: { ...policy.shadow, lossMargin: 0 } });
    expect(state.phase).toBe('full');
    expect(steps.map(({ from, to }) => `${from}→${to}`)).toEqual(['shadow→canary', 'canary→ab', 'ab→full']);
    expect(steps[0]?.verdict).toBe('better');
    expect(steps.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });
  it('sends a worse one home from shadow', () => {
    const { state, steps } = drive(0.6, 0.3, 2);
    expect(state.phase).toBe('rolled-back');
    expect(steps).toMatchObject([{ from: 'shadow', to: 'rolled-back', verdict: 'worse' }]);
    expect(steps[0]?.evidence.low).toBeGreaterThan(0.01);
  });
  it('does not pass what nobody can tell within the time', () => {
    const { state, steps } = drive(0.3, 0.3, 3, 200, { ...policy, shadow: { ...policy.shadow, lossMargin: 0, durationMs: 5 * day } });
    expect(state.phase).toBe('rolled-back');
    expect(steps[0]?.verdict).toBe('not-enough-evidence');
  });
  it('calls an equal candidate worse in no more than α of the roll-outs, and better in no more, at whatever look', () => {
    const wrong = { worse: 0, better: 0 };
    for (let seed = 0; seed < 120; seed += 1) {
      const { steps } = drive(0.3, 0.3, 1_000 + seed, 60, { ...policy, shadow: { ...policy.shadow, lossMargin: 0 } });
      const verdict = steps[0]?.verdict;
      if (verdict === 'worse' || verdict === 'better') wrong[verdict] += 1;
    }
    // 120 runs at α = 0.05: more than 12 are seen once in 100 such specs even when exactly α is spent.
    expect(Math.max(wrong.worse, wrong.better)).toBeLessThanOrEqual(12);
  });
  it('does not pass an arm whose share of the outcomes cannot be chance', () => {
    const state: RolloutState = { ...startRollout(policy), ...freshEvidence('ab', policy), phase: 'ab' };
    const arms = Array.from({ length: 2_000 }, (_, index) => ({ arm: index % 5 === 0 ? ('candidate' as const) : ('champion' as const), loss: 0 }));
    const decision = decideRollout(state, { type: 'outcomes', streamTimeMs: 0, pairs: [], arms }, policy);
    expect(decision.state.phase).toBe('ab');
    expect(decision.steps).toEqual([]);
  });
  it('calls equal arms worse, or better, in no more than α of the canaries, though every day has another mean', () => {
    const wrong = { full: 0, home: 0 };
    for (let seed = 0; seed < 120; seed += 1) {
      const chance = seeded(5_000 + seed);
      const rules = { ...policy, canary: { ...policy.canary, lossMargin: 0 } };
      let state: RolloutState = { ...startRollout(rules), ...freshEvidence('canary', rules), phase: 'canary' };
      for (let day = 0; day < 20 && state.phase === 'canary'; day += 1) {
        const mean = day % 2 === 0 ? 0.1 : 0.5;
        const arms = Array.from({ length: 100 }, () => ({ arm: chance() < 0.2 ? ('candidate' as const) : ('champion' as const), loss: chance() < mean ? 1 : 0 }));
        state = decideRollout(state, { type: 'outcomes', streamTimeMs: day, pairs: [], arms }, rules).state;
      }
      if (state.phase === 'rolled-back') wrong.home += 1;
      else if (state.phase !== 'canary') wrong.full += 1;
    }
    expect(Math.max(wrong.full, wrong.home)).toBeLessThanOrEqual(12);
  });
  it('decides the same when told the same', () => expect(drive(0.25, 0.3, 9)).toEqual(drive(0.25, 0.3, 9)));
});

describe('a roll-out that an earlier version kept', () => {
  it('goes on in its phase with fresh evidence', () => {
    const { difference: _difference, ratio: _ratio, ...rest } = startRollout(policy);
    const stored: RolloutState = JSON.parse(JSON.stringify({ ...rest, v: 1, phase: 'canary', phaseSinceMs: 5, sequence: 4, difference: { v: 1, alpha: 0.05, n: 900, sum: 450, squares: 9, weights: 9, weighted: 4, penalty: 1 } }));
    const { state } = decideRollout(stored, { type: 'outcomes', streamTimeMs: 6, pairs: [], arms: [{ arm: 'candidate', loss: 1 }] }, policy);
    expect(state).toMatchObject({ v: 2, phase: 'canary', phaseSinceMs: 5, sequence: 4, arms: { candidate: { n: 1, loss: 1 } }, difference: { n: 1 } });
  });
});

describe('a roll-out by hand', () => {
  const command = (name: 'pause' | 'resume' | 'promote' | 'abort' | 'rollback', state = startRollout(policy)) => decideRollout(state, { type: 'command', command: name, by: 'ann', reason: 'because' }, policy);
  it.each([
    { name: 'promote' as const, phase: 'full' },
    { name: 'abort' as const, phase: 'aborted' },
    { name: 'rollback' as const, phase: 'rolled-back' },
  ])('$name leads to $phase', ({ name, phase }) => {
    const { state, steps } = command(name);
    expect(state.phase).toBe(phase);
    expect(steps).toMatchObject([{ verdict: 'by-hand', to: phase, reason: `${name} by ann: because` }]);
  });
  it('pauses, is not moved by good evidence, resumes', () => {
    const paused = command('pause').state;
    const pairs = Array.from({ length: 2_000 }, () => ({ candidate: 0, champion: 1 }));
    const held = decideRollout(paused, { type: 'outcomes', streamTimeMs: 0, pairs, arms: [] }, policy);
    expect(held.state.phase).toBe('shadow');
    const resumed = command('resume', held.state);
    expect(decideRollout(resumed.state, { type: 'outcomes', streamTimeMs: 1, pairs: [], arms: [] }, policy).state.phase).toBe('canary');
  });
  it('goes home even from a pause when it does harm', () => {
    const pairs = Array.from({ length: 2_000 }, () => ({ candidate: 1, champion: 0 }));
    expect(decideRollout(command('pause').state, { type: 'outcomes', streamTimeMs: 0, pairs, arms: [] }, policy).state.phase).toBe('rolled-back');
  });
  it.each([
    { name: 'resume' as const, state: startRollout(policy), refused: /not paused/ },
    { name: 'pause' as const, state: { ...startRollout(policy), paused: true }, refused: /paused already/ },
    { name: 'promote' as const, state: { ...startRollout(policy), phase: 'full' as const }, refused: /has ended: full/ },
  ])('refuses $name where it makes no sense', ({ name, state, refused }) => {
    const decision = command(name, state);
    expect(decision.refused).toMatch(refused);
    expect(decision.state).toBe(state);
  });
});
