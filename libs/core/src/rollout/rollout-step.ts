import type { StepInputs } from '@millrace/contracts';
import type { RolloutEvidence, RolloutVerdict } from './judge-step.js';
import type { Outcomes } from './step-evidence.js';
import type { RolloutState } from './rollout-state.js';

export const rolloutCommands = ['pause', 'resume', 'advance', 'promote', 'abort', 'rollback'] as const;
export type RolloutCommand = (typeof rolloutCommands)[number];

export interface OutcomesEvent extends Outcomes {
  readonly type: 'outcomes';
  readonly streamTimeMs: number;
  /** Outcomes of steps that were decided, by the sequence of the step that told it. */
  readonly late?: readonly (Outcomes & { readonly sequence: number })[];
  /** Once it is complete: whether the old champion could be routed again. */
  readonly routable?: boolean;
}

/**
 * What other candidates do. `shares`: their shares have changed; `chosen`: of those that have passed, this one is promoted;
 * `superseded`: another was.
 */
export interface BesideEvent {
  readonly type: 'beside';
  readonly cause: 'shares' | 'chosen' | 'superseded';
  /** Part of all units that they answer. */
  readonly others: number;
  /** Of the route in force from now on. */
  readonly routeRevision: number;
  readonly reason: string;
}

export type RolloutEvent =
  | OutcomesEvent
  | BesideEvent
  | { readonly type: 'guard-breached'; readonly guard: string; readonly reason: string; readonly evidence: RolloutEvidence; /** What it rests on. */ readonly inputs?: Omit<NonNullable<StepInputs['guard']>, 'guard' | 'reason'> }
  | { readonly type: 'command'; readonly command: RolloutCommand; readonly by: string; readonly reason: string };

export interface RolloutStep {
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly verdict: RolloutVerdict | 'by-hand' | 'gate';
  readonly reason: string;
  readonly evidence: RolloutEvidence;
  /** Sequence of the step whose verdict late labels have changed. */
  readonly revises?: number;
}

export interface RolloutDecision {
  readonly state: RolloutState;
  /** What was decided; empty when nothing changed. */
  readonly steps: RolloutStep[];
  /** Set when the command does not fit the state; nothing changed then. */
  readonly refused: string | null;
}

export const noEvidence: RolloutEvidence = { n: 0, mean: null, low: null, high: null, margin: null, alpha: null };

const shareText = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** Where a roll-out stands, for people: the step, its share where that changes, and whether it is held. */
export function placeOf({ phase, paused, held, evidence }: RolloutState): string {
  const share = evidence !== null && evidence.legs.some((leg) => leg.share !== evidence.legs[0]?.share) ? [shareText(evidence.legs.at(-1)?.share ?? 0)] : [];
  const notes = [...share, ...(held !== null ? ['held'] : paused ? ['paused'] : [])];
  return notes.length === 0 ? phase : `${phase} (${notes.join(', ')})`;
}

/** A step that leaves the roll-out in its phase. */
export function stayed(before: RolloutState, after: Omit<RolloutState, 'sequence'>, told: Pick<RolloutStep, 'verdict' | 'reason' | 'evidence' | 'revises'>): RolloutDecision {
  const sequence = before.sequence + 1;
  const state = { ...after, sequence };
  return { state, steps: [{ sequence, from: placeOf(before), to: placeOf(state), ...told }], refused: null };
}

export const unchanged = (state: RolloutState): RolloutDecision => ({ state, steps: [], refused: null });
