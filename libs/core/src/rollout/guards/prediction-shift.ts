import { bettingEvidence, bettingInterval, extendBetting, startBetting, type BettingSequence } from '../../statistics/index.js';
import type { Arm } from '../arm-difference.js';

interface Scores {
  n: number;
  sum: number;
}

/**
 * Distance of the arms’ mean scores. Answers are gathered until both arms have given some; the difference of their means is one
 * observation. In shadow both arms answer the same requests, afterwards units are drawn, so equal versions differ by 0 on average
 * whatever the day is like. Scores lie in [0, 1]. Plain JSON.
 */
export interface PredictionShift {
  readonly v: 1;
  readonly max: number;
  readonly alpha: number;
  readonly open: { readonly champion: Scores; readonly candidate: Scores };
  readonly all: { readonly champion: Scores; readonly candidate: Scores };
  readonly differences: BettingSequence;
}

/** Answers of each arm in one observation, at least. */
const gathered = 5;

const noScores = (): Scores => ({ n: 0, sum: 0 });

/** @param alpha error of “further apart than `max`”, over every look. */
export function startShift(max: number, alpha: number): PredictionShift {
  const aim = { effects: [max / 2, max], deviations: [] };
  return {
    v: 1, max, alpha, open: { champion: noScores(), candidate: noScores() }, all: { champion: noScores(), candidate: noScores() },
    differences: startBetting({ lowest: -1, highest: 1, alpha: alpha / 2, aimUp: aim, aimDown: aim }),
  };
}

/** Takes in one answer, in place. @param score in [0, 1]. */
export function observeScore({ open, all, differences }: PredictionShift, arm: Arm, score: number): void {
  for (const scores of [open[arm], all[arm]]) {
    scores.n += 1;
    scores.sum += score;
  }
  const { champion, candidate } = open;
  if (champion.n < gathered || candidate.n < gathered) return;
  extendBetting(differences, candidate.sum / candidate.n - champion.sum / champion.n);
  for (const scores of [champion, candidate]) {
    scores.n = 0;
    scores.sum = 0;
  }
}

/** ln of the larger e-process: against “not higher by more than max” and “not lower by more than max”; compare with ln(2/α). */
export function shiftEvidence({ differences, max }: PredictionShift): number {
  return Math.max(bettingEvidence(differences, 'up', max), bettingEvidence(differences, 'down', -max));
}

/** Mean difference, candidate − champion, and its interval, in units of the score. */
export function shiftInterval({ differences }: PredictionShift): { mean: number | null; low: number; high: number } {
  return bettingInterval(differences);
}
