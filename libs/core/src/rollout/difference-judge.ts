import { bettingEvidence, bettingInterval, extendBetting, type BettingSequence } from '../statistics/index.js';
import { counted, emptyTallies, rangeOf, startDifference, weighedOutcome, type Arm, type ArmTallies, type Comparison } from './arm-difference.js';
import type { RolloutVerdict } from './judge-step.js';

/** A change of verdict: the row after which it held, and the interval of candidate − champion then. */
export interface VerdictChange {
  readonly row: number;
  readonly verdict: RolloutVerdict;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Compares two arms and looks after every row. A verdict holds until the evidence says another: good news that was found once
 * is not lost again by chance, but “better” becomes “worse” when the log turns. The interval is the narrowest seen since the
 * looks last contradicted each other, which is right for a difference that stays the same; the evidence itself is about
 * the running average. Plain JSON; constant cost per row, and an interval at each change and with each tenth of more rows.
 */
export interface DifferenceJudge {
  readonly v: 1;
  readonly comparison: Comparison;
  readonly sequence: BettingSequence;
  arms: ArmTallies;
  verdict: RolloutVerdict;
  lower: number;
  upper: number;
  /** Observations at the next look at the interval. */
  nextLook: number;
  readonly trail: VerdictChange[];
}

export function startDifferenceJudge(comparison: Comparison): DifferenceJudge {
  const { lossBound } = comparison;
  return { v: 1, comparison, sequence: startDifference(comparison), arms: emptyTallies, verdict: 'not-enough-evidence', lower: -lossBound, upper: lossBound, nextLook: looksApartMin, trail: [] };
}

/** What stands at this moment, whatever was said before; null: not enough evidence. */
export function standing({ sequence, comparison: { margin, alpha } }: Pick<DifferenceJudge, 'sequence' | 'comparison'>): 'better' | 'not-worse' | 'worse' | null {
  const needed = Math.log(1 / alpha);
  const won = (side: 'up' | 'down', mean: number): boolean => bettingEvidence(sequence, side, mean, needed) >= needed;
  if (won('up', margin)) return 'worse';
  // A mean that is not 0 or more is not the margin or more either.
  if (!won('down', margin)) return null;
  return margin <= 0 || won('down', 0) ? 'better' : 'not-worse';
}

/** An interval costs as much as 50 rows. */
const looksApartMin = 20;

/** Takes the interval at this moment into the narrowest one; answers whether both lie apart, which starts it anew. */
function narrow(judge: DifferenceJudge): boolean {
  const { lossBound } = judge.comparison;
  const { n, low, high } = bettingInterval(judge.sequence);
  const [lower, upper] = [Math.max(-lossBound, low), Math.min(lossBound, high)];
  const apart = lower > judge.upper || upper < judge.lower;
  judge.lower = apart ? lower : Math.max(lower, judge.lower);
  judge.upper = apart ? upper : Math.min(upper, judge.upper);
  judge.nextLook = n + Math.max(looksApartMin, Math.floor(n / 10));
  return apart;
}

function changeTo(judge: DifferenceJudge, verdict: RolloutVerdict, row: number): void {
  narrow(judge);
  judge.verdict = verdict;
  judge.trail.push({ row, verdict, lower: judge.lower, upper: judge.upper });
}

const isGood = (verdict: RolloutVerdict | null): boolean => verdict === 'better' || verdict === 'not-worse';

/** Looks at the interval now, between the regular looks too. */
export function lookAtInterval(judge: DifferenceJudge, row: number): void {
  // The difference is no longer what it was: what was said of it goes too.
  if (narrow(judge) && judge.verdict !== 'not-enough-evidence') changeTo(judge, 'not-enough-evidence', row);
}

/** Looks after a row. @param blocked good verdicts are not given, and one given is taken back. */
export function lookAfter(judge: DifferenceJudge, row: number, blocked: boolean): void {
  const found = standing(judge);
  if (blocked && isGood(judge.verdict)) changeTo(judge, 'not-enough-evidence', row);
  const news = found !== null && found !== judge.verdict && !(blocked && isGood(found)) && !(judge.verdict === 'better' && found === 'not-worse');
  if (news) changeTo(judge, found, row);
  else if (judge.sequence.n >= judge.nextLook) lookAtInterval(judge, row);
}

/** Rounding may carry an extreme value past the bound by its last digit. */
const within = (value: number, range: number): number => Math.min(range, Math.max(-range, value));

/**
 * Takes in one outcome of one arm, and answers what it tells of the difference.
 * @param loss in [0, lossBound]. @throws RangeError when both arms answer every unit.
 */
export function judgeArm(judge: DifferenceJudge, arm: Arm, loss: number): number {
  const { share, lossBound } = judge.comparison;
  if (share === null) throw new RangeError('pairs are compared, not single outcomes');
  const told = within(weighedOutcome(arm, loss, judge.arms, share, lossBound), rangeOf(judge.comparison));
  extendBetting(judge.sequence, told);
  judge.arms = counted(judge.arms, arm, loss);
  return told;
}

/** Takes in both arms’ losses on the same unit, and answers their difference. */
export function judgePair(judge: DifferenceJudge, candidate: number, champion: number): number {
  const told = within(candidate - champion, judge.comparison.lossBound);
  extendBetting(judge.sequence, told);
  judge.arms = counted(counted(judge.arms, 'candidate', candidate), 'champion', champion);
  return told;
}

/** The row at which the verdict that holds now first held; null when none was ever reached. */
export function firstRowOf({ trail, verdict }: Pick<DifferenceJudge, 'trail' | 'verdict'>): number | null {
  return trail.find((change) => change.verdict === verdict)?.row ?? null;
}
