import { parseModelSpec } from '@millrace/contracts';
import { seeded } from '@millrace/testing';
import { rolloutPlanOf } from './rollout-plan.js';
import type { RolloutPolicy } from './rollout-policy.js';
import { decideRollout } from './decide-rollout.js';
import { isLive, routeOf, startRollout, type RolloutState } from './rollout-state.js';
import type { RolloutEvent, RolloutStep } from './rollout-step.js';

export const day = 86_400_000;

/** The section `rollout` of a spec as a policy. Without guards unless it names them, so that alpha is the steps’ own. */
export function policyOf(rollout: object): RolloutPolicy {
  const noGuards = { errorRate: { enabled: false }, latencyMsP99: { enabled: false } };
  const spec = parseModelSpec({
    apiVersion: 'millrace/v1', kind: 'Model', metadata: { name: 'm' },
    spec: {
      task: 'binary', stream: 's', features: [{ name: 'x', type: 'number' }, { name: 'carrier', type: 'category' }], label: { field: 'late', positive: true },
      trainer: { name: 'tabular', algorithm: 'lightgbm' }, rollout: { guards: noGuards, ...rollout },
    },
  });
  return rolloutPlanOf({ revision: 1, sha256: 'c'.repeat(64), spec }).policy;
}

export interface Losses {
  readonly candidate: number;
  readonly champion: number;
}

/** Mean losses of both arms for one row of one step. */
export type World = (slice: string, atMs: number) => Losses;
export const flat = (candidate: number, champion: number): World => () => ({ candidate, champion });

/** What the gateway would split and joining would tell: outcomes under the route that the state asks for. */
export function outcomesUnder(state: RolloutState, policy: RolloutPolicy, world: World, rows: number, streamTimeMs: number, chance: () => number): Extract<RolloutEvent, { type: 'outcomes' }> {
  const route = routeOf(state, policy);
  const draw = (mean: number): number => (chance() < mean ? 1 : 0);
  const drawn = Array.from({ length: route === null ? 0 : rows }, () => {
    const carrier = `c${Math.floor(chance() * 10)}`;
    return { groups: { carrier }, losses: world(carrier, streamTimeMs) };
  });
  const paired = route?.mirror === true;
  return {
    type: 'outcomes', streamTimeMs,
    pairs: paired ? drawn.map(({ groups, losses }) => ({ candidate: draw(losses.candidate), champion: draw(losses.champion), groups })) : [],
    arms: paired ? [] : drawn.map(({ groups, losses }) => (chance() < (route?.share ?? 0) ? { arm: 'candidate' as const, loss: draw(losses.candidate), groups } : { arm: 'champion' as const, loss: draw(losses.champion), groups })),
  };
}

/** Feeds an hour of stream time per batch of 50, until the roll-out ends, is held, or `batches` are used up. */
export function drive(policy: RolloutPolicy, world: World, seed: number, batches = 2_000, rows = 50, from = startRollout(policy)): { state: RolloutState; steps: RolloutStep[] } {
  const chance = seeded(seed);
  let state = from;
  const steps: RolloutStep[] = [];
  for (let batch = 0; batch < batches && isLive(state.phase) && state.held === null; batch += 1) {
    const decision = decideRollout(state, outcomesUnder(state, policy, world, rows, (state.streamTimeMs ?? 0) + 3_600_000, chance), policy);
    state = decision.state;
    steps.push(...decision.steps);
  }
  return { state, steps };
}

/** As `drive`, but tells only the moves. */
export const movesOf = (steps: readonly RolloutStep[]): string[] => steps.map(({ from, to }) => `${from} → ${to}`);
