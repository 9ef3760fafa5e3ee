// Goal: a candidate that harms while it is tried is found within seconds, one that does not is left alone, bursts and retries are
//   not mistaken for many signs, and what is remembered stays small.
// Method: seeded streams of requests with known shares of failures and known latencies; the rates over thousands of roll-outs
//   are the study `guards`. Bounds in rows follow from the bets: a window in which only the candidate fails doubles the money about once.
import { describe, expect, it } from '@jest/globals';
import type { RolloutGuards } from '@millrace/contracts';
import { seeded } from '@millrace/testing';
import { alphaOf, breachedGuard, countLatency, extendBets, betsEvidence, betsLowerBound, extendGuards, guardPolicyOf, guardsIn, judgeGuards, startBets, startGuards, startLatencyLimit, type GuardObservation, type GuardPolicy, type GuardReading, type GuardState, type GuardStep } from './index.js';

const spec: RolloutGuards = { alphaShare: 0.2, errorRate: { enabled: true, worseByMax: 0.01, max: 0.05 }, latencyMsP99: { enabled: true, ratioMax: 1.5, slackMs: 5 }, predictionShift: { max: 0.1, lowest: 0, highest: 1 } };
const policy = guardPolicyOf(spec, 0.05, 3);
const canary: GuardStep = { name: 'canary', share: 0.1 };
const shadow: GuardStep = { name: 'shadow', share: null };

interface World {
  readonly perSecond: number;
  readonly failing: { readonly champion: number; readonly candidate: number };
  readonly slower?: number;
  readonly scores?: { readonly champion: number; readonly candidate: number };
}

/** Requests of a step, in the order in which they end; a shadow answers a few milliseconds after its primary. */
function requests({ perSecond, failing, slower = 1, scores = { champion: 0.3, candidate: 0.3 } }: World, { share }: GuardStep, count: number, seed: number): GuardObservation[] {
  const chance = seeded(seed);
  const of = (arm: 'champion' | 'candidate', endedMs: number): GuardObservation => {
    const failed = chance() < failing[arm];
    const latencyMs = 20 * Math.exp(0.5 * Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())) * (arm === 'candidate' ? slower : 1);
    return { arm, endedMs, failed, latencyMs: failed ? null : latencyMs, score: failed ? null : chance() < scores[arm] ? 1 : 0, unit: failed ? Math.floor(chance() * 2 ** 32) : null };
  };
  return Array.from({ length: count }, (_, row): GuardObservation[] => {
    const atMs = 1_000_000 + (row * 1_000) / perSecond;
    if (share === null) return [of('champion', atMs), of('candidate', atMs + 3)];
    return [of(chance() < share ? 'candidate' : 'champion', atMs)];
  }).flat();
}

/** Looks after every request; answers the reading of the breach and how many requests it took. */
function firstBreach(step: GuardStep, all: readonly GuardObservation[], used: GuardPolicy = policy, state = startGuards(used, step)): { reading: GuardReading; row: number; state: GuardState } | null {
  for (const [row, observation] of all.entries()) {
    const { windows } = state;
    extendGuards(state, [observation], used);
    // Evidence changes only when a window is over.
    if (state.windows === windows || breachedGuard(state, used) === null) continue;
    const reading = judgeGuards(state, used).find(({ breached }) => breached);
    if (reading !== undefined) return { reading, row, state };
  }
  return null;
}
const sound = { champion: 0.002, candidate: 0.002 };

