import type { SpecChanged } from '@millrace/contracts';
import { durationMs } from '../drift/index.js';
import type { Task } from '../statistics/index.js';
import { guardPolicyOf, type GuardPolicy } from './guards/guard-policy.js';
import { currentPolicy, legsMax, type FormerPolicy, type RolloutPolicy } from './rollout-policy.js';
import { stepsOf } from './strategies.js';

/** By what a roll-out is judged. Fixed when it begins: a spec that changes meanwhile applies to the next one. */
export interface RolloutPlan {
  readonly specRevision: number;
  /** Absent in roll-outs that began before it was kept. */
  readonly specSha256?: string;
  readonly task: Task;
  readonly policy: RolloutPolicy;
  /** Absent in roll-outs that began before there were any. */
  readonly guards?: GuardPolicy;
}

/** A plan as it was stored, by this release or one before. */
export type StoredPlan = Omit<RolloutPlan, 'policy'> & { readonly policy: RolloutPolicy | FormerPolicy };

export function currentPlan(stored: StoredPlan): RolloutPlan {
  return { ...stored, policy: currentPolicy(stored.policy) };
}

export function rolloutPlanOf({ revision, sha256, spec }: Pick<SpecChanged, 'revision' | 'sha256' | 'spec'>): RolloutPlan {
  const { task, rollout, label } = spec.spec;
  const { alpha, lossBound, guards, slices, slicesAlphaShare, futilityBeta, exposureMax, onRevision } = rollout;
  const guarded = guards.errorRate.enabled || guards.latencyMsP99.enabled || guards.predictionShift !== undefined;
  const forSlices = slices.length === 0 ? 0 : slicesAlphaShare;
  const steps = stepsOf(rollout, (count) => (alpha * (1 - (guarded ? guards.alphaShare : 0) - forSlices)) / count);
  return {
    specRevision: revision,
    specSha256: sha256,
    task,
    policy: {
      v: 2, alpha, lossBound, steps, onRevision,
      exposureMaxMs: exposureMax === undefined ? null : durationMs(exposureMax),
      slices: slices.length === 0 ? null : { fields: slices, alpha: (alpha * forSlices) / steps.length },
      futilityBeta: futilityBeta === 0 ? null : futilityBeta / steps.length,
      lateMs: durationMs(label.maximumDelay),
    },
    // Each change of the share begins new evidence of the guards.
    guards: guardPolicyOf(guards, alpha, steps.reduce((sum, step) => sum + legsMax(step), 0)),
  };
}
