import type { BettingSequence } from '../../statistics/index.js';
import { bettingPlanOf, counted, emptyTallies, weighedOutcome, type Arm, type ArmTallies } from '../arm-difference.js';
import type { GuardReading } from './judge-guards.js';
import { betsEvidence, betsLowerBound, extendBets, startBets, type RestartingBets } from './restarting-bets.js';

/** How much worse a candidate may be by a number that the team’s own stream tells. */
export interface BusinessPolicy {
  readonly field: string;
  readonly higherIsBetter: boolean;
  /** Tolerated distance of the arms’ means: in the unit of the field, or as a part of the champion’s mean. */
  readonly margin: number;
  readonly relative: boolean;
  /** Values are clipped to these. */
  readonly lowest: number;
  readonly highest: number;
  readonly whenMissing: number | null;
  /** Error in one step, over every look together. */
  readonly alpha: number;
}

/**
 * What a step has learnt of the metric: plain JSON. The champion’s values are moved by what is tolerated, and both arms’ taken
 * to losses in [0, 1]: a candidate within the limit has a mean loss no larger than the champion’s, whatever its margin means.
 * What one outcome tells is weighed by its share (see `weighedOutcome`) and bet on, as by the other guards.
 */
export interface BusinessEvidence {
  readonly v: 1;
  readonly bets: RestartingBets;
  readonly losses: ArmTallies;
  /** Sums of the clipped values, in the unit of the field. */
  readonly values: Readonly<Record<Arm, { readonly n: number; readonly sum: number }>>;
  readonly clipped: number;
  readonly missing: number;
}

/** The champion’s value as bad as is tolerated. */
function tolerated(value: number, { higherIsBetter, margin, relative }: BusinessPolicy): number {
  const sign = higherIsBetter ? -1 : 1;
  return relative ? value * (1 + sign * margin) : value + sign * margin;
}

/** Lowest and highest of both arms’ values, the champion’s as tolerated. */
function spanOf(policy: BusinessPolicy): readonly [number, number] {
  return [Math.min(policy.lowest, tolerated(policy.lowest, policy)), Math.max(policy.highest, tolerated(policy.highest, policy))];
}

function lossOf(arm: Arm, value: number, policy: BusinessPolicy): number {
  const [lowest, highest] = spanOf(policy);
  const counts = arm === 'candidate' ? value : tolerated(value, policy);
  return Math.min(1, Math.max(0, (policy.higherIsBetter ? highest - counts : counts - lowest) / (highest - lowest)));
}

/** @param share the one nearest to 0 or 1 among those that the step may have. */
export function startBusiness({ alpha }: BusinessPolicy, share: number): BusinessEvidence {
  const none = { n: 0, sum: 0 };
  return { v: 1, bets: startBets(bettingPlanOf({ share, lossBound: 1, margin: 0, alpha, effect: null }), 0), losses: emptyTallies, values: { champion: none, candidate: none }, clipped: 0, missing: 0 };
}

/** A copy whose bets may be changed. */
export function copiedBusiness(evidence: BusinessEvidence, copied: (sequence: BettingSequence) => BettingSequence): BusinessEvidence {
  return { ...evidence, bets: { ...evidence.bets, long: copied(evidence.bets.long), current: copied(evidence.bets.current) } };
}

/** Takes in one outcome; its bets change in place. @param value undefined: its label did not tell it. @param share of the candidate’s units then. */
export function observeBusiness(evidence: BusinessEvidence, arm: Arm, value: number | undefined, share: number, policy: BusinessPolicy): BusinessEvidence {
  const { bets, losses, values, clipped, missing } = evidence;
  const told = value ?? policy.whenMissing;
  if (told === null) return { ...evidence, missing: missing + 1 };
  const within = Math.min(policy.highest, Math.max(policy.lowest, told));
  const loss = lossOf(arm, within, policy);
  const { lowest, highest } = bets.plan;
  extendBets(bets, Math.min(highest, Math.max(lowest, weighedOutcome(arm, loss, losses, share, 1))));
  const { n, sum } = values[arm];
  return { ...evidence, losses: counted(losses, arm, loss), values: { ...values, [arm]: { n: n + 1, sum: sum + within } }, clipped: clipped + (within === told ? 0 : 1), missing: missing + (value === undefined ? 1 : 0) };
}

export const isBusinessBreached = ({ bets }: BusinessEvidence, { alpha }: BusinessPolicy): boolean => betsEvidence(bets) >= Math.log(1 / alpha);

const number = (value: number): string => Number(value.toPrecision(4)).toString();
const count = (value: number): string => value.toLocaleString('en-US');

/** What was seen so far, in words. */
export function businessTold({ values: { champion, candidate }, clipped, missing }: BusinessEvidence, { field, whenMissing }: BusinessPolicy): string {
  const mean = ({ n, sum }: { n: number; sum: number }): string => (n === 0 ? '–' : number(sum / n));
  const notes = [...(clipped === 0 ? [] : [`${count(clipped)} clipped`]), ...(missing === 0 ? [] : [`${count(missing)} without it${whenMissing === null ? '' : ` counted as ${number(whenMissing)}`}`])];
  return `${field}: mean ${mean(candidate)} of ${count(candidate.n)}, the champion’s ${mean(champion)} of ${count(champion.n)}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}

/** Where the guard stands. Differences are candidate − champion in the unit of the field; `low` is the least distance from what is tolerated. */
export function businessReading(evidence: BusinessEvidence, policy: BusinessPolicy): GuardReading {
  const { bets, values: { champion, candidate } } = evidence;
  const { alpha, margin, relative, higherIsBetter } = policy;
  const found = betsEvidence(bets) / Math.log(1 / alpha);
  const [lowest, highest] = spanOf(policy);
  const bound = found >= 1 ? betsLowerBound(bets, alpha) : null;
  const low = bound === null ? null : bound * (highest - lowest);
  const championMean = champion.n === 0 ? null : champion.sum / champion.n;
  const limit = relative ? margin * (championMean ?? 0) : margin;
  const told = relative ? `${number(100 * margin)} % of the champion’s mean` : number(margin);
  return {
    guard: 'business', breached: found >= 1, evidence: found, n: champion.n + candidate.n, alpha, low,
    difference: championMean === null || candidate.n === 0 ? null : candidate.sum / candidate.n - championMean,
    limit: higherIsBetter ? -limit : limit,
    reason: `${businessTold(evidence, policy)}: ${low === null ? '' : `at least ${number(low)} beyond what is tolerated, `}tolerated ${told} ${higherIsBetter ? 'less' : 'more'}`,
  };
}
