import { bettingEvidence, bettingInterval, extendBetting, observeUnit, type BettingSequence, type SampleRatio } from '../statistics/index.js';
import { counted, rangeOf, weighedOutcome, type ArmTallies } from './arm-difference.js';
import { comparisonOf, currentState, isLive, type LivePhase, type RolloutPolicy, type RolloutState } from './rollout-state.js';

export type RolloutVerdict = 'better' | 'not-worse' | 'worse' | 'not-enough-evidence';

/** Difference of mean losses, candidate − champion: below 0 the candidate is better. In units of the loss. */
export interface RolloutEvidence {
  readonly n: number;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly margin: number | null;
  readonly alpha: number | null;
}

export interface PhaseJudgement {
  readonly verdict: RolloutVerdict;
  readonly reason: string;
  readonly evidence: RolloutEvidence;
}

const clipped = (loss: number, bound: number): number => Math.min(bound, Math.max(0, loss));

export interface PairedLoss {
  readonly candidate: number;
  readonly champion: number;
}
export interface ArmLoss {
  readonly arm: 'champion' | 'candidate';
  readonly loss: number;
}

/** A copy that may be changed: the state given to a decision stays as it is. */
function copied({ up, down, ...rest }: BettingSequence): BettingSequence {
  const side = ({ bets, shares, growths }: BettingSequence['up']): BettingSequence['up'] => ({ bets: [...bets], shares: [...shares], growths: [...growths] });
  return { ...rest, up: side(up), down: side(down) };
}

/**
 * Takes a batch of outcomes into the evidence of the phase; the state given stays as it is. Shadow: the difference of both
 * losses on the same request. Canary and A/B: who answers is drawn, see `weighedOutcome`.
 */
export function gatherEvidence(stored: RolloutState, outcomes: { readonly pairs: readonly PairedLoss[]; readonly arms: readonly ArmLoss[] }, policy: RolloutPolicy): RolloutState {
  const state = currentState(stored, policy);
  const { phase } = state;
  if (!isLive(phase)) return state;
  const { lossBound } = policy;
  const { share } = comparisonOf(phase, policy);
  const difference = copied(state.difference);
  const range = rangeOf({ share, lossBound });
  const observe = (value: number): void => extendBetting(difference, clippedTo(value, range));
  let arms: ArmTallies = state.arms;
  if (share === null) {
    for (const pair of outcomes.pairs) {
      const losses = { candidate: clipped(pair.candidate, lossBound), champion: clipped(pair.champion, lossBound) };
      observe(losses.candidate - losses.champion);
      arms = counted(counted(arms, 'candidate', losses.candidate), 'champion', losses.champion);
    }
    return { ...state, difference, arms };
  }
  const ratio: SampleRatio | null = state.ratio === null ? null : { ...state.ratio, process: { ...state.ratio.process } };
  for (const outcome of outcomes.arms) {
    const loss = clipped(outcome.loss, lossBound);
    observe(weighedOutcome(outcome.arm, loss, arms, share, lossBound));
    arms = counted(arms, outcome.arm, loss);
    if (ratio !== null) observeUnit(ratio, outcome.arm === 'candidate');
  }
  return { ...state, difference, arms, ratio };
}

/** Rounding may carry an extreme value past the bound by its last digit. */
const clippedTo = (value: number, range: number): number => Math.min(range, Math.max(-range, value));

export function evidenceOf(stored: RolloutState, phase: LivePhase, policy: RolloutPolicy): RolloutEvidence {
  const { difference } = currentState(stored, policy);
  const { n, mean, low, high } = bettingInterval(difference);
  return { n, mean, low, high, margin: comparisonOf(phase, policy).margin, alpha: policy.alpha };
}

type Finding = { readonly verdict: RolloutVerdict; readonly because: 'harm' | 'few' | 'ratio' | 'evidence' };

/** The verdict alone: no interval is looked for, so that every outcome can ask. */
function findingOf(state: RolloutState, phase: LivePhase, policy: RolloutPolicy): Finding {
  const { margin } = comparisonOf(phase, policy);
  const needed = Math.log(1 / policy.alpha);
  const won = (side: 'up' | 'down', mean: number): boolean => bettingEvidence(state.difference, side, mean, needed) >= needed;
  if (won('up', margin)) return { verdict: 'worse', because: 'harm' };
  if (countedRows(state, phase) < rowsMin(phase, policy)) return { verdict: 'not-enough-evidence', because: 'few' };
  if (state.ratio !== null && state.ratio.mismatchAt !== null) return { verdict: 'not-enough-evidence', because: 'ratio' };
  // A mean that is not 0 or more is not the margin or more either.
  if (!won('down', margin)) return { verdict: 'not-enough-evidence', because: 'evidence' };
  return { verdict: margin <= 0 || won('down', 0) ? 'better' : 'not-worse', because: 'evidence' };
}

const countedRows = (state: RolloutState, phase: LivePhase): number => (phase === 'shadow' ? state.difference.n : state.arms.candidate.n);
const rowsMin = (phase: LivePhase, policy: RolloutPolicy): number => (phase === 'shadow' ? policy.shadow.pairsMin : policy[phase].rowsMin);

/**
 * Verdict of the phase so far. Anytime-valid: the chance that it ever says “worse” of a candidate that is not worse than
 * the margin, or “better”/“not worse” of one that is, is at most α in this phase. Before the minimum of outcomes only
 * “worse” is said. A sample ratio that the split cannot explain (α 0.001 over every look) blocks a good verdict.
 */
export function verdictOfPhase(stored: RolloutState, phase: LivePhase, policy: RolloutPolicy): RolloutVerdict {
  return findingOf(currentState(stored, policy), phase, policy).verdict;
}

/** The verdict with its reason and interval, which cost about a hundred times as much. */
export function judgePhase(stored: RolloutState, phase: LivePhase, policy: RolloutPolicy): PhaseJudgement {
  const state = currentState(stored, policy);
  const { verdict, because } = findingOf(state, phase, policy);
  const evidence = evidenceOf(state, phase, policy);
  return { verdict, reason: reasonOf({ verdict, because }, state, evidence, phase, policy), evidence };
}

function reasonOf({ verdict, because }: Finding, state: RolloutState, { n, low, high, margin }: RolloutEvidence, phase: LivePhase, policy: RolloutPolicy): string {
  const interval = `[${(low ?? 0).toFixed(4)}, ${(high ?? 0).toFixed(4)}]`;
  if (because === 'harm') return `mean loss is higher by ${interval}, beyond the margin ${margin ?? 0}`;
  if (because === 'few') return `${countedRows(state, phase)} of at least ${rowsMin(phase, policy)} outcomes`;
  if (because === 'ratio') return `sample ratio mismatch: ${state.arms.candidate.n} of ${n} outcomes against a share of ${comparisonOf(phase, policy).share ?? 0}, found at outcome ${state.ratio?.mismatchAt ?? n}`;
  if (verdict === 'better') return `mean loss is lower: ${interval}`;
  if (verdict === 'not-worse') return `mean loss differs by ${interval}, within the margin ${margin ?? 0}`;
  return `mean loss differs by ${interval}, margin ${margin ?? 0}`;
}
