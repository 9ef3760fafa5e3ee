import { gatherEvidence, judgePhase, evidenceOf, verdictOfPhase, type ArmLoss, type PairedLoss, type RolloutEvidence, type RolloutVerdict } from './judge-phase.js';
import { currentState, freshEvidence, isLive, type LivePhase, type RolloutPhase, type RolloutPolicy, type RolloutState } from './rollout-state.js';

export const rolloutCommands = ['pause', 'resume', 'promote', 'abort', 'rollback'] as const;
export type RolloutCommand = (typeof rolloutCommands)[number];

export type RolloutEvent =
  | { readonly type: 'outcomes'; readonly streamTimeMs: number; readonly pairs: readonly PairedLoss[]; readonly arms: readonly ArmLoss[] }
  | { readonly type: 'command'; readonly command: RolloutCommand; readonly by: string; readonly reason: string };

export interface RolloutStep {
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly verdict: RolloutVerdict | 'by-hand' | 'gate';
  readonly reason: string;
  readonly evidence: RolloutEvidence;
}

export interface RolloutDecision {
  readonly state: RolloutState;
  /** What was decided; empty when nothing changed. */
  readonly steps: RolloutStep[];
  /** Set when the command does not fit the state; nothing changed then. */
  readonly refused: string | null;
}

const following: Readonly<Record<LivePhase, RolloutPhase>> = { shadow: 'canary', canary: 'ab', ab: 'full' };
const noEvidence: RolloutEvidence = { n: 0, mean: null, low: null, high: null, margin: null, alpha: null };

function moveTo(state: RolloutState, to: RolloutPhase, verdict: RolloutStep['verdict'], reason: string, evidence: RolloutEvidence, policy: RolloutPolicy): RolloutDecision {
  const sequence = state.sequence + 1;
  return {
    state: { ...state, phase: to, paused: false, sequence, ...(isLive(to) ? freshEvidence(to, policy) : {}) },
    steps: [{ sequence, from: state.phase, to, verdict, reason, evidence }],
    refused: null,
  };
}

function onOutcomes(before: RolloutState, phase: LivePhase, event: Extract<RolloutEvent, { type: 'outcomes' }>, policy: RolloutPolicy): RolloutDecision {
  const streamTimeMs = Math.max(before.streamTimeMs ?? 0, event.streamTimeMs);
  const state = { ...gatherEvidence(before, event, policy), streamTimeMs, phaseSinceMs: before.phaseSinceMs ?? streamTimeMs };
  const { durationMs } = policy[phase];
  const late = streamTimeMs - state.phaseSinceMs >= durationMs;
  if (verdictOfPhase(state, phase, policy) === 'not-enough-evidence' && (state.paused || !late)) return { state, steps: [], refused: null };
  const { verdict, reason, evidence } = judgePhase(state, phase, policy);
  // A pause holds a candidate where it is, but never protects one that does harm.
  if (verdict === 'worse') return moveTo(state, 'rolled-back', verdict, reason, evidence, policy);
  if (state.paused) return { state, steps: [], refused: null };
  if (verdict !== 'not-enough-evidence') return moveTo(state, following[phase], verdict, reason, evidence, policy);
  return moveTo(state, 'rolled-back', verdict, `no verdict within ${(durationMs / 86_400_000).toFixed(1)} days of stream time; ${reason}`, evidence, policy);
}

function onCommand(state: RolloutState, phase: LivePhase, { command, by, reason }: Extract<RolloutEvent, { type: 'command' }>, policy: RolloutPolicy): RolloutDecision {
  const evidence = evidenceOf(state, phase, policy);
  const tale = `${command} by ${by}: ${reason}`;
  const stay = (paused: boolean): RolloutDecision => {
    const sequence = state.sequence + 1;
    const name = (held: boolean): string => (held ? `${phase} (paused)` : phase);
    return { state: { ...state, paused, sequence }, steps: [{ sequence, from: name(state.paused), to: name(paused), verdict: 'by-hand', reason: tale, evidence }], refused: null };
  };
  switch (command) {
    case 'pause':
      return state.paused ? { state, steps: [], refused: 'it is paused already' } : stay(true);
    case 'resume':
      return state.paused ? stay(false) : { state, steps: [], refused: 'it is not paused' };
    case 'promote':
      return moveTo(state, 'full', 'by-hand', tale, evidence, policy);
    case 'abort':
      return moveTo(state, 'aborted', 'by-hand', tale, evidence, policy);
    case 'rollback':
      return moveTo(state, 'rolled-back', 'by-hand', tale, evidence, policy);
  }
}

/** The roll-out as a pure function: same state and event, same decision, at any time and on any machine. */
export function decideRollout(stored: RolloutState, event: RolloutEvent, policy: RolloutPolicy): RolloutDecision {
  const state = currentState(stored, policy);
  const { phase } = state;
  if (!isLive(phase)) return { state, steps: [], refused: event.type === 'command' ? `it has ended: ${phase}` : null };
  return event.type === 'outcomes' ? onOutcomes(state, phase, event, policy) : onCommand(state, phase, event, policy);
}

/** The first step of a roll-out’s story: it came to be. */
export function openingStep(reason: string, verdict: 'by-hand' | 'gate'): RolloutStep {
  return { sequence: 0, from: 'registered', to: 'shadow', verdict, reason, evidence: noEvidence };
}
