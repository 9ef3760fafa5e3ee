import type { RolloutStepType } from '@millrace/contracts';
import { evidenceOf, findingOf, passes, type RolloutEvidence, type RolloutVerdict } from './judge-step.js';
import { comparisonOf, isPaired, type RolloutPolicy, type StepPolicy } from './rollout-policy.js';
import { isLive, learnsUntilMs, stepOf, type RolloutState } from './rollout-state.js';
import { rowsOf, type StepEvidence } from './step-evidence.js';

/** One step of a plan and how far the roll-out has come in it, for people. */
export interface StepStanding {
  readonly name: string;
  readonly type: RolloutStepType;
  /** First and last share of the units. */
  readonly shares: readonly [number, number];
  readonly stands: 'passed' | 'under way' | 'ended here' | 'ahead';
  readonly rows: number | null;
  readonly rowsMin: number;
  readonly margin: number;
  readonly requires: 'better' | 'not-worse';
  readonly verdict: RolloutVerdict | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly durationMs: number;
  readonly exposureMaxMs: number | null;
  readonly onTimeout: StepPolicy['onTimeout'];
  /** Errors: of “worse” and “better” in this step. */
  readonly alpha: number;
}

export interface RolloutStanding {
  readonly steps: readonly StepStanding[];
  readonly shareNow: number | null;
  /** Share × time so far, as time of the whole traffic. */
  readonly exposureMs: number;
  readonly exposureMaxMs: number | null;
  /** So many candidates may be tried at once; absent: one. */
  readonly candidates?: number;
  /** A sentence. */
  readonly waitsFor: string;
}

const count = (value: number): string => value.toLocaleString('en-US');
const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** What must come before the step may be passed. */
function neededIn(step: StepPolicy, evidence: StepEvidence, { low, high }: Pick<RolloutEvidence, 'low' | 'high'>, { verdict, because }: ReturnType<typeof findingOf>, lossBound: number): string {
  const { margin } = comparisonOf(step, { lossBound });
  if (because === 'few') return `${count(step.rowsMin - rowsOf(evidence))} more ${isPaired(step) ? 'pairs' : 'outcomes of the candidate'}`;
  if (because === 'ratio') return 'an explanation of the sample ratio mismatch: outcomes of one arm are lost, and nothing passes until then';
  if (passes(verdict, step)) return 'its time: the evidence is there';
  const bar = step.require === 'better' ? 0 : margin;
  return `evidence: the difference lies between ${(low ?? 0).toFixed(4)} and ${(high ?? 0).toFixed(4)}, and its upper end must fall below ${bar}`;
}

const afterTime = { 'roll-back': 'it is rolled back', hold: 'a person decides', 'go-on': 'it goes on' } as const;

function waitsFor(state: RolloutState, policy: RolloutPolicy): string {
  const until = learnsUntilMs(state);
  if (!isLive(state.phase)) return until === null ? 'nothing: it has ended' : `late labels until ${instant(until)}; they may still revise its verdicts`;
  const step = stepOf(state, policy);
  const { evidence, phaseSinceMs, legSinceMs } = state;
  if (step === undefined || evidence === null) return 'nothing';
  if (state.held === 'chosen-next') return 'the candidates beside it: it has passed its last step, and one of them may still win';
  if (state.held !== null) return `a person (${state.held === 'passed' ? 'the step is passed' : state.held}): advance, promote, resume, abort or rollback`;
  if (state.paused) return 'a person: it is paused';
  if (phaseSinceMs === null) return 'its first outcome';
  const finding = findingOf(evidence, policy);
  const needs = [neededIn(step, evidence, evidenceOf(evidence, policy, finding.verdict), finding, policy.lossBound)];
  const share = evidence.legs.at(-1)?.share ?? step.share;
  if (step.ramp !== null && share < step.ramp.to - 1e-9) needs.push(`its share to grow from ${percent(share)} to ${percent(step.ramp.to)}, next at ${instant((legSinceMs ?? phaseSinceMs) + step.ramp.everyMs)}`);
  if (step.soakMs > 0 && (state.streamTimeMs ?? 0) - phaseSinceMs < step.soakMs) needs.push(`its time to be over at ${instant(phaseSinceMs + step.soakMs)}`);
  return `${needs.join('; ')}; without a verdict by ${instant(phaseSinceMs + step.durationMs)} (stream time) ${afterTime[step.onTimeout]}`;
}

/** @param entered names of the steps that it has entered, in their order. */
export function standingOf(state: RolloutState, policy: RolloutPolicy, entered: readonly string[]): RolloutStanding {
  const last = policy.steps.findLastIndex(({ name }) => entered.includes(name));
  const steps = policy.steps.map((step, index): StepStanding => {
    const here = index === state.evidence?.step;
    const evidence: StepEvidence | null = here ? state.evidence : (state.decided.find((each) => each.step === index) ?? null);
    const finding = evidence === null ? null : findingOf(evidence, policy);
    const numbers = evidence === null || finding === null ? null : evidenceOf(evidence, policy, finding.verdict);
    const ended = index === last && state.phase !== 'full';
    return {
      name: step.name, type: step.type, shares: [step.share, step.ramp?.to ?? step.share],
      stands: here ? 'under way' : index > last ? 'ahead' : ended ? 'ended here' : 'passed',
      rows: evidence === null ? null : rowsOf(evidence), rowsMin: step.rowsMin, margin: step.lossMargin, requires: step.require,
      verdict: finding?.verdict ?? null, low: numbers?.low ?? null, high: numbers?.high ?? null,
      durationMs: step.durationMs, exposureMaxMs: step.exposureMaxMs, onTimeout: step.onTimeout, alpha: step.alpha,
    };
  });
  return { steps, shareNow: state.evidence?.legs.at(-1)?.share ?? null, exposureMs: state.exposureMs, exposureMaxMs: policy.exposureMaxMs, ...(policy.candidates === undefined ? {} : { candidates: policy.candidates }), waitsFor: waitsFor(state, policy) };
}
