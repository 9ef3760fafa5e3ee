import type { RouteChanged } from '@millrace/contracts';
import type { RolloutVerdict } from './judge-step.js';
import type { RolloutPolicy, StepPolicy } from './rollout-policy.js';
import { startEvidence, type StepEvidence } from './step-evidence.js';

export const endPhases = ['full', 'rolled-back', 'aborted', 'superseded'] as const;
export type EndPhase = (typeof endPhases)[number];

/** Why a roll-out waits for a person; `chosen-next`: it has passed its last step and waits for the candidates beside it. */
export type Hold = 'passed' | 'timeout' | 'exposure' | 'futile' | 'chosen-next';

/** A step that was decided; its labels still come. */
export interface DecidedStep extends StepEvidence {
  /** What was told of it last. */
  readonly verdict: RolloutVerdict;
  /** Of the step that told how it ended. */
  readonly sequence: number;
  /** Stream time until which labels are waited for. */
  readonly untilMs: number;
  /** It let the candidate go on, by evidence or by its plan and not by a person’s order. */
  readonly promoted: boolean;
}

/** The whole memory of one roll-out: plain JSON. Times are stream time, milliseconds since the epoch. */
export interface RolloutState {
  readonly v: 3;
  /** Name of the step, or how it has ended. */
  readonly phase: string;
  readonly paused: boolean;
  readonly held: Hold | null;
  /** Stream time of the step’s first outcome; null before it. */
  readonly phaseSinceMs: number | null;
  /** When its share became what it is. */
  readonly legSinceMs: number | null;
  readonly streamTimeMs: number | null;
  /** Share × time so far, as time of the whole traffic: of the step under way, and of all. */
  readonly stepExposureMs: number;
  readonly exposureMs: number;
  /** Of the step under way; null once it has ended. */
  readonly evidence: StepEvidence | null;
  readonly decided: readonly DecidedStep[];
  /** Steps told so far. */
  readonly sequence: number;
}

/** As releases before kept it: phases by name, and evidence of the phase beside them. Of version 1 the evidence was of another kind. */
interface FormerState {
  readonly v: 1 | 2;
  readonly phase: string;
  readonly paused: boolean;
  readonly phaseSinceMs: number | null;
  readonly streamTimeMs: number | null;
  readonly difference: StepEvidence['difference'];
  readonly arms: StepEvidence['arms'];
  readonly ratio: StepEvidence['ratio'];
  readonly sequence: number;
}
export type StoredState = RolloutState | FormerState;

const start = { paused: false, held: null, phaseSinceMs: null, legSinceMs: null, stepExposureMs: 0 } as const;

/** What is the same whenever a step begins. @throws RangeError for a step that the plan does not have. */
export function beginStep(index: number, policy: RolloutPolicy, others = 0): Pick<RolloutState, 'phase' | 'evidence' | keyof typeof start> {
  const step = policy.steps[index];
  if (step === undefined) throw new RangeError(`the plan has no step ${index}`);
  return { ...start, phase: step.name, evidence: startEvidence(index, policy, others) };
}

/** @param others part of the units that other candidates answer. */
export function startRollout(policy: RolloutPolicy, others = 0): RolloutState {
  return { v: 3, streamTimeMs: null, exposureMs: 0, decided: [], sequence: 0, ...beginStep(0, policy, others) };
}

export function isLive(phase: string): boolean {
  return !(endPhases as readonly string[]).includes(phase);
}

/** A roll-out under way that an earlier release kept goes on in its phase; where the evidence was of another kind, it gathers anew. */
export function currentState(stored: StoredState, policy: RolloutPolicy): RolloutState {
  if (stored.v === 3) return stored;
  const { v, phase, paused, phaseSinceMs, streamTimeMs, sequence, difference, arms, ratio } = stored;
  const rest = { v: 3, streamTimeMs, exposureMs: 0, decided: [], sequence } as const;
  const index = policy.steps.findIndex(({ name }) => name === phase);
  if (index < 0) return { ...rest, ...start, phase, evidence: null };
  const fresh = beginStep(index, policy);
  const evidence = v === 2 && fresh.evidence !== null ? { ...fresh.evidence, difference, arms, ratio, mismatchAt: ratio?.mismatchAt ?? null, legRows: arms.candidate.n } : fresh.evidence;
  return { ...rest, ...fresh, paused, phaseSinceMs, legSinceMs: phaseSinceMs, evidence };
}

/** The step under way; undefined once it has ended. */
export function stepOf({ evidence }: Pick<RolloutState, 'evidence'>, policy: RolloutPolicy): StepPolicy | undefined {
  return evidence === null ? undefined : policy.steps[evidence.step];
}

export interface StepRoute {
  readonly phase: Exclude<RouteChanged['phase'], 'full'>;
  readonly step: string;
  /** Share of the units that the candidate answers. */
  readonly share: number;
  /** The arm that does not answer is asked too. */
  readonly mirror: boolean;
}

const routePhases = { shadow: 'shadow', canary: 'canary', linear: 'canary', ab: 'ab', bandit: 'ab', 'blue-green': 'ab' } as const;

/** What the route must be now; null once the roll-out has ended: then one version answers alone. */
export function routeOf(state: Pick<RolloutState, 'evidence'>, policy: RolloutPolicy): StepRoute | null {
  const step = stepOf(state, policy);
  if (step === undefined || state.evidence === null) return null;
  return { phase: routePhases[step.type], step: step.name, share: state.evidence.legs.at(-1)?.share ?? step.share, mirror: step.type === 'shadow' || step.type === 'blue-green' };
}

/** Whether the route of `after` is another than that of `before`. */
export function routeDiffers(before: RolloutState, after: RolloutState, policy: RolloutPolicy): boolean {
  const [from, to] = [routeOf(before, policy), routeOf(after, policy)];
  return before.phase !== after.phase || from?.share !== to?.share;
}

/** The same roll-out, ended from outside its evidence: by hand, after it was complete. */
export function endedBy(state: RolloutState, phase: EndPhase): RolloutState {
  return { ...state, ...start, phase, evidence: null, sequence: state.sequence + 1 };
}

/** Stream time until which a roll-out that has ended still learns from late labels; null: it does not. */
export function learnsUntilMs({ phase, decided }: RolloutState): number | null {
  return isLive(phase) || decided.length === 0 ? null : Math.max(...decided.map(({ untilMs }) => untilMs));
}
