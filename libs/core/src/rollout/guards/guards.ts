import type { BettingPlan } from '../../statistics/index.js';
import type { Arm } from '../arm-difference.js';
import { observeAnswers, startAnswerDifference, type AnswerDifference, type ComparedAnswers } from './answer-difference.js';
import { alphaOf, type GuardPolicy, type GuardStep } from './guard-policy.js';
import { closedWindows, windowIndexOf, windowOf, type ArmCounts, type GuardWindow } from './guard-windows.js';
import { countLatency, startLatencyLimit, type LatencyLimit } from './latency-limit.js';
import { observeScore, startShift, type PredictionShift } from './prediction-shift.js';
import { extendBets, startBets, type RestartingBets } from './restarting-bets.js';

/** One request of one arm, as the log of answers or of failures tells it. */
export interface GuardObservation {
  readonly arm: Arm;
  /** When it ended, ms since the epoch. */
  readonly endedMs: number;
  readonly failed: boolean;
  /** Null: not comparable, such as that of an answer which shared its run with others. */
  readonly latencyMs: number | null;
  /** What was answered, as a number in the unit of the guard; null: it says nothing of the version. */
  readonly score: number | null;
  /** Hash of the unit; only told of failures. */
  readonly unit: number | null;
  /** In shadow, where the champion was asked twice. */
  readonly compared?: ComparedAnswers;
}

export interface GuardTally {
  requests: number;
  failed: number;
  timed: number;
  slow: number;
}

/** Everything the guards of one roll-out remember: plain JSON of bounded size, whatever the traffic. */
export interface GuardState {
  readonly v: 1;
  readonly step: GuardStep;
  readonly open: GuardWindow[];
  /** Index of the newest window seen. */
  newest: number;
  /** Windows closed in this step. */
  windows: number;
  readonly tallies: Record<Arm, GuardTally>;
  /** Units that have failed in this step: a unit keeps its arm, so that its second failure is no second sign. */
  readonly failedUnits: number[];
  readonly errors: RestartingBets | null;
  readonly slowness: RestartingBets | null;
  /** Of the champion, over all steps. */
  readonly limit: LatencyLimit | null;
  readonly shift: PredictionShift | null;
  /** Of the shadow step; it is kept for those after it. */
  readonly difference?: AnswerDifference;
}

/** Beyond so many, failures of units already seen count again: by then the units are not the cause. */
const failedUnitsMax = 1_000;
const smallestMargin = 0.001;

/** Bounds of one window’s difference, and the differences that are looked for, when a share of `tolerated` more is. */
function betsPlan({ share, shares }: GuardStep, tolerated: number): BettingPlan {
  const aim = { effects: [Math.max(smallestMargin, tolerated), 4 * Math.max(smallestMargin, tolerated)], deviations: [] };
  const [least, most] = shares ?? [share ?? 0, share ?? 0];
  const [lowest, highest] = share === null ? [-1, 1] : share < 1 ? [-1 / (1 - most), 1 / least] : [-tolerated, 1 - tolerated];
  // Each sequence is asked for its evidence only; its own interval and α are not used.
  return { lowest, highest, alpha: 0.05, aimUp: aim, aimDown: aim };
}

/** Without a champion beside it, a candidate’s own share is compared with what is tolerated at most. */
const marginOf = (share: number | null, tolerated: number): number => (share === 1 ? 0 : tolerated);

/** @param former the state in the step before: how fast the champion answers is still known. */
export function startGuards(policy: GuardPolicy, step: GuardStep, former?: GuardState): GuardState {
  const { errorRate, latency, predictionShift } = policy;
  const alone = step.share === 1;
  const bets = (tolerated: number): RestartingBets => startBets(betsPlan(step, tolerated), marginOf(step.share, tolerated));
  const tally = (): GuardTally => ({ requests: 0, failed: 0, timed: 0, slow: 0 });
  const difference = step.share === null ? startAnswerDifference(alphaOf(policy)) : former?.difference;
  return {
    v: 1, step, open: [], newest: 0, windows: 0, failedUnits: [], tallies: { champion: tally(), candidate: tally() },
    errors: errorRate === null ? null : bets(alone ? errorRate.max : errorRate.worseByMax),
    // Beyond the limit a candidate that is just tolerated has a share of 1 − quantile; alone, it must not have twice that.
    slowness: latency === null ? null : bets((alone ? 2 : 1) * (1 - latency.quantile)),
    limit: latency === null ? null : (former?.limit ?? startLatencyLimit(latency)),
    shift: predictionShift === null || alone ? null : startShift(predictionShift.max, alphaOf(policy)),
    ...(difference === undefined ? {} : { difference }),
  };
}

