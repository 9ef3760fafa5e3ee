import { quantileInterval } from '../statistics/index.js';
import type { Arm } from './arm-difference.js';
import { judgeArm, judgePair, lookAfter, startDifferenceJudge, type DifferenceJudge } from './difference-judge.js';

/**
 * Guards a high quantile of the latency. An answer is slow when it takes longer than the champion’s quantile so far; the
 * arms’ shares of slow answers are compared like losses of 0 and 1. The limit is known before each answer, so equal arms
 * are equal at every limit and the verdict keeps its error. “Worse” means: the candidate’s share of slow answers is above
 * the champion’s by more than the champion’s own share was meant to be (1 point at p99: more than twice as many).
 * All latencies are kept, milliseconds: 16 bytes per row at most. The guards of a live roll-out keep buckets 2 % wide instead
 * (guards/latency-limit): their state is saved with each batch, they tell no interval, and their limit has a tolerance anyway.
 * This one tells each arm’s quantile with an interval made of its order statistics, and its limit is the champion’s quantile
 * itself, so that the margin of one tail is what it says: buckets would blur both by up to 2 %.
 */
export interface LatencyGuard {
  readonly v: 1;
  readonly quantile: number;
  readonly latenciesMs: { readonly champion: number[]; readonly candidate: number[] };
  /** The champion’s quantile at its last doubling; null before there is one. */
  limitMs: number | null;
  nextLimitAt: number;
  readonly slow: DifferenceJudge;
}

export interface ArmLatency {
  readonly n: number;
  readonly estimateMs: number | null;
  /** Anytime-valid interval; null where the sample does not bound it. */
  readonly lowerMs: number | null;
  readonly upperMs: number | null;
}

/** Answers of the champion before the first limit is drawn, in multiples of 1 / (1 − quantile). */
const firstLimitTails = 2;

export function startLatencyGuard(quantile: number, share: number | null, alpha: number): LatencyGuard {
  const tail = 1 - quantile;
  return {
    v: 1, quantile, latenciesMs: { champion: [], candidate: [] }, limitMs: null, nextLimitAt: Math.ceil(firstLimitTails / tail),
    slow: startDifferenceJudge({ share, lossBound: 1, margin: tail, alpha, effect: 3 * tail }),
  };
}

const slowness = (latencyMs: number, limitMs: number): number => (latencyMs > limitMs ? 1 : 0);

function keep(guard: LatencyGuard, arm: Arm, latencyMs: number): void {
  const { champion } = guard.latenciesMs;
  guard.latenciesMs[arm].push(latencyMs);
  if (arm === 'candidate' || champion.length < guard.nextLimitAt) return;
  guard.limitMs = Float64Array.from(champion).sort()[Math.ceil(champion.length * guard.quantile) - 1] ?? null;
  guard.nextLimitAt = champion.length * 2;
}

export function guardLatency(guard: LatencyGuard, arm: Arm, latencyMs: number, row: number): void {
  if (guard.limitMs !== null) {
    judgeArm(guard.slow, arm, slowness(latencyMs, guard.limitMs));
    lookAfter(guard.slow, row, false);
  }
  keep(guard, arm, latencyMs);
}

export function guardLatencyPair(guard: LatencyGuard, candidateMs: number, championMs: number, row: number): void {
  if (guard.limitMs !== null) {
    judgePair(guard.slow, slowness(candidateMs, guard.limitMs), slowness(championMs, guard.limitMs));
    lookAfter(guard.slow, row, false);
  }
  keep(guard, 'candidate', candidateMs);
  keep(guard, 'champion', championMs);
}

/** Each arm’s quantile with its interval, both right at every look with probability 1 − α. */
export function latencyOf(guard: LatencyGuard): Record<Arm, ArmLatency> {
  const { quantile, latenciesMs, slow } = guard;
  const of = (latencies: readonly number[]): ArmLatency => {
    const { estimate, low, high } = quantileInterval(Float64Array.from(latencies).sort(), quantile, slow.comparison.alpha / 2);
    return { n: latencies.length, estimateMs: estimate, lowerMs: Number.isFinite(low) ? low : null, upperMs: Number.isFinite(high) ? high : null };
  };
  return { champion: of(latenciesMs.champion), candidate: of(latenciesMs.candidate) };
}
