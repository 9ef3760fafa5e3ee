import { startSampleRatio, type BettingSequence, type SampleRatio } from '../statistics/index.js';
import { emptyTallies, startDifference, type ArmTallies, type Comparison } from './arm-difference.js';

export interface ArmPolicy {
  /** Share of the units that the candidate answers. */
  readonly share: number;
  /** Outcomes of the candidate before this phase may end well. */
  readonly rowsMin: number;
  /** Largest tolerated difference of mean losses between the arms. */
  readonly lossMargin: number;
  readonly durationMs: number;
}

export interface RolloutPolicy {
  /** Error of each phase’s verdict, over every look together. */
  readonly alpha: number;
  /** Losses are clipped to [0, lossBound] before they are compared. */
  readonly lossBound: number;
  readonly shadow: { readonly pairsMin: number; readonly lossMargin: number; readonly durationMs: number };
  readonly canary: ArmPolicy;
  readonly ab: ArmPolicy;
}

export const livePhases = ['shadow', 'canary', 'ab'] as const;
export type LivePhase = (typeof livePhases)[number];
export type RolloutPhase = LivePhase | 'full' | 'rolled-back' | 'aborted';

/** The whole memory of one roll-out: plain JSON. Times are stream time, milliseconds since the epoch. */
export interface RolloutState {
  readonly v: 2;
  readonly phase: RolloutPhase;
  readonly paused: boolean;
  /** Stream time of the phase’s first outcome; null before it. */
  readonly phaseSinceMs: number | null;
  readonly streamTimeMs: number | null;
  /** Differences of losses, candidate − champion. */
  readonly difference: BettingSequence;
  /** Outcomes of the phase by the arm that answered, and their summed loss. Shadow pairs count for both. */
  readonly arms: ArmTallies;
  /** Whether outcomes come in the share that was routed; null in shadow, where both arms answer. */
  readonly ratio: SampleRatio | null;
  /** Steps told so far. */
  readonly sequence: number;
}

/** Error of the check that outcomes come in the routed share, over every look together. */
const sampleRatioAlpha = 0.001;

export function comparisonOf(phase: LivePhase, { alpha, lossBound, shadow, ...arms }: RolloutPolicy): Comparison {
  if (phase === 'shadow') return { share: null, lossBound, margin: shadow.lossMargin, alpha, effect: null };
  return { share: arms[phase].share, lossBound, margin: arms[phase].lossMargin, alpha, effect: null };
}

export function freshEvidence(phase: LivePhase, policy: RolloutPolicy): Pick<RolloutState, 'v' | 'difference' | 'arms' | 'ratio' | 'phaseSinceMs'> {
  const comparison = comparisonOf(phase, policy);
  return { v: 2, difference: startDifference(comparison), arms: emptyTallies, ratio: comparison.share === null ? null : startSampleRatio(comparison.share, sampleRatioAlpha), phaseSinceMs: null };
}

/**
 * A state of version 1, as it may still stand in a database, had evidence of another kind: its phase gathers anew, and its
 * time goes on.
 */
export function currentState(stored: RolloutState, policy: RolloutPolicy): RolloutState {
  const version: number = stored.v;
  const { phase, phaseSinceMs } = stored;
  if (version === 2 || !isLive(phase)) return stored;
  return { ...stored, ...freshEvidence(phase, policy), phaseSinceMs };
}

export function startRollout(policy: RolloutPolicy): RolloutState {
  return { phase: 'shadow', paused: false, streamTimeMs: null, sequence: 0, ...freshEvidence('shadow', policy) };
}

export function isLive(phase: RolloutPhase): phase is LivePhase {
  return (livePhases as readonly string[]).includes(phase);
}

/** What the route must be in a phase: the candidate’s share of the answers, and whether it sees the rest unanswered. */
export function routeOf(phase: LivePhase, policy: RolloutPolicy): { readonly share: number; readonly mirror: boolean } {
  return phase === 'shadow' ? { share: 0, mirror: true } : { share: policy[phase].share, mirror: false };
}
