import { startBetting, type Aim, type BettingPlan, type BettingSequence } from '../statistics/index.js';

export type Arm = 'champion' | 'candidate';

/** Outcomes of an arm, and the sum of their losses. */
export interface ArmTally {
  readonly n: number;
  readonly loss: number;
}
export type ArmTallies = Readonly<Record<Arm, ArmTally>>;

export const emptyTallies: ArmTallies = { champion: { n: 0, loss: 0 }, candidate: { n: 0, loss: 0 } };

export function counted(tallies: ArmTallies, arm: Arm, loss: number): ArmTallies {
  const { n, loss: sum } = tallies[arm];
  return { ...tallies, [arm]: { n: n + 1, loss: sum + loss } };
}

/** How two arms are compared. Losses lie in [0, lossBound]. */
export interface Comparison {
  /** Share of the units that the candidate answers; null when both answer every unit (pairs). */
  readonly share: number | null;
  readonly lossBound: number;
  readonly margin: number;
  /** Error of each direction, over every look together. */
  readonly alpha: number;
  /** Smallest difference of mean losses that must be found; null: a tenth of the loss’s standard deviation. */
  readonly effect: number | null;
}

/** Default effect, in standard deviations of the loss: 0.10 against 0.13 for a share of errors. */
export const effectDeviations = 0.1;

/** Largest absolute difference that one outcome can tell. */
export function rangeOf({ share, lossBound }: Pick<Comparison, 'share' | 'lossBound'>): number {
  return share === null ? lossBound : lossBound / Math.min(share, 1 - share);
}

/** The default effect in standard deviations of what one outcome tells: it spreads 1 / √(share (1 − share)) times as far as a loss. */
export function effectSpread(share: number | null): number {
  return effectDeviations * (share === null ? 1 : Math.sqrt(share * (1 - share)));
}

/** Which differences the bets are tuned to: harm beyond the margin; gain, and being equal when a margin allows to show it. */
export function bettingPlanOf({ share, lossBound, margin, alpha, effect }: Comparison): BettingPlan {
  const range = rangeOf({ share, lossBound });
  const deviations = effect === null ? [effectSpread(share)] : [];
  const beyond = effect === null ? [] : [effect > margin ? effect - margin : effect];
  const below: Aim = { effects: [...(margin > 0 ? [margin] : []), ...(effect === null ? [] : [effect])], deviations };
  return { lowest: -range, highest: range, alpha, aimUp: { effects: beyond, deviations }, aimDown: below };
}

export function startDifference(comparison: Comparison): BettingSequence {
  return startBetting(bettingPlanOf(comparison));
}

/**
 * What one outcome tells of the difference of the arms’ mean losses, when who answers was drawn with the share given:
 * (loss − baseline) / share for the candidate’s, −(loss − baseline) / (1 − share) for the champion’s. Given the past its mean
 * is the difference of the two versions on that unit, whatever the day is like (inverse-propensity weighting; D. G. Horvitz
 * and D. J. Thompson, JASA 47, 1952). The baseline is known before the outcome and only narrows the spread: the arms’ mean
 * losses so far, each weighted by the other’s share. Where arms are equal it makes a share that is a little wrong harmless.
 */
export function weighedOutcome(arm: Arm, loss: number, { champion, candidate }: ArmTallies, share: number, lossBound: number): number {
  const mean = ({ n, loss: sum }: ArmTally): number => (sum + lossBound / 2) / (n + 1);
  const baseline = (1 - share) * mean(candidate) + share * mean(champion);
  return arm === 'candidate' ? (loss - baseline) / share : -(loss - baseline) / (1 - share);
}