describe('the error rate', () => {
  it('finds a candidate that never answers within four seconds, in every kind of step', () => {
    for (const step of [shadow, canary, { name: 'ab', share: 0.5 }, { name: 'blue-green', share: 1 }]) {
      const found = firstBreach(step, requests({ perSecond: 100, failing: { champion: 0.002, candidate: 1 } }, step, 1_000, 7));
      expect(found?.reading.guard).toBe('error-rate');
      expect(found?.row).toBeLessThan(step.share === null ? 800 : 400);
    }
  });

  it('says what it saw, what that leaves possible, and what is tolerated', () => {
    const found = firstBreach(canary, requests({ perSecond: 100, failing: { champion: 0, candidate: 1 } }, canary, 1_000, 8));
    expect(found?.reading.reason).toMatch(/^the candidate failed \d+ of \d+ requests \(100\.0 %\), the champion 0 of [\d,]+ requests \(0\.0 %\): at least [\d.]+ points more, tolerated 1$/u);
    expect(found?.reading.low).toBeGreaterThan(0.01);
    expect(found?.reading).toMatchObject({ breached: true, limit: 0.01, alpha: alphaOf(policy) });
    expect(alphaOf(policy)).toBeCloseTo(0.05 * 0.2 / 3 / 3, 12);
  });

  it('finds five points more, and says nothing of a candidate that fails as the champion does', () => {
    expect(firstBreach(canary, requests({ perSecond: 100, failing: { champion: 0.02, candidate: 0.07 } }, canary, 30_000, 9))?.reading.guard).toBe('error-rate');
    expect(firstBreach(canary, requests({ perSecond: 100, failing: { champion: 0.02, candidate: 0.02 } }, canary, 20_000, 10))).toBeNull();
    // A dependency of both is down.
    expect(firstBreach(canary, requests({ perSecond: 100, failing: { champion: 1, candidate: 1 } }, canary, 10_000, 11))).toBeNull();
  });

  it('finds within six seconds a candidate that breaks after an hour of good answers', () => {
    const state = startGuards(policy, canary);
    extendGuards(state, requests({ perSecond: 100, failing: sound }, canary, 360_000, 12), policy);
    expect(judgeGuards(state, policy).some(({ breached }) => breached)).toBe(false);
    const broken = requests({ perSecond: 100, failing: { champion: 0.002, candidate: 1 } }, canary, 2_000, 13).map((request) => ({ ...request, endedMs: request.endedMs + 3_600_000 }));
    expect(firstBreach(canary, broken, policy, state)?.row).toBeLessThan(600);
  });

  it('takes a burst that ends together for one sign, and the retries of one unit too', () => {
    const calm = requests({ perSecond: 100, failing: sound }, canary, 500, 14);
    const lost = Array.from({ length: 200 }, (_, unit): GuardObservation => ({ arm: 'candidate', endedMs: 1_002_000 + unit / 5, failed: true, latencyMs: null, score: null, unit }));
    expect(firstBreach(canary, [...calm.slice(0, 200), ...lost, ...calm.slice(200)])).toBeNull();
    const retried = Array.from({ length: 300 }, (_, row): GuardObservation => ({ arm: 'candidate', endedMs: 1_002_000 + row * 100, failed: true, latencyMs: null, score: null, unit: 77 }));
    expect(firstBreach(canary, [...calm.slice(0, 200), ...retried])).toBeNull();
  });
});

describe('latency', () => {
  it('finds answers that take twice as long, and lets pass a third more', () => {
    const found = firstBreach({ name: 'ab', share: 0.5 }, requests({ perSecond: 200, failing: sound, slower: 2 }, { name: 'ab', share: 0.5 }, 12_000, 21));
    expect(found?.reading).toMatchObject({ guard: 'latency', limit: expect.closeTo(0.01, 6) });
    expect(found?.reading.reason).toMatch(/of the candidate’s took longer than [\d.]+ ms, what the champion’s p99 of [\d.]+ ms allows/u);
    expect(firstBreach(canary, requests({ perSecond: 200, failing: sound, slower: 1.33 }, canary, 20_000, 22))).toBeNull();
  });

  it('finds a slow shadow before anybody has waited for it', () => {
    expect(firstBreach(shadow, requests({ perSecond: 50, failing: sound, slower: 10 }, shadow, 3_000, 23))?.reading.guard).toBe('latency');
    expect(firstBreach(shadow, requests({ perSecond: 50, failing: sound }, shadow, 10_000, 24))).toBeNull();
  });

  it('draws its limit from the champion’s quantile: 1.02 buckets, ratio or slack, whichever is more', () => {
    const limit = startLatencyLimit({ quantile: 0.99, ratioMax: 1.5, slackMs: 5 });
    for (let row = 1; row <= 200; row += 1) countLatency(limit, row);
    expect(limit.quantileMs).toBeGreaterThanOrEqual(198);
    expect(limit.quantileMs).toBeLessThanOrEqual(198 * 1.02);
    expect(limit.limitMs).toBeCloseTo(1.5 * (limit.quantileMs ?? 0), 9);
    const fast = startLatencyLimit({ quantile: 0.99, ratioMax: 1.5, slackMs: 5 });
    for (let row = 1; row <= 200; row += 1) countLatency(fast, 1);
    expect(fast.limitMs).toBeCloseTo((fast.quantileMs ?? 0) + 5, 9);
  });
});

