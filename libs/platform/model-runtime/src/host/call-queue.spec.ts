// Goal: who shares a run with whom, in which order, and what is not run at all.
// Method: hand-made queues; then random ones against what must hold for any of them. Time is an argument.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CallQueue, lowestPriority, type BatchRoom, type Call } from './call-queue.js';
import { RunTimeEstimate } from './run-time-estimate.js';

interface Named extends Call {
  readonly id: number;
}
let ids = 0;
const call = (over: Partial<Call> = {}): Named => ({
  id: (ids += 1), feeds: {}, key: '', rows: 1, priority: lowestPriority, deadlineMs: Infinity, enqueuedMs: 0, settled: false, resolve: () => undefined, reject: () => undefined, ...over,
});
/** One millisecond a row. */
const estimate = new RunTimeEstimate();
estimate.add(10, 10);
const room = (over: Partial<BatchRoom> = {}): BatchRoom => ({ rowsMax: 1024, nowMs: 0, aheadMs: 0, estimate, idle: false, ...over });
const idsOf = (calls: readonly Call[]): number[] => calls.map((each) => (each as Named).id);

function queueOf(calls: readonly Call[]): CallQueue {
  const queue = new CallQueue();
  for (const each of calls) queue.push(each);
  return queue;
}

/** Takes batches until nothing is left. */
function batchesOf(calls: readonly Call[], over: Partial<BatchRoom> = {}): number[][] {
  const queue = queueOf(calls);
  const batches: number[][] = [];
  while (queue.length > 0) batches.push(idsOf(queue.take(room(over)).batch));
  return batches;
}

describe('CallQueue', () => {
  it('fills batches in order of arrival up to the limit, without splitting a call', () => {
    const calls = [3, 2, 2, 9, 1].map((rows) => call({ rows }));
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = idsOf(calls);
    expect(batchesOf(calls, { rowsMax: 4 })).toEqual([[a], [b, c], [d], [e]]);
  });

  it('joins only calls of one key, and calls without one never', () => {
    const calls = [call({ key: 'p' }), call({ key: 'q' }), call({ key: null }), call({ key: 'p' }), call({ key: null }), call({ key: 'q' })];
    const [p1 = 0, q1 = 0, alone1 = 0, p2 = 0, alone2 = 0, q2 = 0] = idsOf(calls);
    expect(batchesOf(calls)).toEqual([[p1, p2], [q1, q2], [alone1], [alone2]]);
  });

  it('serves the higher priority first, and equal ones in order of arrival', () => {
    const calls = [lowestPriority, 2, 1, 2, lowestPriority, 1].map((priority) => call({ priority, key: null }));
    const [f = 0, d = 0, a = 0, e = 0, g = 0, b = 0] = idsOf(calls);
    expect(batchesOf(calls).flat()).toEqual([a, b, d, e, f, g]);
    expect(queueOf(calls).rowsBefore(2)).toBe(4);
    expect(queueOf(calls).rowsBefore(lowestPriority)).toBe(6);
  });

  it('does not run what would be late, given what runs ahead, and keeps a batch short enough for its hurried calls', () => {
    const [late, hurried, patient] = [call({ rows: 4, deadlineMs: 13 }), call({ rows: 4, deadlineMs: 15 }), call({ rows: 4 })];
    const taken = queueOf([late, hurried, patient]).take(room({ aheadMs: 10 }));
    expect(idsOf(taken.expired)).toEqual(idsOf([late]));
    expect(idsOf(taken.batch)).toEqual(idsOf([hurried])); // with the patient one it would take until 18
    expect(taken.deadlineMs).toBe(15);
  });

  it('tries a call that is expected to be late when nothing else runs, but not one that is', () => {
    const [hopeless, past] = [call({ rows: 50, deadlineMs: 20 }), call({ deadlineMs: -1 })];
    const taken = queueOf([past, hopeless]).take(room({ idle: true }));
    expect([idsOf(taken.expired), idsOf(taken.batch)]).toEqual([idsOf([past]), idsOf([hopeless])]);
  });

  it('finds what has expired anywhere in the line', () => {
    const calls = [call(), call({ deadlineMs: 5 }), call({ deadlineMs: 7 }), call()];
    const queue = queueOf(calls);
    expect(idsOf(queue.takeExpired(6))).toEqual([calls[1]?.id]);
    expect([queue.length, queue.rows]).toEqual([3, 3]);
  });

  it('loses, doubles and mixes up nothing, whatever comes and goes', () => {
    const arbitrary = fc.record({ key: fc.constantFrom('p', 'q', null), rows: fc.nat({ max: 5 }), priority: fc.constantFrom(1, 2, lowestPriority), deadlineMs: fc.oneof(fc.constant(Infinity), fc.nat({ max: 40 })) });
    const steps = fc.array(fc.oneof(fc.array(arbitrary, { maxLength: 6 }), fc.constant('take' as const), fc.constant('sweep' as const), fc.constant('return' as const)), { maxLength: 40 });
    fc.assert(fc.property(steps, fc.integer({ min: 1, max: 8 }), (plan, rowsMax) => {
      const queue = new CallQueue();
      const [came, left] = [new Map<number, Named>(), [] as number[]];
      let nowMs = 0;
      for (const step of plan) {
        nowMs += 1;
        if (Array.isArray(step)) {
          for (const each of step.map((over) => call(over))) {
            came.set(each.id, each);
            queue.push(each);
          }
        } else if (step === 'sweep') {
          left.push(...idsOf(queue.takeExpired(nowMs)));
        } else {
          const { batch, rows, expired } = queue.take(room({ rowsMax, nowMs }));
          expect(new Set(batch.map(({ key }) => key)).size).toBeLessThanOrEqual(1);
          expect(batch.length <= 1 || (rows <= rowsMax && batch[0]?.key !== null)).toBe(true);
          for (const each of batch) expect(nowMs + rows).toBeLessThanOrEqual(each.deadlineMs);
          left.push(...idsOf(expired));
          if (step === 'return') queue.putBack(batch);
          else left.push(...idsOf(batch));
        }
      }
      left.push(...idsOf(queue.takeAll()));
      expect([...left].sort((a, b) => a - b)).toEqual([...came.keys()]);
      expect([queue.length, queue.rows]).toEqual([0, 0]);
    }), { numRuns: 500 });
  });
});
