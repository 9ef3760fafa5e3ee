import { findingOf, judgeStep, type RolloutVerdict, type StepFinding } from './judge-step.js';
import type { RolloutPolicy } from './rollout-policy.js';
import { isLive, type DecidedStep, type RolloutState } from './rollout-state.js';
import { placeOf, type OutcomesEvent, type RolloutDecision, type RolloutStep } from './rollout-step.js';
import { gatherEvidence } from './step-evidence.js';

/** Whether what is found now is worth telling after what was told. Good news that was found once is not lost again by chance. */
function isNews(told: RolloutVerdict, { verdict, because }: StepFinding): boolean {
  if (because === 'ratio') return told === 'better' || told === 'not-worse';
  if (verdict === 'not-enough-evidence' || verdict === told) return false;
  return !(told === 'better' && verdict === 'not-worse');
}

/** What a revised verdict does: takes back a candidate that evidence had let go on, where that is still possible. */
function consequenceOf(state: RolloutState, decided: DecidedStep, verdict: RolloutVerdict, { routable }: OutcomesEvent, policy: RolloutPolicy): { readonly back: boolean; readonly said: string } {
  const stands = isLive(state.phase) || state.phase === 'full';
  if (verdict !== 'worse' || !stands) return { back: false, said: '' };
  if (!decided.promoted) return { back: false, said: '; a person let it go on, so nothing is taken back' };
  if (policy.onRevision === 'tell') return { back: false, said: '; told only, as the plan says' };
  if (!isLive(state.phase) && routable !== true) return { back: false, said: '; the old champion cannot be routed again: something has followed' };
  return { back: true, said: '; rolled back' };
}

function revise(state: RolloutState, before: DecidedStep, event: OutcomesEvent, policy: RolloutPolicy): { readonly state: RolloutState; readonly step: RolloutStep | null } {
  const outcomes = event.late?.find(({ sequence }) => sequence === before.sequence);
  if (outcomes === undefined) return { state, step: null };
  const decided: DecidedStep = { ...before, ...gatherEvidence(before, outcomes, policy) };
  const kept = (next: DecidedStep): readonly DecidedStep[] => state.decided.map((each) => (each.sequence === before.sequence ? next : each));
  const finding = findingOf(decided, policy);
  if (!isNews(before.verdict, finding)) return { state: { ...state, decided: kept(decided) }, step: null };
  const { verdict, reason, evidence } = judgeStep(decided, policy);
  const { back, said } = consequenceOf(state, before, verdict, event, policy);
  const sequence = state.sequence + 1;
  const revised = { ...state, sequence, decided: kept({ ...decided, verdict }) };
  const ended: RolloutState = { ...revised, phase: 'rolled-back', paused: false, held: null, phaseSinceMs: null, legSinceMs: null, stepExposureMs: 0, evidence: null };
  const name = policy.steps[before.step]?.name ?? '';
  const from = back ? state.phase : placeOf(state);
  return {
    state: back ? ended : revised,
    step: { sequence, from, to: back ? 'rolled-back' : from, verdict, reason: `late labels of ${name} turn “${before.verdict}” into “${verdict}”: ${reason}${said}`, evidence, revises: before.sequence },
  };
}

/**
 * Labels of steps that were decided go on being weighed until none can come: the evidence is the same process that decided,
 * so its error holds for the revision too. A verdict that changes is told, and the one before stays told.
 */
export function reviseDecided(state: RolloutState, event: OutcomesEvent, policy: RolloutPolicy): RolloutDecision {
  let now = state;
  const steps: RolloutStep[] = [];
  for (const { sequence } of state.decided) {
    const before = now.decided.find((each) => each.sequence === sequence);
    if (before === undefined) continue;
    const { state: next, step } = revise(now, before, event, policy);
    now = next;
    if (step !== null) steps.push(step);
  }
  return { state: now, steps, refused: null };
}
