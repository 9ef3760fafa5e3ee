import { answerDifferenceEvidence, answerDifferenceOf, type AnswerDifference } from './answer-difference.js';
import { alphaOf, type GuardName, type GuardPolicy } from './guard-policy.js';
import type { GuardTally, GuardState } from './guards.js';
import type { LatencyLimit } from './latency-limit.js';
import { shiftEvidence, shiftInterval, type PredictionShift } from './prediction-shift.js';
import { betsEvidence, betsLowerBound, type RestartingBets } from './restarting-bets.js';

/** Where one guard stands: differences are candidate − champion, in the unit of the guard. */
export interface GuardReading {
  readonly guard: GuardName;
  readonly breached: boolean;
  /** Evidence against “within the limit”, as a part of what a rollback needs: 1 is a breach, below 0 speaks for the candidate. */
  readonly evidence: number;
  readonly n: number;
  readonly difference: number | null;
  /** The least difference that the evidence leaves possible; null while it refuses nothing. */
  readonly low: number | null;
  /** What is tolerated. */
  readonly limit: number;
  readonly alpha: number;
  /** A sentence. */
  readonly reason: string;
}

const count = (value: number): string => value.toLocaleString('en-US');
const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`);
const points = (share: number): string => Number((100 * share).toFixed(1)).toString();
const rate = (hits: number, n: number): number | null => (n === 0 ? null : hits / n);
const gap = (candidate: number | null, champion: number | null): number | null => (candidate === null || champion === null ? null : candidate - champion);

type Bound = Pick<GuardReading, 'breached' | 'evidence' | 'low' | 'alpha'>;

function boundOf(bets: RestartingBets, alpha: number, offset: number): Bound {
  const evidence = betsEvidence(bets) / Math.log(1 / alpha);
  const low = evidence >= 1 ? betsLowerBound(bets, alpha) : null;
  return { breached: evidence >= 1, evidence, low: low === null ? null : low + offset, alpha };
}

function errorReading({ tallies: { candidate, champion }, step }: GuardState, bets: RestartingBets, policy: GuardPolicy): GuardReading {
  const alone = step.share === 1;
  const limit = alone ? (policy.errorRate?.max ?? 0) : (policy.errorRate?.worseByMax ?? 0);
  const bound = boundOf(bets, alphaOf(policy), alone ? limit : 0);
  const told = ({ failed, requests }: GuardTally): string => `${count(failed)} of ${count(requests)} requests (${percent(failed, requests)})`;
  const found = bound.low === null ? `tolerated ${points(limit)} points more` : `at least ${points(bound.low)} points more, tolerated ${points(limit)}`;
  const asked = step.share === null ? 'shadow requests' : 'requests';
  const own = `the candidate failed ${count(candidate.failed)} of ${count(candidate.requests)} ${asked} (${percent(candidate.failed, candidate.requests)})`;
  const [candidateRate, championRate] = [rate(candidate.failed, candidate.requests), rate(champion.failed, champion.requests)];
  return {
    guard: 'error-rate', ...bound, n: candidate.requests + champion.requests, limit,
    difference: alone ? candidateRate : gap(candidateRate, championRate),
    reason: alone ? `${own}: ${bound.low === null ? '' : `at least ${points(bound.low)} %, `}tolerated ${points(limit)} %` : `${own}, the champion ${told(champion)}: ${found}`,
  };
}

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;

function latencyReading({ tallies: { candidate, champion }, step }: GuardState, bets: RestartingBets, { quantile, quantileMs, limitMs }: LatencyLimit, policy: GuardPolicy): GuardReading {
  const alone = step.share === 1;
  const limit = (alone ? 2 : 1) * (1 - quantile);
  const bound = boundOf(bets, alphaOf(policy), alone ? limit : 0);
  const told = ({ slow, timed }: GuardTally): string => `${count(slow)} of ${count(timed)} answers (${percent(slow, timed)})`;
  const p = `p${Math.round(quantile * 100)}`;
  const beyond = quantileMs === null || limitMs === null ? `the champion’s ${p} is not known yet` : `${told(candidate)} of the candidate’s took longer than ${ms(limitMs)}, what the champion’s ${p} of ${ms(quantileMs)} allows; of the champion’s ${told(champion)}`;
  return {
    guard: 'latency', ...bound, n: candidate.timed + champion.timed, limit,
    difference: gap(rate(candidate.slow, candidate.timed), alone ? 0 : rate(champion.slow, champion.timed)),
    reason: `${beyond}${bound.low === null ? '' : `: at least ${points(bound.low)} points more, tolerated ${points(limit)}`}`,
  };
}

function shiftReading(shift: PredictionShift, policy: GuardPolicy): GuardReading {
  const alpha = alphaOf(policy);
  const evidence = shiftEvidence(shift) / Math.log(2 / alpha);
  const { lowest, highest } = policy.predictionShift ?? { lowest: 0, highest: 1 };
  const scale = highest - lowest;
  const { mean, low, high } = shiftInterval(shift);
  const { champion, candidate } = shift.all;
  const meanOf = ({ n, sum }: { n: number; sum: number }): string => (n === 0 ? '–' : (lowest + (scale * sum) / n).toFixed(3));
  const least = Math.max(low, -high, 0) * scale;
  return {
    guard: 'prediction-shift', breached: evidence >= 1, evidence, n: champion.n + candidate.n, alpha, limit: shift.max * scale,
    difference: mean === null ? null : mean * scale,
    low: evidence >= 1 ? least : null,
    reason: `the candidate’s mean prediction is ${meanOf(candidate)}, the champion’s ${meanOf(champion)}: ${evidence >= 1 ? `at least ${least.toFixed(3)} apart, ` : ''}tolerated ${(shift.max * scale).toFixed(3)}`,
  };
}

function differenceReading(state: AnswerDifference, policy: GuardPolicy): GuardReading {
  const alpha = alphaOf(policy);
  const max = policy.answerDifference?.max;
  const { n, asked, noise, mean, low, high } = answerDifferenceOf(state);
  const evidence = max === undefined ? 0 : answerDifferenceEvidence(state, max) / Math.log(1 / alpha);
  const own = noise === null ? `the champion was asked again ${count(asked)} times, too few to know how much it differs from itself` : `${count(state.beyond)} of ${count(n)} shadow answers (${percent(state.beyond, n)}) differ from the champion’s by more than it differs from itself when it is asked again (its p99: ${Number(noise.toPrecision(3))}), of its own ${count(state.own)}`;
  const bounds = n === 0 ? '' : `: between ${points(Math.max(0, low))} and ${points(Math.max(0, high))} points more`;
  return {
    guard: 'answer-difference', breached: evidence >= 1, evidence, n, difference: n === 0 ? null : mean, low: n > 0 && low > 0 ? low : null, limit: max ?? 1, alpha,
    reason: `${own}${bounds}${max === undefined ? '' : `, tolerated ${points(max)}`}`,
  };
}

/** The guard that is breached, without the figures and sentences that cost the most; null: none is. */
export function breachedGuard({ errors, slowness, shift, difference }: GuardState, policy: GuardPolicy): GuardName | null {
  const alpha = alphaOf(policy);
  const needed = Math.log(1 / alpha);
  if (errors !== null && betsEvidence(errors) >= needed) return 'error-rate';
  if (slowness !== null && betsEvidence(slowness) >= needed) return 'latency';
  if (shift !== null && shiftEvidence(shift) >= Math.log(2 / alpha)) return 'prediction-shift';
  return difference !== undefined && policy.answerDifference !== undefined && answerDifferenceEvidence(difference, policy.answerDifference.max) >= needed ? 'answer-difference' : null;
}

/** Every guard that is on. May be asked after any number of requests: the errors hold over all looks together. */
export function judgeGuards(state: GuardState, policy: GuardPolicy): GuardReading[] {
  const readings: GuardReading[] = [];
  if (state.errors !== null) readings.push(errorReading(state, state.errors, policy));
  if (state.slowness !== null && state.limit !== null) readings.push(latencyReading(state, state.slowness, state.limit, policy));
  if (state.shift !== null) readings.push(shiftReading(state.shift, policy));
  if (state.difference !== undefined && state.difference.noise.n > 0) readings.push(differenceReading(state.difference, policy));
  return readings;
}
