/**
 * Goal: a training starts for a reason and only then; every “no” says why; finished steps stay finished.
 * Method: one quiet base case, changed one fact at a time.
 */
import { describe, expect, it } from '@jest/globals';
import { classifyTrainerExit, decideRetraining, nextStepOf, runSteps, type RetrainingEvidence, type RetrainingPolicy } from './index.js';

const day = 86_400_000;
const policy: RetrainingPolicy = { initialRows: 1_000, onDrift: true, onPerformance: true, newRows: 500, everyMs: 30 * day, cooldownMs: 7 * day, budget: { runs: 2, perMs: 30 * day } };
const quiet: RetrainingEvidence = {
  streamTimeMs: 100 * day, labelledRows: 5_000, labelledRowsSinceLastPlan: 0, hasChampion: true, activeRunId: null, drift: null, performance: null, manual: null, planTimesMs: [80 * day], contractBroken: null,
};
const verdict = { verdictId: 'v', reason: 'AUC fell' };

describe('the decision to retrain', () => {
  it.each<{ name: string; change: Partial<RetrainingEvidence>; trigger: string | null; blocker?: string }>([
    { name: 'nothing happened', change: {}, trigger: null },
    { name: 'performance fell', change: { performance: verdict }, trigger: 'performance' },
    { name: 'features drifted', change: { drift: verdict }, trigger: 'drift' },
    { name: 'performance weighs more than drift', change: { drift: verdict, performance: verdict }, trigger: 'performance' },
    { name: 'enough new rows', change: { labelledRowsSinceLastPlan: 500 }, trigger: 'new-rows' },
    { name: 'the schedule is due', change: { planTimesMs: [70 * day] }, trigger: 'schedule' },
    { name: 'cool-down', change: { performance: verdict, planTimesMs: [94 * day] }, trigger: null, blocker: 'cooldown' },
    { name: 'budget spent', change: { performance: verdict, planTimesMs: [75 * day, 80 * day] }, trigger: null, blocker: 'budget' },
    { name: 'a run is under way', change: { performance: verdict, activeRunId: 'run-7' }, trigger: null, blocker: 'active-run' },
    { name: 'the contract is broken', change: { performance: verdict, contractBroken: { reason: 'dest is gone' } }, trigger: null, blocker: 'contract' },
    { name: 'by hand, in spite of the cool-down', change: { manual: { by: 'ann', reason: 'try' }, planTimesMs: [99 * day, 98 * day] }, trigger: 'manual' },
    { name: 'by hand, but a run is under way', change: { manual: { by: 'ann', reason: 'try' }, activeRunId: 'run-7' }, trigger: null, blocker: 'active-run' },
    { name: 'the first training brought nothing into service, and new labels came', change: { hasChampion: false, labelledRowsSinceLastPlan: 1 }, trigger: 'initial' },
    { name: 'the first training brought nothing into service, and nothing is new', change: { hasChampion: false }, trigger: null },
    { name: 'the first training has just ended', change: { hasChampion: false, labelledRowsSinceLastPlan: 400, planTimesMs: [99 * day] }, trigger: null, blocker: 'cooldown' },
    { name: 'the first training has enough rows', change: { planTimesMs: [], labelledRows: 1_000 }, trigger: 'initial' },
    { name: 'the first training lacks one row', change: { planTimesMs: [], labelledRows: 999 }, trigger: null },
  ])('$name', ({ change, trigger, blocker }) => {
    const decision = decideRetraining({ ...quiet, ...change }, policy);
    expect(decision.decision).toBe(trigger === null ? 'no' : 'retrain');
    expect(decision.trigger).toBe(trigger);
    expect(decision.reasons.filter(({ outcome }) => outcome === 'blocks').map(({ rule }) => rule)).toEqual(blocker === undefined ? [] : [blocker]);
    expect(decision.reasons.every(({ reason }) => reason !== '')).toBe(true);
  });
});

describe('the steps of a run', () => {
  it('are done in order, the finished ones never again', () => {
    const done = (count: number) => runSteps.slice(0, count).map((step) => ({ step, state: 'succeeded' as const, attempts: 1 }));
    runSteps.forEach((step, index) => expect(nextStepOf(done(index))).toEqual({ do: 'step', step }));
    expect(nextStepOf(done(runSteps.length))).toEqual({ do: 'finish', outcome: 'succeeded' });
    expect(nextStepOf([...done(2), { step: 'train', state: 'failed', attempts: 3 }])).toEqual({ do: 'finish', outcome: 'failed' });
  });
  it.each([
    { code: 0, attempt: 1, retry: false, class: 'done' },
    { code: 42, attempt: 1, retry: false, class: 'refused' },
    { code: 75, attempt: 2, retry: true, class: 'transient' },
    { code: 75, attempt: 3, retry: false, class: 'transient' },
    { code: 137, attempt: 1, retry: true, class: 'out-of-memory' },
    { code: 137, attempt: 2, retry: false, class: 'out-of-memory' },
    { code: 143, attempt: 1, retry: true, class: 'cancelled' },
    { code: 1, attempt: 1, retry: true, class: 'failed' },
  ])('exit code $code at attempt $attempt of 3: $class, again: $retry', ({ code, attempt, ...exit }) => expect(classifyTrainerExit(code, attempt, 3)).toEqual(exit));
});
