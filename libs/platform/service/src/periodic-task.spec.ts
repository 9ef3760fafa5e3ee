/**
 * Goal: rounds never overlap, a failing one does not end the task, and a stop waits for the round under way.
 * Method: rounds that end when the test says so, every millisecond.
 */
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { PeriodicTask } from './periodic-task.js';

function rounds(): { next(): Promise<{ end(): void; fail(error: Error): void }>; round(): Promise<void>; readonly most: number } {
  let running = 0;
  let most = 0;
  const begun: { end(): void; fail(error: Error): void }[] = [];
  let wake: (() => void) | undefined;
  return {
    round: () =>
      new Promise<void>((resolve, reject) => {
        running += 1;
        most = Math.max(most, running);
        begun.push({ end: () => { running -= 1; resolve(); }, fail: (error) => { running -= 1; reject(error); } });
        wake?.();
      }),
    next: async () => {
      for (;;) {
        const first = begun.shift();
        if (first !== undefined) return first;
        await new Promise<void>((resolve) => { wake = resolve; });
      }
    },
    get most() { return most; },
  };
}

const soon = { everyMs: 1, quietMs: 0, now: () => new Date() };

describe('a periodic task', () => {
  it('keeps quiet after its start, by the clock that it is given', async () => {
    const work = rounds();
    let [looks, nowMs] = [0, 0];
    const enough = new Promise<void>((resolve) => {
      const task = new PeriodicTask({ everyMs: 1, quietMs: 1_000, now: () => ((looks += 1) === 4 ? (resolve(), new Date(nowMs)) : new Date(nowMs)), round: () => work.round(), failed: () => undefined });
      task.start();
      void work.next().then((round) => (round.end(), task.stop()));
    });
    await enough;
    expect(work.most).toBe(0);
    nowMs = 1_000;
    await eventually('a round was done', () => work.most === 1);
  });

  it('does one round at a time, and goes on after one that failed', async () => {
    const work = rounds();
    const failures: unknown[] = [];
    const task = new PeriodicTask({ ...soon, round: () => work.round(), failed: (error) => failures.push(error) });
    task.start();
    (await work.next()).end();
    (await work.next()).fail(new Error('no database'));
    const third = await work.next();
    expect(failures).toEqual([new Error('no database')]);
    third.end();
    await task.stop();
    expect(work.most).toBe(1);
  });

  it('stops only when the round under way has ended, and begins no other', async () => {
    const work = rounds();
    const task = new PeriodicTask({ ...soon, round: () => work.round(), failed: () => undefined });
    task.start();
    const round = await work.next();
    let stopped = false;
    const stop = task.stop().then(() => { stopped = true; });
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    round.end();
    await stop;
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(Promise.race([work.next(), Promise.resolve('none')])).resolves.toBe('none');
  });
});