/** Whether this failure is a new sign. */
function countsAsFailure(state: GuardState, unit: number | null): boolean {
  if (unit === null || state.failedUnits.length >= failedUnitsMax) return true;
  if (state.failedUnits.includes(unit)) return false;
  state.failedUnits.push(unit);
  return true;
}

function observe(state: GuardState, { arm, endedMs, failed, latencyMs, score, unit, compared }: GuardObservation, { predictionShift }: GuardPolicy): void {
  if (compared !== undefined && state.difference !== undefined) observeAnswers(state.difference, compared);
  const index = windowIndexOf(endedMs);
  if (index > state.newest) state.newest = index;
  const window = windowOf(state.open, index, state.newest);
  const counts: readonly ArmCounts[] = [window[arm], state.tallies[arm]];
  if (failed) state.tallies[arm].failed += 1;
  if (failed && !countsAsFailure(state, unit)) {
    state.tallies[arm].requests += 1;
    return;
  }
  for (const count of counts) count.requests += 1;
  if (failed) {
    window[arm].failed += 1;
    return;
  }
  if (latencyMs !== null && state.limit !== null) observeLatency(state.limit, counts, arm, latencyMs);
  if (score !== null && state.shift !== null && predictionShift !== null) observeScore(state.shift, arm, scaled(score, predictionShift));
}

const scaled = (score: number, { lowest, highest }: { lowest: number; highest: number }): number => (Math.min(highest, Math.max(lowest, score)) - lowest) / (highest - lowest);

function observeLatency(limit: LatencyLimit, counts: readonly ArmCounts[], arm: Arm, latencyMs: number): void {
  if (limit.limitMs !== null) {
    for (const count of counts) {
      count.timed += 1;
      if (latencyMs > limit.limitMs) count.slow += 1;
    }
  }
  if (arm === 'champion') countLatency(limit, latencyMs);
}

/**
 * What a window tells of the difference of shares. With units drawn by `share`: hits weighed by one over their arm’s share,
 * per request of both arms, whose mean is the difference of the versions whatever the minute is like (Horvitz and Thompson 1952).
 * Both arms asked on every request: hits of one less hits of the other, per request. The candidate alone: its share less what is tolerated.
 */
function differenceOf(share: number | null, candidate: { hits: number; n: number }, champion: { hits: number; n: number }, tolerated: number): number | null {
  if (share === 1) return candidate.n === 0 ? null : candidate.hits / candidate.n - tolerated;
  const n = candidate.n + champion.n;
  if (n === 0) return null;
  if (share === null) return Math.max(-1, Math.min(1, (candidate.hits - champion.hits) / Math.max(candidate.n, champion.hits, 1)));
  return Math.max(-1 / (1 - share), Math.min(1 / share, (candidate.hits / share - champion.hits / (1 - share)) / n));
}

/** In shadow few of the candidate’s answers are timed, so that shares are compared and not counts. */
function slowDifferenceOf(share: number | null, candidate: ArmCounts, champion: ArmCounts, tolerated: number): number | null {
  if (share !== null) return differenceOf(share, { hits: candidate.slow, n: candidate.timed }, { hits: champion.slow, n: champion.timed }, tolerated);
  if (candidate.timed === 0) return null;
  return candidate.slow / candidate.timed - (champion.timed === 0 ? 0 : champion.slow / champion.timed);
}

function closeWindow(state: GuardState, { candidate, champion }: GuardWindow): void {
  const { share } = state.step;
  state.windows += 1;
  if (state.errors !== null) {
    const told = differenceOf(share, { hits: candidate.failed, n: candidate.requests }, { hits: champion.failed, n: champion.requests }, -state.errors.plan.lowest);
    if (told !== null) extendBets(state.errors, told);
  }
  if (state.slowness !== null) {
    const told = slowDifferenceOf(share, candidate, champion, -state.slowness.plan.lowest);
    if (told !== null) extendBets(state.slowness, told);
  }
}

/** Takes in requests of the step under way, in place. Which come in one call, and in which order, changes evidence only where windows overlap. */
export function extendGuards(state: GuardState, observations: readonly GuardObservation[], policy: GuardPolicy): void {
  for (const observation of observations) {
    const { newest } = state;
    observe(state, observation, policy);
    if (state.newest > newest) for (const window of closedWindows(state.open, state.newest)) closeWindow(state, window);
  }
}
