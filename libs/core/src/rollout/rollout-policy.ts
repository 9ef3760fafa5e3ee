import type { RolloutStepType } from '@millrace/contracts';
import { rangeOf, type Comparison } from './arm-difference.js';
import type { BusinessPolicy } from './guards/business-metric.js';

/** A share that grows: `by` every `everyMs` of stream time, up to `to`. */
export interface Ramp {
  readonly by: number;
  readonly to: number;
  readonly everyMs: number;
}

/** A share that follows the evidence, and leaves each arm at least `floor`. */
export interface Following {
  readonly floor: number;
  readonly everyMs: number;
}

/** One step of a roll-out with everything that decides it. Times are stream time. */
export interface StepPolicy {
  /** Unique in the plan. */
  readonly name: string;
  readonly type: RolloutStepType;
  /** First share of the units that the candidate answers. */
  readonly share: number;
  readonly ramp: Ramp | null;
  readonly following: Following | null;
  /** Outcomes of the candidate (pairs, where both arms are asked) before the step may be passed. */
  readonly rowsMin: number;
  /** Largest tolerated difference of mean losses. */
  readonly lossMargin: number;
  readonly require: 'better' | 'not-worse';
  /** The step is not passed sooner. */
  readonly soakMs: number;
  readonly durationMs: number;
  /** Share × time, as time of the whole traffic. */
  readonly exposureMaxMs: number | null;
  readonly onTimeout: 'roll-back' | 'hold' | 'go-on';
  readonly onPass: 'go-on' | 'hold';
  /** Error of “worse”, and of “better”, in this step, over every look together. */
  readonly alpha: number;
}

/**
 * Everything that decides a roll-out. How its error is spent: “worse” takes a candidate back at the first step that says
 * it, so those errors add up, and alpha is parted: first guards and slices take their shares of it, the rest is spread
 * evenly over the steps. “Not worse” must be said by every step before a candidate is promoted, so those errors do not
 * add up: each step may use the whole of alpha, and a candidate that is worse than the margin of a step that must be
 * passed on evidence is promoted with probability at most alpha. “Better” is told at the step’s part, like “worse”.
 */
export interface RolloutPolicy {
  readonly v: 2;
  /** Of this roll-out: of several candidates at once each has the same part of the spec’s, and so have its steps, slices and guards. */
  readonly alpha: number;
  /** So many may be tried at once; absent: one. */
  readonly candidates?: number;
  /** Losses are clipped to [0, lossBound] before they are compared. */
  readonly lossBound: number;
  readonly steps: readonly StepPolicy[];
  readonly exposureMaxMs: number | null;
  /** `alpha`: error of all slices in one step. */
  readonly slices: { readonly fields: readonly string[]; readonly alpha: number } | null;
  /** Chance that a step is given up though the candidate is equal or better; null: it runs its time. */
  readonly futilityBeta: number | null;
  readonly onRevision: 'roll-back' | 'tell';
  /** So long after a step was decided its labels may come. */
  readonly lateMs: number;
  /** Judged in steps that split units between the arms. Absent: not guarded. */
  readonly business?: BusinessPolicy;
}

interface FormerArm {
  readonly share: number;
  readonly rowsMin: number;
  readonly lossMargin: number;
  readonly durationMs: number;
}

/** As roll-outs kept it that began before steps were data: three fixed phases, each with the whole of alpha. */
export interface FormerPolicy {
  readonly alpha: number;
  readonly lossBound: number;
  readonly shadow: { readonly pairsMin: number; readonly lossMargin: number; readonly durationMs: number };
  readonly canary: FormerArm;
  readonly ab: FormerArm;
}

/** The policy of a roll-out under way, as it began: the rules of an older form stay what they were. */
export function currentPolicy(stored: RolloutPolicy | FormerPolicy): RolloutPolicy {
  if ('steps' in stored) return stored;
  const { alpha, lossBound, shadow, canary, ab } = stored;
  const rest = { ramp: null, following: null, require: 'not-worse', soakMs: 0, exposureMaxMs: null, onTimeout: 'roll-back', onPass: 'go-on', alpha } as const;
  const steps: StepPolicy[] = [
    { name: 'shadow', type: 'shadow', share: 0, rowsMin: shadow.pairsMin, lossMargin: shadow.lossMargin, durationMs: shadow.durationMs, ...rest },
    { name: 'canary', type: 'canary', ...canary, ...rest },
    { name: 'ab', type: 'ab', ...ab, ...rest },
  ];
  return { v: 2, alpha, lossBound, steps, exposureMaxMs: null, slices: null, futilityBeta: null, onRevision: 'tell', lateMs: 0 };
}

/** Whether both arms are asked on every request, so that their losses come in pairs. */
export const isPaired = ({ type }: Pick<StepPolicy, 'type'>): boolean => type === 'shadow' || type === 'blue-green';

/** The share that lies nearest to 0 or 1 among those that the step may have: what one outcome can tell at most depends on it. */
export function extremeShare({ share, ramp, following }: StepPolicy): number {
  if (following !== null) return following.floor;
  return ramp !== null && Math.min(ramp.to, 1 - ramp.to) < Math.min(share, 1 - share) ? ramp.to : share;
}

export function comparisonOf(step: StepPolicy, { lossBound }: Pick<RolloutPolicy, 'lossBound'>): Comparison {
  return { share: isPaired(step) ? null : extremeShare(step), lossBound, margin: step.lossMargin, alpha: step.alpha, effect: null };
}

/** Largest absolute difference that one outcome of the step can tell. */
export const stepRange = (step: StepPolicy, policy: Pick<RolloutPolicy, 'lossBound'>): number => rangeOf(comparisonOf(step, policy));

/** Largest number of different shares that the step can come to. */
export function legsMax({ share, ramp, following, durationMs }: Pick<StepPolicy, 'share' | 'ramp' | 'following' | 'durationMs'>): number {
  if (ramp !== null) return 1 + Math.ceil((ramp.to - share) / ramp.by - 1e-9);
  return following === null ? 1 : Math.max(1, Math.ceil(durationMs / following.everyMs));
}
