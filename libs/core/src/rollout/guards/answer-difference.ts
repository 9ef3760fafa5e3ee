import type { PredictionOutput } from '@millrace/contracts';
import { bettingEvidence, bettingInterval, extendBetting, startBetting, type BettingSequence } from '../../statistics/index.js';
import { countLatency, startLatencyLimit, type LatencyLimit } from './latency-limit.js';

/** How far apart two answers to one request are: see `answerDistance`. */
export interface ComparedAnswers {
  /** Candidate and champion. */
  readonly difference: number;
  /** The champion and itself, asked again. */
  readonly noise: number;
}

/**
 * Part of the shadow answers in which the candidate differs from the champion by more than noise. A model may differ from
 * itself: runtimes that are not deterministic, floats that depend on who shares the batch. So for some requests the champion
 * is asked a second time, and both distances are held against the 99th percentile of its own that was known before: what
 * the candidate exceeds more often than the champion itself is no noise. For a candidate that is the same model both
 * distances have one law, so the difference of both signs has mean 0 whatever the noise is like and however the limit is
 * drawn, and the interval (betting, see `startBetting`) is right at every look. Plain JSON of bounded size.
 */
export interface AnswerDifference {
  readonly v: 1;
  /** The champion’s own distances, counted in buckets 2 % wide, in millionths: the limit is their quantile. */
  readonly noise: LatencyLimit;
  readonly sequence: BettingSequence;
  /** Candidate’s and champion’s own distances beyond the limit. */
  beyond: number;
  own: number;
}

const noiseQuantile = 0.99;
/** Distances are counted in millionths; below a hundredth of one they are rounding. */
const perUnit = 1e6;
/** Shares that the bets are tuned to. */
const aims = { effects: [0.01, 0.05, 0.3], deviations: [] };

/** @param alpha of each end of the interval, over every look. */
export function startAnswerDifference(alpha: number): AnswerDifference {
  return { v: 1, noise: startLatencyLimit({ quantile: noiseQuantile, ratioMax: 1, slackMs: 0 }), sequence: startBetting({ lowest: -1, highest: 1, alpha, aimUp: aims, aimDown: aims }), beyond: 0, own: 0 };
}

/** Takes in one request that the champion was asked twice, in place. */
export function observeAnswers(state: AnswerDifference, { difference, noise }: ComparedAnswers): void {
  const { limitMs: limit } = state.noise;
  if (limit !== null) {
    const [beyond, own] = [difference, noise].map((distance) => (distance * perUnit > limit ? 1 : 0));
    state.beyond += beyond ?? 0;
    state.own += own ?? 0;
    extendBetting(state.sequence, (beyond ?? 0) - (own ?? 0));
  }
  countLatency(state.noise, noise * perUnit);
}

export interface AnswerDifferenceFound {
  /** Requests that were held against a limit, and all that the champion was asked twice. */
  readonly n: number;
  readonly asked: number;
  /** The champion’s own distance at its 99th percentile; null: not known yet. */
  readonly noise: number | null;
  /** Part of the answers that differ beyond noise, with an interval. */
  readonly mean: number | null;
  readonly low: number;
  readonly high: number;
}

export function answerDifferenceOf({ noise, sequence }: AnswerDifference): AnswerDifferenceFound {
  const { n, mean, low, high } = bettingInterval(sequence);
  return { n, asked: noise.n, noise: noise.limitMs === null ? null : noise.limitMs / perUnit, mean, low, high };
}

/** ln of the evidence against “at most this part differs”. */
export const answerDifferenceEvidence = ({ sequence }: AnswerDifference, max: number): number => bettingEvidence(sequence, 'up', max);

/**
 * How far apart two answers are: probabilities by their total variation (for two classes: |p − q|), values by |a − b|, labels
 * alone by 0 or 1. Null: they do not compare.
 */
export function answerDistance(a: PredictionOutput, b: PredictionOutput): number | null {
  if (a.probabilities !== undefined && b.probabilities !== undefined) {
    const [p, q] = [a.probabilities, b.probabilities];
    return [...new Set([...Object.keys(p), ...Object.keys(q)])].reduce((sum, name) => sum + Math.abs((p[name] ?? 0) - (q[name] ?? 0)) / 2, 0);
  }
  if (a.probability !== undefined && b.probability !== undefined) return Math.abs(a.probability - b.probability);
  if (a.value !== undefined && b.value !== undefined) return Math.abs(a.value - b.value);
  return a.label === undefined || b.label === undefined ? null : a.label === b.label ? 0 : 1;
}
