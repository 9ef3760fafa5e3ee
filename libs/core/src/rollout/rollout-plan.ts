import type { RolloutGuards, SpecChanged } from '@millrace/contracts';
import { durationMs } from '../drift/index.js';
import type { Task } from '../statistics/index.js';
import type { BusinessPolicy } from './guards/business-metric.js';
import { guardCount, guardPolicyOf, type GuardPolicy } from './guards/guard-policy.js';
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
  /** Where units are split, a unit’s first outcome in a step counts; absent in roll-outs that began when each of its outcomes did. */
  readonly unitsOnce?: true;
}

/** A plan as it was stored, by this release or one before. */
export type StoredPlan = Omit<RolloutPlan, 'policy'> & { readonly policy: RolloutPolicy | FormerPolicy };

export function currentPlan(stored: StoredPlan): RolloutPlan {
  return { ...stored, policy: currentPolicy(stored.policy) };
}

export function rolloutPlanOf({ revision, sha256, spec }: Pick<SpecChanged, 'revision' | 'sha256' | 'spec'>): RolloutPlan {
  const { task, rollout, label } = spec.spec;
  const { lossBound, guards, slices, slicesAlphaShare, futilityBeta, exposureMax, onRevision, candidatesMax } = rollout;
  // The one place where several candidates are paid for (Bonferroni): any false verdict among them has the spec’s error.
  const alpha = rollout.alpha / candidatesMax;
  const guarded = guards.errorRate.enabled || guards.latencyMsP99.enabled || guards.predictionShift !== undefined || guards.answerDifference !== undefined || guards.business !== undefined;
  const forSlices = slices.length === 0 ? 0 : slicesAlphaShare;
  const steps = stepsOf(rollout, (count) => (alpha * (1 - (guarded ? guards.alphaShare : 0) - forSlices)) / count);
  // Each change of the share begins new evidence of the guards on requests.
  const guardPolicy = guardPolicyOf(guards, alpha, steps.reduce((sum, step) => sum + legsMax(step), 0));
  const business = businessOf(guards.business, guardPolicy.alpha / guardCount(guardPolicy) / steps.length);
  return {
    specRevision: revision,
    specSha256: sha256,
    task,
    policy: {
      v: 2, alpha, ...(candidatesMax === 1 ? {} : { candidates: candidatesMax }), lossBound, steps, onRevision,
      exposureMaxMs: exposureMax === undefined ? null : durationMs(exposureMax) / candidatesMax,
      slices: slices.length === 0 ? null : { fields: slices, alpha: (alpha * forSlices) / steps.length },
      futilityBeta: futilityBeta === 0 ? null : futilityBeta / steps.length,
      lateMs: durationMs(label.maximumDelay),
      ...(business === undefined ? {} : { business }),
    },
    guards: guardPolicy,
    unitsOnce: true,
  };
}

function businessOf(guard: RolloutGuards['business'], alpha: number): BusinessPolicy | undefined {
  if (guard === undefined) return undefined;
  const { field, direction, margin, marginRelative, lowest, highest, whenMissing = null } = guard;
  return { field, higherIsBetter: direction === 'higher-is-better', margin: marginRelative ?? margin ?? 0, relative: marginRelative !== undefined, lowest, highest, whenMissing, alpha };
}
