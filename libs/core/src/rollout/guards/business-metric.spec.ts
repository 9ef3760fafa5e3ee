// Goal: a candidate that costs the team more of its own number than is tolerated is taken back, with the figures in the verdict;
//   one within the limit stays; what is clipped or missing is counted; and the guard shares alpha with the others.
// Method: plans of parsed specs and seeded outcomes with known means; rates over thousands of roll-outs are the study `guards`.
import { describe, expect, it } from '@jest/globals';
import { parseModelSpec } from '@millrace/contracts';
import { seeded } from '@millrace/testing';
import { decideRollout, rolloutPlanOf, startRollout, type ArmLoss, type RolloutPlan, type RolloutState, type RolloutStep } from '../index.js';

const plan = (business: object, rollout: object = {}): RolloutPlan => {
  const spec = parseModelSpec({
    apiVersion: 'millrace/v1', kind: 'Model', metadata: { name: 'm' },
    spec: {
      task: 'binary', stream: 's', features: [{ name: 'x', type: 'number' }], label: { field: 'y', positive: true }, trainer: { name: 'tabular', algorithm: 'lightgbm' },
      rollout: { steps: [{ type: 'shadow', rowsMin: 10 }, { type: 'ab', rowsMin: 100_000, duration: 'P90D' }], futilityBeta: 0, guards: { business: { field: 'revenue', lowest: 0, highest: 100, ...business } }, ...rollout },
    },
  });
  return rolloutPlanOf({ revision: 1, sha256: 'c'.repeat(64), spec });
};

type Revenue = (arm: 'champion' | 'candidate', chance: () => number) => number | undefined;

/** Past shadow, then outcomes 50/50 with the same loss in both arms, until the end. */
function run({ policy }: RolloutPlan, revenue: Revenue, rows: number, seed = 3): { state: RolloutState; steps: RolloutStep[]; rows: number } {
  const chance = seeded(seed);
  let { state } = decideRollout(startRollout(policy), { type: 'command', command: 'advance', by: 'a', reason: 'a spec' }, policy);
  const steps: RolloutStep[] = [];
  for (let row = 1; row <= rows; row += 1) {
    const arm = chance() < 0.5 ? 'candidate' : 'champion';
    const told = revenue(arm, chance);
    const outcome: ArmLoss = { arm, loss: chance() < 0.1 ? 1 : 0, ...(told === undefined ? {} : { measures: { revenue: told } }) };
    const decision = decideRollout(state, { type: 'outcomes', streamTimeMs: row * 1_000, pairs: [], arms: [outcome] }, policy);
    state = decision.state;
    steps.push(...decision.steps);
    if (state.phase === 'rolled-back') return { state, steps, rows: row };
  }
  return { state, steps, rows };
}

/** Sales of 40 with probability p. */
const sales = (champion: number, candidate: number): Revenue => (arm, chance) => (chance() < (arm === 'candidate' ? candidate : champion) ? 40 : 0);

describe('the guard on a business metric', () => {
  it('takes back a candidate whose mean is lower, while its losses are the champion’s', () => {
    const ended = run(plan({ marginRelative: 0.05 }), sales(0.3, 0.2), 20_000);
    const last = ended.steps.at(-1);
    expect(last).toMatchObject({ to: 'rolled-back', verdict: 'worse', evidence: { guard: 'business', high: null } });
    expect(last?.reason).toMatch(/^revenue: mean [\d.]+ of [\d,]+, the champion’s [\d.]+ of [\d,]+: at least [\d.]+ beyond what is tolerated, tolerated 5 % of the champion’s mean less$/u);
    // By hand: means 8 and 12, tolerated 0.6 of 12.
    expect(last?.evidence.mean).toBeGreaterThan(-6);
    expect(last?.evidence.mean).toBeLessThan(-2.5);
    expect(ended.rows).toBeLessThan(4_000);
  });

  it('knows which direction is better', () => {
    expect(run(plan({ direction: 'lower-is-better', margin: 1 }), sales(0.2, 0.3), 20_000).state.phase).toBe('rolled-back');
    expect(run(plan({ direction: 'lower-is-better', margin: 1 }), sales(0.3, 0.2), 5_000).state.phase).not.toBe('rolled-back');
  });

  it.each([['a part of the mean', { marginRelative: 0.5 }], ['its unit', { margin: 6 }]])('lets stay what is tolerated in %s', (_how, margin) => {
    // 8 is more than half of 12, and less than 6 below it.
    expect(run(plan(margin), sales(0.3, 0.2), 10_000).state.phase).not.toBe('rolled-back');
  });

  it('clips and counts what lies outside, and counts what is missing as the spec says', () => {
    const odd: Revenue = (arm, chance) => (chance() < 0.01 ? 1e9 : chance() < 0.5 ? undefined : arm === 'candidate' ? 5 : 40);
    const left = run(plan({}), odd, 5_000).steps.at(-1);
    expect(left?.reason).toMatch(/\(\d+ clipped, \d+ without it\)/u);
    const counted = run(plan({ whenMissing: 0 }), odd, 5_000).steps.at(-1);
    expect(counted?.reason).toMatch(/\d+ without it counted as 0\)/u);
    // Half of 40 and of 5, and a hundredth of 100: 20.8 and 3.5, as far as noise lets it.
    expect(counted?.evidence.mean).toBeLessThan(-12);
    expect(left?.evidence.mean).toBeLessThan(-30);
  });

  it('shares alpha with the other guards, evenly, and over the steps', () => {
    const { policy, guards } = plan({});
    expect(policy.business?.alpha).toBeCloseTo((0.05 * 0.2) / 3 / 2, 12);
    expect(guards).toMatchObject({ others: 1 });
    const alone = plan({}, { guards: { errorRate: { enabled: false }, latencyMsP99: { enabled: false }, business: { field: 'revenue', lowest: 0, highest: 1 } } });
    expect(alone.policy.business?.alpha).toBeCloseTo((0.05 * 0.2) / 2, 12);
    expect(alone.policy.steps[0]?.alpha).toBeCloseTo((0.05 * 0.8) / 2, 12);
  });

  it('is refused by the spec where it makes no sense', () => {
    for (const wrong of [{ lowest: 5, highest: 5 }, { margin: 1, marginRelative: 0.1 }, { lowest: -1, marginRelative: 0.1 }, { whenMissing: 101 }]) expect(() => plan(wrong)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }));
  });
});
