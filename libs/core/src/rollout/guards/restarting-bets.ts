import { bettingEvidence, startBetting, extendBetting, type BettingPlan, type BettingSequence } from '../../statistics/index.js';

/**
 * Evidence that the mean of bounded observations lies above a margin, also when it rises late. Bets on the average since the
 * beginning lose by every quiet observation what they would need when the candidate breaks after hours; so half of the money
 * stays in one sequence from the beginning, which finds small harm that lasts, and the other half goes to sequences that begin
 * anew every `epochLength` observations, the j-th with a share 1 / (j (j + 1)), which find sudden harm. A sum of e-processes
 * with shares that add up to 1 is an e-process (V. Vovk and R. Wang, “E-values: calibration, combination and
 * applications”, Ann. Stat. 49, 2021), and one that has ended keeps its value. Plain JSON; some 70 logarithms per observation.
 */
export interface RestartingBets {
  readonly v: 1;
  readonly plan: BettingPlan;
  readonly margin: number;
  readonly long: BettingSequence;
  current: BettingSequence;
  /** From 1. */
  epoch: number;
  /** What the epochs before the current one have won, shares counted. */
  kept: number;
}

const epochLength = 600;

/** @param margin the mean that is still tolerated. */
export function startBets(plan: BettingPlan, margin: number): RestartingBets {
  return { v: 1, plan, margin, long: startBetting(plan), current: startBetting(plan), epoch: 1, kept: 0 };
}

const shareOf = (epoch: number): number => 0.5 / (epoch * (epoch + 1));

/** Takes in one observation, in place. @throws RangeError outside the plan’s bounds. */
export function extendBets(bets: RestartingBets, y: number): void {
  if (bets.current.n >= epochLength) {
    // Past 1/α for any α in use there is nothing to be told apart any more.
    bets.kept = Math.min(1e100, bets.kept + shareOf(bets.epoch) * Math.exp(Math.min(230, bettingEvidence(bets.current, 'up', bets.margin))));
    bets.epoch += 1;
    bets.current = startBetting(bets.plan);
  }
  extendBetting(bets.long, y);
  extendBetting(bets.current, y);
}

function evidenceAt({ long, current, epoch }: RestartingBets, mean: number, kept: number): number {
  const logs = [Math.log(0.5) + bettingEvidence(long, 'up', mean), Math.log(shareOf(epoch)) + bettingEvidence(current, 'up', mean), kept > 0 ? Math.log(kept) : -Infinity];
  // Money of epochs to come.
  logs.push(Math.log(0.5 / (epoch + 1)));
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
}

/** ln of the e-process against “the mean is the margin or lower”: it passes ln(1/α) with probability at most α where that is true. */
export function betsEvidence(bets: RestartingBets): number {
  return evidenceAt(bets, bets.margin, bets.kept);
}

/** The largest mean, at the margin or above, that the evidence refuses at this α; null when it refuses not even the margin. */
export function betsLowerBound(bets: RestartingBets, alpha: number): number | null {
  const needed = Math.log(1 / alpha);
  if (betsEvidence(bets) < needed) return null;
  let [refused, stands] = [bets.margin, bets.plan.highest];
  for (let step = 0; step < 40; step += 1) {
    const middle = (refused + stands) / 2;
    // What ended epochs would have won against a higher mean is not known, and was less.
    if (evidenceAt(bets, middle, 0) >= needed) refused = middle;
    else stands = middle;
  }
  return refused;
}
