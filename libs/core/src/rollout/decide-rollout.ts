import { banditShare } from './bandit-share.js';
import { evidenceOf, findingOf, judgeStep, passes, type StepFinding } from './judge-step.js';
import { reviseDecided } from './late-labels.js';
import { legsMax, type RolloutPolicy, type StepPolicy } from './rollout-policy.js';
import { beginStep, currentState, isLive, stepOf, type DecidedStep, type EndPhase, type Hold, type RolloutState, type StoredState } from './rollout-state.js';
import { noEvidence, stayed, unchanged, type BesideEvent, type OutcomesEvent, type RolloutCommand, type RolloutDecision, type RolloutEvent, type RolloutStep } from './rollout-step.js';
import { gatherEvidence, othersOf, startLeg, startLegBeside } from './step-evidence.js';

type Told = Pick<RolloutStep, 'verdict' | 'reason' | 'evidence'>;

/** Keeps the evidence of the step that ends, for the labels that are still to come. */
function decidedWith(state: RolloutState, policy: RolloutPolicy, promoted: boolean): readonly DecidedStep[] {
  const { evidence, streamTimeMs, decided } = state;
  if (evidence === null || streamTimeMs === null || policy.lateMs === 0) return decided;
  return [...decided, { ...evidence, verdict: findingOf(evidence, policy).verdict, sequence: state.sequence + 1, untilMs: streamTimeMs + policy.lateMs, promoted }];
}

function endIn(state: RolloutState, phase: EndPhase, told: Told, decided: readonly DecidedStep[]): RolloutDecision {
  const sequence = state.sequence + 1;
  const ended: RolloutState = { ...state, phase, paused: false, held: null, phaseSinceMs: null, legSinceMs: null, stepExposureMs: 0, evidence: null, decided, sequence };
  return { state: ended, steps: [{ sequence, from: state.phase, to: phase, ...told }], refused: null };
}

/** To the step that follows, or to all of the traffic after the last one. */
function goOn(state: RolloutState, told: Told, policy: RolloutPolicy, promoted: boolean): RolloutDecision {
  const decided = decidedWith(state, policy, promoted);
  const next = (state.evidence?.step ?? 0) + 1;
  if (next >= policy.steps.length) return endIn(state, 'full', told, decided);
  const sequence = state.sequence + 1;
  const begun: RolloutState = { ...state, ...beginStep(next, policy, state.evidence === null ? 0 : othersOf(state.evidence)), decided, sequence };
  return { state: begun, steps: [{ sequence, from: state.phase, to: begun.phase, ...told }], refused: null };
}

/** Leaves a step that evidence, or its plan, lets it leave. Of several candidates the best is promoted, not the first. */
function leaveStep(state: RolloutState, told: Told, policy: RolloutPolicy): RolloutDecision {
  const isLast = (state.evidence?.step ?? 0) + 1 >= policy.steps.length;
  if (!isLast || policy.candidates === undefined) return goOn(state, told, policy, true);
  return stayed(state, { ...state, held: 'chosen-next' }, { ...told, reason: `${told.reason}; its last step is passed, and it is promoted when no candidate beside it leads` });
}

/** What other candidates mean for this one. */
function onBeside(state: RolloutState, { cause, others, routeRevision, reason }: BesideEvent, policy: RolloutPolicy): RolloutDecision {
  if (state.evidence === null) return unchanged(state);
  const { reason: found, ...judgement } = judgeStep(state.evidence, policy);
  const told: Told = { ...judgement, reason: `${reason}; ${found}` };
  switch (cause) {
    case 'shares':
      return stayed(state, { ...state, evidence: startLegBeside(state.evidence, others, routeRevision, policy) }, told);
    case 'chosen':
      return state.held === 'chosen-next' ? endIn(state, 'full', told, decidedWith(state, policy, true)) : unchanged(state);
    case 'superseded':
      return endIn(state, 'superseded', told, []);
  }
}

const days = (ms: number): string => `${Number((ms / 86_400_000).toFixed(1))} days`;

