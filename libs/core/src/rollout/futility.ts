import { effectSpread, type Comparison } from './arm-difference.js';
import type { BettingSequence } from '../statistics/index.js';

/**
 * When to stop because no verdict is near. Two bets run against the differences that the roll-out was made to find: “the
 * candidate is worse by the effect or more” and “it is better by the effect or more” (with a margin: “it is equal or
 * better”). When both are refused at error β, neither is there to be found: futile. A difference that is there is given up
 * with probability at most β, over every look together (A. Wald, Sequential Analysis, 1947: each bet is the sequential
 * probability ratio test of an effect against the middle between both).
 */
export interface Futility {
  readonly v: 1;
  readonly beta: number;
  /** Differences refused, and the bets against them; null until the spread of the losses is known. */
  bets: { readonly upper: number; readonly lower: number; readonly bet: number } | null;
  againstUpper: number;
  againstLower: number;
  upperRefused: boolean;
  lowerRefused: boolean;
  /** Null while it may still pay to go on. */
  firstRow: number | null;
}

/** Leaves 83 % of the power and, between equal arms, ends a roll-out after two thirds of a fixed test of 80 % power. */
export const futilityBeta = 0.17;

export function startFutility(beta = futilityBeta): Futility {
  return { v: 1, beta, bets: null, againstUpper: 0, againstLower: 0, upperRefused: false, lowerRefused: false, firstRow: null };
}

/** Begins with the sequence’s tuned bets, when the variance is known, and never bets all it has. */
function place({ squares, n, highest }: BettingSequence, { share, margin, effect }: Comparison): Futility['bets'] {
  const variance = Math.max(squares / n, (highest / 20) ** 2 / n);
  const wanted = effect ?? effectSpread(share) * Math.sqrt(variance);
  const upper = margin > 0 ? Math.max(wanted, 2 * margin) : wanted;
  const lower = margin > 0 ? 0 : -wanted;
  return { upper, lower, bet: Math.min(0.9 / highest, (upper - lower) / 2 / variance) };
}

/** Call after the sequence has taken in `y`. */
export function extendFutility(futility: Futility, sequence: BettingSequence, y: number, row: number, comparison: Comparison): void {
  if (futility.firstRow !== null) return;
  if (futility.bets === null) {
    if (sequence.waited !== null) futility.bets = place(sequence, comparison);
    return;
  }
  const { upper, lower, bet } = futility.bets;
  futility.againstUpper += Math.log1p(-bet * y) - Math.log1p(-bet * upper);
  futility.againstLower += Math.log1p(bet * y) - Math.log1p(bet * lower);
  const needed = Math.log(1 / futility.beta);
  if (futility.againstUpper >= needed) futility.upperRefused = true;
  if (futility.againstLower >= needed) futility.lowerRefused = true;
  if (futility.upperRefused && futility.lowerRefused) futility.firstRow = row;
}
