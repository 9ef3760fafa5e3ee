import { bettingEvidence, bettingInterval, type BettingSequence } from '../statistics/index.js';
import { businessReading, businessTold, isBusinessBreached } from './guards/business-metric.js';
import type { GuardReading } from './guards/judge-guards.js';
import { comparisonOf, isPaired, type RolloutPolicy, type StepPolicy } from './rollout-policy.js';
import { rowsOf, sliceAlpha, splitOf, type SliceEvidence, type StepEvidence } from './step-evidence.js';

export type RolloutVerdict = 'better' | 'not-worse' | 'worse' | 'not-enough-evidence';

export interface SliceFinding {
  /** feature=value */
  readonly slice: string;
  readonly verdict: RolloutVerdict;
  readonly n: number;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Error of this slice in this step. */
  readonly alpha: number;
}

/** Difference of mean losses, candidate − champion: below 0 the candidate is better. In units of the loss. */
export interface RolloutEvidence {
  readonly n: number;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly margin: number | null;
  /** Error of each bound. */
  readonly alpha: number | null;
  /** Whose figures these are; absent: the difference of mean losses. */
  readonly guard?: string;
  /** So many candidates may be tried at once: the errors are those of this one, and hold for so many together at so many times as much. */
  readonly candidates?: number;
  readonly slices?: SliceFinding[];
}

export interface StepJudgement {
  readonly verdict: RolloutVerdict;
  readonly reason: string;
  readonly evidence: RolloutEvidence;
}

export interface StepFinding {
  readonly verdict: RolloutVerdict;
  readonly because: 'harm' | 'slice' | 'business' | 'few' | 'ratio' | 'evidence';
  /** The slice that is worse. */
  readonly slice: string | null;
}

const found = (verdict: RolloutVerdict, because: StepFinding['because'], slice: string | null = null): StepFinding => ({ verdict, because, slice });

function won(difference: BettingSequence, side: 'up' | 'down', mean: number, alpha: number): boolean {
  const needed = Math.log(1 / alpha);
  return bettingEvidence(difference, side, mean, needed) >= needed;
}

function standing(difference: BettingSequence, { lossMargin, alpha }: StepPolicy, alphaPass: number): RolloutVerdict {
  if (won(difference, 'up', lossMargin, alpha)) return 'worse';
  if (won(difference, 'down', 0, alpha)) return 'better';
  return lossMargin > 0 && won(difference, 'down', lossMargin, alphaPass) ? 'not-worse' : 'not-enough-evidence';
}

const sliceNames = ({ slices }: StepEvidence): string[] => Object.keys(slices).sort();

function worseSlice(evidence: StepEvidence, { lossMargin }: StepPolicy, policy: RolloutPolicy): string | null {
  if (policy.slices === null) return null;
  const alpha = sliceAlpha(policy);
  return sliceNames(evidence).find((name) => won(evidence.slices[name]?.difference ?? evidence.difference, 'up', lossMargin, alpha)) ?? null;
}

/**
 * Verdict of a step so far, without its interval, so that every outcome can ask. Anytime-valid: see `RolloutPolicy` for the
 * errors. Before the minimum of outcomes only “worse” is said, of the whole or of a slice. A sample ratio that the split
 * cannot explain (α 0.001 over every look of a leg) blocks a good verdict.
 */
export function findingOf(evidence: StepEvidence, policy: RolloutPolicy): StepFinding {
  const step = policy.steps[evidence.step];
  if (step === undefined) return found('not-enough-evidence', 'few');
  const overall = standing(evidence.difference, step, policy.alpha);
  if (overall === 'worse') return found('worse', 'harm');
  const slice = worseSlice(evidence, step, policy);
  if (slice !== null) return found('worse', 'slice', slice);
  if (evidence.business !== undefined && policy.business !== undefined && isBusinessBreached(evidence.business, policy.business)) return found('worse', 'business');
  if (rowsOf(evidence) < step.rowsMin) return found('not-enough-evidence', 'few');
  if (evidence.mismatchAt !== null) return found('not-enough-evidence', 'ratio');
  return found(overall, 'evidence');
}

/** Whether a verdict lets the candidate leave a step upwards. */
export const passes = (verdict: RolloutVerdict, { require }: StepPolicy): boolean => verdict === 'better' || (verdict === 'not-worse' && require === 'not-worse');

function intervalOf(difference: BettingSequence, alpha: number, lossBound: number): Pick<RolloutEvidence, 'n' | 'mean' | 'low' | 'high'> {
  const { n, mean, low, high } = bettingInterval({ ...difference, alpha });
  return { n, mean, low: Math.max(-lossBound, low), high: Math.min(lossBound, high) };
}

function sliceFinding(slice: string, { difference }: SliceEvidence, step: StepPolicy, policy: RolloutPolicy): SliceFinding {
  const alpha = sliceAlpha(policy);
  return { slice, verdict: standing(difference, { ...step, alpha }, alpha), ...intervalOf(difference, alpha, policy.lossBound), alpha };
}