/** Why the step may not go on gathering; null: it may. */
function endOf(state: RolloutState, step: StepPolicy, policy: RolloutPolicy): { readonly hold: Hold; readonly why: string } | null {
  const { streamTimeMs, phaseSinceMs, exposureMs, stepExposureMs, evidence } = state;
  const elapsedMs = (streamTimeMs ?? 0) - (phaseSinceMs ?? streamTimeMs ?? 0);
  if (elapsedMs >= step.durationMs) return { hold: 'timeout', why: `no verdict that passes within ${days(step.durationMs)} of stream time` };
  if (step.exposureMaxMs !== null && stepExposureMs >= step.exposureMaxMs) return { hold: 'exposure', why: `the step’s exposure is used up: ${days(step.exposureMaxMs)} of the whole traffic` };
  if (policy.exposureMaxMs !== null && exposureMs >= policy.exposureMaxMs) return { hold: 'exposure', why: `the roll-out’s exposure is used up: ${days(policy.exposureMaxMs)} of the whole traffic` };
  if (evidence !== null && evidence.futility !== null && evidence.futility.firstRow !== null) return { hold: 'futile', why: 'no verdict is near: the candidate is neither as good nor as bad as the step could tell' };
  return null;
}

function onEnd(state: RolloutState, step: StepPolicy, end: { readonly hold: Hold; readonly why: string }, { because }: StepFinding, policy: RolloutPolicy): RolloutDecision {
  if (state.evidence === null) return unchanged(state);
  const { verdict, reason, evidence } = judgeStep(state.evidence, policy);
  const tell = (what: string): Told => ({ verdict, reason: `${end.why}; ${reason}; ${what}`, evidence });
  const usedUp = policy.exposureMaxMs !== null && state.exposureMs >= policy.exposureMaxMs;
  // Missing evidence never passes: to go on without a verdict takes outcomes that show no harm.
  if (step.onTimeout === 'go-on' && because === 'evidence' && !usedUp) return leaveStep(state, tell('it goes on, as its plan says'), policy);
  if (step.onTimeout === 'roll-back') return endIn(state, 'rolled-back', tell('rolled back'), decidedWith(state, policy, false));
  return stayed(state, { ...state, held: end.hold }, tell('it waits for a person'));
}

/** Whether the share stands where the step may be left. */
function isAtTop({ legs }: { readonly legs: readonly { readonly share: number }[] }, { ramp }: StepPolicy): boolean {
  return ramp === null || (legs.at(-1)?.share ?? 0) >= ramp.to - 1e-9;
}

/** The share that is due now; null: the one that is routed. */
function dueShare(state: RolloutState, { ramp, following, rowsMin, ...step }: StepPolicy): number | null {
  const { evidence, streamTimeMs, legSinceMs } = state;
  const everyMs = ramp?.everyMs ?? following?.everyMs;
  if (evidence === null || streamTimeMs === null || legSinceMs === null || everyMs === undefined || streamTimeMs - legSinceMs < everyMs || evidence.mismatchAt !== null) return null;
  const share = evidence.legs.at(-1)?.share ?? 0;
  if (ramp === null) {
    const wanted = following === null ? null : banditShare(evidence.difference, following.floor);
    return wanted === share ? null : wanted;
  }
  // Growing needs its part of the outcomes: a share at which nothing was seen shows nothing.
  const legRowsMin = Math.ceil(rowsMin / legsMax({ ...step, ramp, following }));
  if (share >= ramp.to - 1e-9 || evidence.legRows < legRowsMin) return null;
  return Math.min(ramp.to, Number((share + ramp.by).toFixed(6)));
}

function changeShare(state: RolloutState, share: number, policy: RolloutPolicy): RolloutDecision {
  if (state.evidence === null) return unchanged(state);
  const { verdict, reason, evidence } = judgeStep(state.evidence, policy);
  const before = state.evidence.legs.at(-1)?.share ?? 0;
  const told = `its share ${share > before ? 'grows' : 'falls'} from ${Number((100 * before).toFixed(1))} % to ${Number((100 * share).toFixed(1))} %; ${reason}`;
  const decision = stayed(state, { ...state, legSinceMs: state.streamTimeMs, evidence: startLeg(state.evidence, share, policy) }, { verdict, reason: told, evidence });
  // Before its first change the place tells no share.
  return { ...decision, steps: decision.steps.map((step) => ({ ...step, from: `${state.phase} (${Number((100 * before).toFixed(1))} %)` })) };
}

