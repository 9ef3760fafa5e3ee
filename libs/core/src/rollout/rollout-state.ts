import { startSequence, type ConfidenceSequence } from '../statistics/index.js';

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
  readonly v: 1;
  readonly phase: RolloutPhase;
  readonly paused: boolean;
  /** Stream time of the phase’s first outcome; null before it. */
  readonly phaseSinceMs: number | null;
  readonly streamTimeMs: number | null;
  /** Differences of losses, candidate − champion, mapped from [−range, range] to [0, 1]. */
  readonly difference: ConfidenceSequence;
  /** Outcomes of the phase by the arm that answered, and their mean loss. Shadow pairs count for both. */
  readonly arms: { readonly champion: ArmTally; readonly candidate: ArmTally };
  /** Steps told so far. */
  readonly sequence: number;
}

export interface ArmTally {
  readonly n: number;
  readonly loss: number;
}

export function freshEvidence(alpha: number): Pick<RolloutState, 'difference' | 'arms' | 'phaseSinceMs'> {
  return { difference: startSequence(alpha), arms: { champion: { n: 0, loss: 0 }, candidate: { n: 0, loss: 0 } }, phaseSinceMs: null };
}

export function startRollout(policy: RolloutPolicy): RolloutState {
  return { v: 1, phase: 'shadow', paused: false, streamTimeMs: null, sequence: 0, ...freshEvidence(policy.alpha) };
}

export function isLive(phase: RolloutPhase): phase is LivePhase {
  return (livePhases as readonly string[]).includes(phase);
}

/** What the route must be in a phase: the candidate’s share of the answers, and whether it sees the rest unanswered. */
export function routeOf(phase: LivePhase, policy: RolloutPolicy): { readonly share: number; readonly mirror: boolean } {
  return phase === 'shadow' ? { share: 0, mirror: true } : { share: policy[phase].share, mirror: false };
}
