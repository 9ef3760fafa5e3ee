import { extendSequence, normalSurvival, sequenceInterval } from '../statistics/index.js';
import { isLive, type ArmTally, type LivePhase, type RolloutPolicy, type RolloutState } from './rollout-state.js';

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

const srmAlpha = 0.001;
const clipped = (loss: number, bound: number): number => Math.min(bound, Math.max(0, loss));

export interface PairedLoss {
  readonly candidate: number;
  readonly champion: number;
}
export interface ArmLoss {
  readonly arm: 'champion' | 'candidate';
  readonly loss: number;
}

/** Largest absolute difference that one outcome of a phase can contribute; see `gatherEvidence`. */
function rangeOf(phase: LivePhase, policy: RolloutPolicy): number {
  if (phase === 'shadow') return policy.lossBound;
  const { share } = policy[phase];
  return policy.lossBound / Math.min(share, 1 - share);
}

const tally = (arm: ArmTally, loss: number): ArmTally => ({ n: arm.n + 1, loss: arm.loss + loss });

/**
 * Takes a batch of outcomes into the evidence of the phase; the state given stays as it is. Shadow: the difference of both
 * losses on the same request. Canary and A/B: who answers is drawn, so (loss − baseline) / share for the candidate’s
 * outcomes and −(loss − baseline) / (1 − share) for the champion’s have, given the past, the mean difference of the two
 * versions on that request, whatever the day is like (inverse-propensity weighting; D. G. Horvitz and D. J. Thompson,
 * JASA 47, 1952). The baseline, the mean loss of the phase so far, only narrows the spread.
 */
export function gatherEvidence(state: RolloutState, outcomes: { readonly pairs: readonly PairedLoss[]; readonly arms: readonly ArmLoss[] }, policy: RolloutPolicy): RolloutState {
  const { phase } = state;
  if (!isLive(phase)) return state;
  const { lossBound } = policy;
  const range = rangeOf(phase, policy);
  const difference = { ...state.difference };
  let { champion, candidate } = state.arms;
  const observe = (value: number): void => extendSequence(difference, Math.min(1, Math.max(0, (value / range + 1) / 2)));
  if (phase === 'shadow') {
    for (const pair of outcomes.pairs) {
      const losses = { candidate: clipped(pair.candidate, lossBound), champion: clipped(pair.champion, lossBound) };
      observe(losses.candidate - losses.champion);
      candidate = tally(candidate, losses.candidate);
      champion = tally(champion, losses.champion);
    }
    return { ...state, difference, arms: { champion, candidate } };
  }
  const { share } = policy[phase];
  for (const outcome of outcomes.arms) {
    const loss = clipped(outcome.loss, lossBound);
    const seen = champion.n + candidate.n;
    const baseline = (champion.loss + candidate.loss + lossBound / 2) / (seen + 1);
    observe(outcome.arm === 'candidate' ? (loss - baseline) / share : -(loss - baseline) / (1 - share));
    if (outcome.arm === 'candidate') candidate = tally(candidate, loss);
    else champion = tally(champion, loss);
  }
  return { ...state, difference, arms: { champion, candidate } };
}

export function evidenceOf(state: RolloutState, phase: LivePhase, policy: RolloutPolicy): RolloutEvidence {
  const { n, mean, low, high } = sequenceInterval(state.difference);
  const range = rangeOf(phase, policy);
  const back = (x: number): number => (2 * x - 1) * range;
  const margin = phase === 'shadow' ? policy.shadow.lossMargin : policy[phase].lossMargin;
  return { n, mean: mean === null ? null : back(mean), low: back(low), high: back(high), margin, alpha: policy.alpha };
}

/** Two-sided p of the candidate’s part of the outcomes against its share (normal approximation of the binomial). */
function sampleRatioP(candidate: number, champion: number, share: number): number {
  const n = candidate + champion;
  if (n === 0) return 1;
  return 2 * normalSurvival(Math.abs(candidate - n * share) / Math.sqrt(n * share * (1 - share)));
}

/**
 * Verdict of the phase so far. Anytime-valid: the chance that it ever says “worse” of a candidate that is not worse than
 * the margin, or “better”/“not worse” of one that is, is at most α in this phase. Before the minimum of outcomes only
 * “worse” is said. A sample ratio that the split cannot explain (α 0.001) blocks a good verdict.
 */
export function judgePhase(state: RolloutState, phase: LivePhase, policy: RolloutPolicy): PhaseJudgement {
  const evidence = evidenceOf(state, phase, policy);
  const { low, high, n } = evidence;
  const margin = phase === 'shadow' ? policy.shadow.lossMargin : policy[phase].lossMargin;
  const rows = phase === 'shadow' ? n : state.arms.candidate.n;
  const rowsMin = phase === 'shadow' ? policy.shadow.pairsMin : policy[phase].rowsMin;
  const interval = `[${(low ?? 0).toFixed(4)}, ${(high ?? 0).toFixed(4)}]`;
  if (low !== null && low > margin) return { verdict: 'worse', reason: `mean loss is higher by ${interval}, beyond the margin ${margin}`, evidence };
  if (rows < rowsMin) return { verdict: 'not-enough-evidence', reason: `${rows} of at least ${rowsMin} outcomes`, evidence };
  if (phase !== 'shadow') {
    const p = sampleRatioP(state.arms.candidate.n, state.arms.champion.n, policy[phase].share);
    if (p < srmAlpha) return { verdict: 'not-enough-evidence', reason: `sample ratio mismatch: ${state.arms.candidate.n} of ${n} outcomes against a share of ${policy[phase].share} (p ${p.toExponential(1)})`, evidence };
  }
  if (high !== null && high < 0) return { verdict: 'better', reason: `mean loss is lower: ${interval}`, evidence };
  if (high !== null && high <= margin) return { verdict: 'not-worse', reason: `mean loss differs by ${interval}, within the margin ${margin}`, evidence };
  return { verdict: 'not-enough-evidence', reason: `mean loss differs by ${interval}, margin ${margin}`, evidence };
}
