import { extendSequence, normalSurvival, sequenceInterval } from '../statistics/index.js';
import type { LivePhase, RolloutPolicy, RolloutState } from './rollout-state.js';

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

/** Takes a batch of outcomes into the evidence of the phase, in place on a copy: the state given stays as it is. */
export function gatherEvidence(state: RolloutState, outcomes: { readonly pairs: readonly PairedLoss[]; readonly arms: readonly ArmLoss[] }, policy: RolloutPolicy): RolloutState {
  const next = { ...state, paired: { ...state.paired }, champion: { ...state.champion }, candidate: { ...state.candidate } };
  const { lossBound } = policy;
  if (state.phase === 'shadow') {
    for (const { candidate, champion } of outcomes.pairs) extendSequence(next.paired, ((clipped(candidate, lossBound) - clipped(champion, lossBound)) / lossBound + 1) / 2);
  } else {
    for (const { arm, loss } of outcomes.arms) extendSequence(next[arm], clipped(loss, lossBound) / lossBound);
  }
  return next;
}

export function evidenceOf(state: RolloutState, phase: LivePhase, policy: RolloutPolicy): RolloutEvidence {
  const { lossBound, alpha } = policy;
  if (phase === 'shadow') {
    const { n, mean, low, high } = sequenceInterval(state.paired);
    const back = (x: number): number => (2 * x - 1) * lossBound;
    return { n, mean: mean === null ? null : back(mean), low: back(low), high: back(high), margin: policy.shadow.lossMargin, alpha };
  }
  const [a, b] = [sequenceInterval(state.candidate), sequenceInterval(state.champion)];
  const mean = a.mean === null || b.mean === null ? null : (a.mean - b.mean) * lossBound;
  return { n: a.n + b.n, mean, low: (a.low - b.high) * lossBound, high: (a.high - b.low) * lossBound, margin: policy[phase].lossMargin, alpha };
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
  const rows = phase === 'shadow' ? n : state.candidate.n;
  const rowsMin = phase === 'shadow' ? policy.shadow.pairsMin : policy[phase].rowsMin;
  const interval = `[${(low ?? 0).toFixed(4)}, ${(high ?? 0).toFixed(4)}]`;
  if (low !== null && low > margin) return { verdict: 'worse', reason: `mean loss is higher by ${interval}, beyond the margin ${margin}`, evidence };
  if (rows < rowsMin) return { verdict: 'not-enough-evidence', reason: `${rows} of at least ${rowsMin} outcomes`, evidence };
  if (phase !== 'shadow') {
    const p = sampleRatioP(state.candidate.n, state.champion.n, policy[phase].share);
    if (p < srmAlpha) return { verdict: 'not-enough-evidence', reason: `sample ratio mismatch: ${state.candidate.n} of ${n} outcomes against a share of ${policy[phase].share} (p ${p.toExponential(1)})`, evidence };
  }
  if (high !== null && high < 0) return { verdict: 'better', reason: `mean loss is lower: ${interval}`, evidence };
  if (high !== null && high <= margin) return { verdict: 'not-worse', reason: `mean loss differs by ${interval}, within the margin ${margin}`, evidence };
  return { verdict: 'not-enough-evidence', reason: `mean loss differs by ${interval}, margin ${margin}`, evidence };
}