describe('prediction shift', () => {
  it('finds a mean that is off by more than is tolerated, in either direction, and only then', () => {
    for (const candidate of [0.55, 0.05]) expect(firstBreach(canary, requests({ perSecond: 100, failing: sound, scores: { champion: 0.3, candidate } }, canary, 30_000, 31))?.reading.guard).toBe('prediction-shift');
    expect(firstBreach(canary, requests({ perSecond: 100, failing: sound, scores: { champion: 0.3, candidate: 0.36 } }, canary, 30_000, 32))).toBeNull();
  });
});

describe('evidence', () => {
  it('is an e-process: its mean under “no more than the margin” never passes 1', () => {
    // ±1 with mean 0 and margin 0: the mean money after every observation is 1, whatever the bets. 4,000 games of 60 observations.
    const chance = seeded(41);
    let money = 0;
    for (let game = 0; game < 4_000; game += 1) {
      const bets = startBets({ lowest: -1, highest: 1, alpha: 0.05, aimUp: { effects: [0.1], deviations: [] }, aimDown: { effects: [0.1], deviations: [] } }, 0);
      for (let row = 0; row < 60; row += 1) extendBets(bets, chance() < 0.5 ? 1 : -1);
      money += Math.exp(betsEvidence(bets)) / 4_000;
    }
    expect(money).toBeGreaterThan(0.9);
    expect(money).toBeLessThan(1.1);
  });

  it('gives a lower bound at which it stands exactly as needed', () => {
    const bets = startBets({ lowest: -1, highest: 1, alpha: 0.05, aimUp: { effects: [0.1], deviations: [] }, aimDown: { effects: [0.1], deviations: [] } }, 0.05);
    expect(betsLowerBound(bets, 0.01)).toBeNull();
    for (let row = 0; row < 200; row += 1) extendBets(bets, 0.5);
    const low = betsLowerBound(bets, 0.01) ?? 0;
    expect(low).toBeGreaterThan(0.3);
    expect(low).toBeLessThan(0.5);
  });
});

describe('memory', () => {
  it('is plain JSON of bounded size, and goes on from what was stored', () => {
    const all = requests({ perSecond: 2_000, failing: { champion: 0.3, candidate: 0.3 } }, canary, 40_000, 51);
    const [whole, halves] = [startGuards(policy, canary), startGuards(policy, canary)];
    extendGuards(whole, all, policy);
    extendGuards(halves, all.slice(0, 17_003), policy);
    const stored: unknown = JSON.parse(JSON.stringify(halves));
    const restored = stored as GuardState;
    extendGuards(restored, all.slice(17_003), policy);
    expect(restored).toEqual(whole);
    expect(JSON.stringify(whole).length).toBeLessThan(64_000);
  });

  it('keeps how fast the champion is from one step to the next, and nothing else', () => {
    const state = startGuards(policy, shadow);
    extendGuards(state, requests({ perSecond: 100, failing: { champion: 0.1, candidate: 0.1 } }, shadow, 1_000, 52), policy);
    const next = startGuards(policy, canary, state);
    expect(next.limit?.limitMs).toBe(state.limit?.limitMs);
    expect(next.tallies.candidate).toEqual({ requests: 0, failed: 0, timed: 0, slow: 0 });
    expect(judgeGuards(next, policy).every(({ breached }) => !breached)).toBe(true);
  });
});

describe('beside other candidates', () => {
  const besides = [0.25, 1 / 3, 0.5].map((share): GuardStep => ({ name: 'ab 0.25', share, shares: [0.25, 0.5] }));
  /** Two others come, one after the other, and take their units from the champion. */
  function throughout(failingLast: number, seed: number): GuardState {
    let state: GuardState | undefined;
    besides.forEach((step, index) => {
      state = guardsIn(step, policy, state);
      const failing = index === besides.length - 1 ? { ...sound, candidate: failingLast } : sound;
      // Each stretch comes after the one before it.
      const later = requests({ perSecond: 100, failing }, step, 6_000, seed + index).map((each) => ({ ...each, endedMs: each.endedMs + index * 120_000 }));
      extendGuards(state, later, policy);
    });
    if (state === undefined) throw new Error('there are steps');
    return state;
  }
  it('the evidence goes on when the champion keeps less, and blames nobody for it', () => {
    const state = throughout(sound.candidate, 61);
    expect(state.step.share).toBe(0.5);
    expect(state.windows).toBeGreaterThan(2_000);
    expect(breachedGuard(state, policy)).toBeNull();
  });
  it('finds the candidate that fails after they have come', () => expect(breachedGuard(throughout(0.06, 62), policy)).toBe('error-rate'));
});