/** What follows from the evidence of the step under way. */
function judged(state: RolloutState, policy: RolloutPolicy): RolloutDecision {
  const step = stepOf(state, policy);
  const { evidence, streamTimeMs, phaseSinceMs } = state;
  if (step === undefined || evidence === null || streamTimeMs === null || phaseSinceMs === null) return unchanged(state);
  const finding = findingOf(evidence, policy);
  // A pause holds a candidate where it is, but never protects one that does harm.
  if (finding.verdict === 'worse') return endIn(state, 'rolled-back', judgeStep(evidence, policy), decidedWith(state, policy, false));
  if (state.paused || state.held !== null) return unchanged(state);
  if (passes(finding.verdict, step) && streamTimeMs - phaseSinceMs >= step.soakMs && isAtTop(evidence, step)) {
    const told = judgeStep(evidence, policy);
    if (step.onPass === 'hold') return stayed(state, { ...state, held: 'passed' }, { ...told, reason: `${told.reason}; a person lets it go on` });
    return leaveStep(state, told, policy);
  }
  const end = endOf(state, step, policy);
  if (end !== null) return onEnd(state, step, end, finding, policy);
  const share = dueShare(state, step);
  return share === null ? unchanged(state) : changeShare(state, share, policy);
}

function withTime(state: RolloutState, event: OutcomesEvent): RolloutState {
  const streamTimeMs = Math.max(state.streamTimeMs ?? 0, event.streamTimeMs);
  const decided = state.decided.filter(({ untilMs }) => untilMs >= streamTimeMs);
  if (!isLive(state.phase)) return { ...state, streamTimeMs, decided };
  const share = state.evidence?.legs.at(-1)?.share ?? 0;
  const exposedMs = share * (streamTimeMs - (state.streamTimeMs ?? streamTimeMs));
  return {
    ...state, streamTimeMs, decided,
    phaseSinceMs: state.phaseSinceMs ?? streamTimeMs, legSinceMs: state.legSinceMs ?? streamTimeMs,
    stepExposureMs: state.stepExposureMs + exposedMs, exposureMs: state.exposureMs + exposedMs,
  };
}

function onOutcomes(before: RolloutState, event: OutcomesEvent, policy: RolloutPolicy): RolloutDecision {
  const revised = reviseDecided(withTime(before, event), event, policy);
  const { state } = revised;
  if (state.evidence === null) return revised;
  const decision = judged({ ...state, evidence: gatherEvidence(state.evidence, event, policy) }, policy);
  return { ...decision, steps: [...revised.steps, ...decision.steps] };
}

function onCommand(state: RolloutState, { command, by, reason }: { readonly command: RolloutCommand; readonly by: string; readonly reason: string }, policy: RolloutPolicy): RolloutDecision {
  const told: Told = { verdict: 'by-hand', reason: `${command} by ${by}: ${reason}`, evidence: state.evidence === null ? noEvidence : evidenceOf(state.evidence, policy) };
  const waits = state.paused || state.held !== null;
  switch (command) {
    case 'pause':
      return waits ? { ...unchanged(state), refused: state.held === null ? 'it is paused already' : 'it waits for a person already' } : stayed(state, { ...state, paused: true }, told);
    case 'resume':
      if (!waits) return { ...unchanged(state), refused: 'it is not paused' };
      // One that was held for time or exposure is given as much again.
      return stayed(state, { ...state, paused: false, held: null, ...(state.held === null ? {} : { phaseSinceMs: state.streamTimeMs, stepExposureMs: 0, evidence: state.evidence === null ? null : { ...state.evidence, futility: null } }) }, told);
    case 'advance':
      return goOn(state, told, policy, false);
    case 'promote':
      return endIn(state, 'full', told, decidedWith(state, policy, false));
    case 'abort':
      return endIn(state, 'aborted', told, []);
    case 'rollback':
      return endIn(state, 'rolled-back', told, []);
  }
}

/** The roll-out as a pure function: same state and event, same decision, at any time and on any machine. */
export function decideRollout(stored: StoredState, event: RolloutEvent, policy: RolloutPolicy): RolloutDecision {
  const state = currentState(stored, policy);
  if (event.type === 'outcomes') return onOutcomes(state, event, policy);
  if (!isLive(state.phase)) return { ...unchanged(state), refused: event.type === 'command' ? `it has ended: ${state.phase}` : null };
  if (event.type === 'command') return onCommand(state, event, policy);
  if (event.type === 'beside') return onBeside(state, event, policy);
  // A pause protects no candidate that does harm.
  return endIn(state, 'rolled-back', { verdict: 'worse', reason: `${event.guard}: ${event.reason}; rolled back`, evidence: event.evidence }, []);
}

/** The first step of a roll-out’s story: it came to be. */
export function openingStep(reason: string, verdict: 'by-hand' | 'gate', policy: RolloutPolicy): RolloutStep {
  return { sequence: 0, from: 'registered', to: policy.steps[0]?.name ?? 'full', verdict, reason, evidence: noEvidence };
}
