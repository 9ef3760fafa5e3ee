/**
 * Goal: a champion that differs from itself is no reason to take back a candidate that is the same model; a candidate that
 * answers otherwise is found, told with its part and its interval, and taken back where the spec says so.
 * Method: seeded answers with known noise and shift, judged after each; distances against values by hand.
 */
import { describe, expect, it } from '@jest/globals';
import type { PredictionServed } from '@millrace/contracts';
import { seeded } from '@millrace/testing';
import { answerDifferenceOf, answerDistance, observeAnswers, startAnswerDifference, type ComparedAnswers } from './answer-difference.js';
import { alphaOf, type GuardPolicy } from './guard-policy.js';
import { observationOfServed } from './guard-observations.js';
import { extendGuards, startGuards, type GuardObservation } from './guards.js';
import { breachedGuard, judgeGuards } from './judge-guards.js';

const policy: GuardPolicy = { alpha: 0.01, steps: 2, errorRate: null, latency: null, predictionShift: null };
const strict: GuardPolicy = { ...policy, answerDifference: { max: 0.02 } };
const shadow = { name: 'shadow 0', share: null };

/** Distances when every answer is off by up to `noise` each time it is asked, and `part` of the candidate’s by `shift` more. */
function drawn(seed: number, rows: number, noise: number, part: number, shift: number): ComparedAnswers[] {
  const chance = seeded(seed);
  return Array.from({ length: rows }, () => {
    const [first, second, candidate] = [chance() * noise, chance() * noise, chance() * noise];
    return { noise: Math.abs(second - first), difference: Math.abs(candidate + (chance() < part ? shift : 0) - first) };
  });
}

const observed = (compared: readonly ComparedAnswers[]): GuardObservation[] =>
  compared.map((each, index) => ({ arm: 'candidate', endedMs: index * 10, failed: false, latencyMs: null, score: 0.5, unit: null, compared: each }));

describe('how far apart two answers are', () => {
  it.each([
    { a: { probability: 0.2, label: false }, b: { probability: 0.35, label: false }, distance: 0.15 },
    { a: { value: -1 }, b: { value: 2.5 }, distance: 3.5 },
    { a: { label: 'a', probabilities: { a: 0.7, b: 0.2, c: 0.1 } }, b: { label: 'a', probabilities: { a: 0.5, b: 0.5 } }, distance: 0.3 },
    { a: { label: 'a' }, b: { label: 'b' }, distance: 1 },
    { a: { label: 1 }, b: { label: 1 }, distance: 0 },
  ])('$a and $b: $distance', ({ a, b, distance }) => expect(answerDistance(a, b)).toBeCloseTo(distance, 12));
  it('is not told of answers that do not compare', () => expect(answerDistance({ probability: 0.2 }, { value: 1 })).toBeNull());
});

describe('a champion that differs from itself', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is no finding against the same model (seed %i)', (seed) => {
    const state = startGuards(strict, shadow);
    extendGuards(state, observed(drawn(seed, 3_000, 0.05, 0, 0)), strict);
    expect(breachedGuard(state, strict)).toBeNull();
    const [reading] = judgeGuards(state, strict);
    expect(reading).toMatchObject({ guard: 'answer-difference', breached: false, low: null, reason: expect.stringMatching(/^\d+ of 2,800 shadow answers \(\d\.\d %\) differ from the champion’s by more than it differs from itself when it is asked again \(its p99: 0\.04\d*\), of its own \d+: between 0 and \d(\.\d)? points more, tolerated 2$/) });
  });
  it('hides no candidate that answers otherwise: a tenth of the answers, by more than the noise', () => {
    const state = startGuards(strict, shadow);
    extendGuards(state, observed(drawn(9, 3_000, 0.05, 0.1, 0.2)), strict);
    expect(breachedGuard(state, strict)).toBe('answer-difference');
    const [reading] = judgeGuards(state, strict);
    // The whole tenth lies beyond; one in a hundred of the rest does by chance, as of the champion’s own.
    expect(reading?.difference).toBeGreaterThan(0.07);
    expect(reading?.difference).toBeLessThan(0.13);
    expect(reading).toMatchObject({ breached: true, n: 2_800, limit: 0.02, alpha: alphaOf(strict) });
  });
  it('is told only, where the spec tolerates nothing in particular', () => {
    const state = startGuards(policy, shadow);
    extendGuards(state, observed(drawn(9, 3_000, 0.05, 0.5, 0.2)), policy);
    expect(breachedGuard(state, policy)).toBeNull();
    expect(judgeGuards(state, policy)).toMatchObject([{ guard: 'answer-difference', breached: false, evidence: 0, low: expect.any(Number) }]);
  });
  it('is still told in the steps after shadow', () => {
    const state = startGuards(policy, shadow);
    extendGuards(state, observed(drawn(1, 300, 0.05, 0, 0)), policy);
    expect(judgeGuards(startGuards(policy, { name: 'canary 0.1', share: 0.1 }, state), policy)).toMatchObject([{ guard: 'answer-difference', n: 100 }]);
  });
});

describe('the interval', () => {
  it('holds the true part of a model without noise, where every difference counts', () => {
    const state = startAnswerDifference(0.05);
    for (const compared of drawn(4, 5_000, 0, 0.03, 1e-4)) observeAnswers(state, compared);
    const { n, noise, low, high } = answerDifferenceOf(state);
    expect(n).toBe(4_800);
    expect(noise).toBeLessThanOrEqual(1e-8);
    expect(low).toBeLessThan(0.03);
    expect(low).toBeGreaterThan(0.02);
    expect(high).toBeGreaterThan(0.03);
    expect(high).toBeLessThan(0.045);
  });
  it('says nothing before the champion’s own noise is known', () => expect(answerDifferenceOf(startAnswerDifference(0.05))).toMatchObject({ n: 0, noise: null }));
});

describe('a shadow answer in the log', () => {
  const route = { revision: 4, candidate: { version: 'v2', share: 0 } };
  const shadowAnswer: PredictionServed = {
    model: 'm', recordId: 'r', predictionId: 'q.shadow', requestId: 'q', version: 'v2', role: 'shadow', arm: 'candidate', unit: 'r', eventTime: '2013-03-01T00:00:00Z', routeRevision: 4, output: { probability: 0.7 }, armProbability: 1,
    servedAt: '2013-03-01T00:00:00Z', features: {}, latencyMs: 1, runRows: 3,
  };
  it('tells both distances where the champion was asked again, and nothing where it was not', () => {
    const told = observationOfServed({ ...shadowAnswer, compared: { champion: { probability: 0.5 }, again: { probability: 0.46 } } }, route);
    expect(told?.compared?.difference).toBeCloseTo(0.2, 12);
    expect(told?.compared?.noise).toBeCloseTo(0.04, 12);
    expect(observationOfServed(shadowAnswer, route)).not.toHaveProperty('compared');
  });
  it('of a candidate beside it tells nothing of this one', () => expect(observationOfServed({ ...shadowAnswer, version: 'v3' }, route)).toBeNull());
});