/** The numbers behind a verdict; they cost about a hundred times as much as the verdict. */
export function evidenceOf(evidence: StepEvidence, policy: RolloutPolicy, verdict: RolloutVerdict = findingOf(evidence, policy).verdict): RolloutEvidence {
  const step = policy.steps[evidence.step];
  if (step === undefined) return { n: 0, mean: null, low: null, high: null, margin: null, alpha: null };
  const { margin } = comparisonOf(step, policy);
  const alpha = verdict === 'not-worse' ? policy.alpha : step.alpha;
  const slices = sliceNames(evidence).flatMap((name) => {
    const slice = evidence.slices[name];
    return slice === undefined ? [] : [sliceFinding(name, slice, step, policy)];
  });
  return { ...intervalOf(evidence.difference, alpha, policy.lossBound), margin, alpha, ...(policy.candidates === undefined ? {} : { candidates: policy.candidates }), ...(policy.slices === null ? {} : { slices }) };
}

/** The verdict with its reason and interval. */
export function judgeStep(evidence: StepEvidence, policy: RolloutPolicy): StepJudgement {
  const finding = findingOf(evidence, policy);
  const { business } = evidence;
  if (business !== undefined && policy.business !== undefined && finding.because === 'business') {
    const { reason, ...reading } = businessReading(business, policy.business);
    return { verdict: 'worse', reason, evidence: evidenceOfGuard(reading) };
  }
  const numbers = evidenceOf(evidence, policy, finding.verdict);
  const told = business === undefined || policy.business === undefined ? '' : `; ${businessTold(business, policy.business)}`;
  return { verdict: finding.verdict, reason: `${reasonOf(finding, evidence, numbers, policy)}${told}`, evidence: numbers };
}

/** What a breached guard has seen, as the evidence of the step that takes the candidate back. */
export function evidenceOfGuard({ guard, n, difference, low, limit, alpha }: Omit<GuardReading, 'reason'>): RolloutEvidence {
  return { n, mean: difference, low, high: null, margin: limit, alpha, guard };
}

const count = (value: number): string => value.toLocaleString('en-US');
const loss = (value: number | null): string => Math.abs(value ?? 0).toFixed(4);
const percent = (value: number): string => `${Number((100 * value).toPrecision(2))} %`;

function meansOf({ arms }: Pick<StepEvidence, 'arms'>): string {
  const mean = ({ n, loss: sum }: StepEvidence['arms']['champion']): string => (n === 0 ? '–' : (sum / n).toFixed(4));
  return `mean loss ${mean(arms.candidate)}, the champion’s ${mean(arms.champion)}`;
}

function differenceOf(verdict: RolloutVerdict, { low, high, margin }: Pick<RolloutEvidence, 'low' | 'high'> & { readonly margin: number }): string {
  const within = margin === 0 ? '' : `, ${verdict === 'not-worse' ? 'within' : 'the margin is'} ${verdict === 'not-worse' ? 'the margin ' : ''}${margin}`;
  if (verdict === 'worse') return `worse by at least ${loss(low)}${margin === 0 ? '' : `, the margin is ${margin}`}`;
  if (verdict === 'better') return `better by at least ${loss(high)}`;
  return `between ${loss(low)} ${(low ?? 0) < 0 ? 'better' : 'worse'} and ${loss(high)} ${(high ?? 0) < 0 ? 'better' : 'worse'}${within}`;
}

const correctedFor = ({ candidates }: RolloutPolicy): string => (candidates === undefined ? '' : `, corrected for ${candidates} candidates at once`);

function lastSplit({ legs }: StepEvidence): number {
  const last = legs.at(-1);
  return last === undefined ? 0 : splitOf(last);
}

/** A sentence for people: what was seen of how many, what it leaves possible, and how often such a sentence is wrong. */
function reasonOf({ verdict, because, slice }: StepFinding, evidence: StepEvidence, { n, low, high, margin, alpha, slices = [] }: RolloutEvidence, policy: RolloutPolicy): string {
  const step = policy.steps[evidence.step];
  if (step === undefined) return 'the plan has no such step';
  const unit = isPaired(step) ? 'pairs' : 'outcomes';
  const told = `${count(n)} ${unit}`;
  if (because === 'few') return `${count(rowsOf(evidence))} of at least ${count(step.rowsMin)} ${isPaired(step) ? 'pairs' : 'outcomes of the candidate'}`;
  if (because === 'ratio') return `sample ratio mismatch: ${count(evidence.arms.candidate.n)} of ${told} are the candidate’s, which its share of ${percent(lastSplit(evidence))} does not explain (found at outcome ${count(evidence.mismatchAt ?? n)}); outcomes of one arm are lost`;
  const bad = slices.find((each) => each.slice === slice);
  if (bad !== undefined && slice !== null) {
    const arms = evidence.slices[slice]?.arms ?? evidence.arms;
    return `for ${slice}: ${meansOf({ arms })}: ${differenceOf('worse', { ...bad, margin: margin ?? 0 })} (${count(bad.n)} ${unit}, error at most ${percent(bad.alpha)}${correctedFor(policy)})`;
  }
  return `${meansOf(evidence)}: ${differenceOf(verdict, { low, high, margin: margin ?? 0 })} (${told}, error at most ${percent(alpha ?? 0)}${correctedFor(policy)})`;
}
