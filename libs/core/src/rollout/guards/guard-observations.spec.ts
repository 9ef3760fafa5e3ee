// Goal: only what a version itself did under the route in force counts, and latencies only where they compare.
// Method: one event each, changed in one member.
import { describe, expect, it } from '@jest/globals';
import type { PredictionFailed, PredictionServed, RouteChanged } from '@millrace/contracts';
import { observationOfFailed, observationOfServed } from './guard-observations.js';

const target = { version: 'v', artifact: { sha256: 'a'.repeat(64), sizeBytes: 1 }, signature: { inputs: [], outputs: [], task: 'binary' as const, classes: ['0', '1'], positiveIndex: 1 } };
const routeWith = (share: number): RouteChanged => ({ model: 'm', revision: 7, rolloutId: 'm.v.1', phase: share === 0 ? 'shadow' : 'canary', salt: 's', champion: target, candidate: { ...target, share, mirror: share === 0 }, reason: 'r', changedAt: '2026-01-01T00:00:00Z', streamTime: null });
const base = { model: 'm', recordId: 'r', requestId: 'q', version: 'v', role: 'primary' as const, arm: 'candidate' as const, unit: 'u', eventTime: '2026-01-01T00:00:00Z', routeRevision: 7, armProbability: 0.1, servedAt: '2026-01-01T00:00:01.250Z', latencyMs: 12 };
const served: PredictionServed = { ...base, predictionId: 'p', output: { probability: 0.25 }, features: {} };
const failed: PredictionFailed = { ...base, code: 'MODEL_RUN_FAILED', reason: 'it broke' };

describe('an answer', () => {
  it('tells of its arm when it ended, how long it took and what it said', () => {
    expect(observationOfServed(served, routeWith(0.1))).toEqual({ arm: 'candidate', endedMs: Date.parse(base.servedAt), failed: false, latencyMs: 12, score: 0.25, unit: null });
    expect(observationOfServed({ ...served, output: { value: 3 } }, routeWith(0.1))?.score).toBe(3);
  });

  it.each([
    ['was given under another route', { routeRevision: 6 }, 0.1],
    ['was given by a fallback', { fallback: 'constant' }, 0.1],
    ['was a shadow run beside arms', { role: 'shadow' as const }, 0.1],
  ])('tells nothing when it %s', (_why, change, share) => {
    expect(observationOfServed({ ...served, ...change }, routeWith(share))).toBeNull();
  });

  it('of a shadow run tells its latency only when it ran alone', () => {
    const shadow = { ...served, role: 'shadow' as const };
    expect(observationOfServed({ ...shadow, runRows: 1 }, routeWith(0))?.latencyMs).toBe(12);
    for (const run of [{ ...shadow, runRows: 2 }, shadow]) expect(observationOfServed(run, routeWith(0))).toMatchObject({ failed: false, latencyMs: null });
  });
});

describe('a failure', () => {
  it('is one of its unit; of a stream’s record each try is one', () => {
    const of = (change: Partial<PredictionFailed>) => observationOfFailed({ ...failed, ...change }, routeWith(0.1));
    expect(of({})).toMatchObject({ arm: 'candidate', failed: true, latencyMs: null, score: null });
    expect(of({ requestId: 'other' })?.unit).toBe(of({})?.unit);
    expect(of({ unit: 'other' })?.unit).not.toBe(of({})?.unit);
    expect(of({ attempt: 2 })?.unit).not.toBe(of({ attempt: 1 })?.unit);
  });

  it('tells nothing under another route, nor in shadow beside arms', () => {
    expect(observationOfFailed({ ...failed, routeRevision: 8 }, routeWith(0.1))).toBeNull();
    expect(observationOfFailed({ ...failed, role: 'shadow' }, routeWith(0.1))).toBeNull();
    expect(observationOfFailed({ ...failed, role: 'shadow' }, routeWith(0))).not.toBeNull();
  });
});
