import type { SpecChanged } from '@millrace/contracts';
import { durationMs } from '@millrace/core/drift';
import type { RolloutPolicy } from '@millrace/core/rollout';
import type { Task } from '@millrace/core/statistics';

/** By what a roll-out is judged. Fixed when it begins: a spec that changes meanwhile applies to the next one. */
export interface RolloutPlan {
  readonly specRevision: number;
  readonly task: Task;
  readonly policy: RolloutPolicy;
}

export function planOf({ revision, spec }: SpecChanged): RolloutPlan {
  const { task, rollout } = spec.spec;
  const arm = ({ share, rowsMin, lossMargin, duration }: typeof rollout.ab) => ({ share, rowsMin, lossMargin, durationMs: durationMs(duration) });
  return {
    specRevision: revision,
    task,
    policy: {
      alpha: rollout.alpha,
      lossBound: rollout.lossBound,
      shadow: { pairsMin: rollout.shadow.pairsMin, lossMargin: rollout.lossMargin, durationMs: durationMs(rollout.shadow.duration) },
      canary: arm(rollout.canary),
      ab: arm(rollout.ab),
    },
  };
}
