// Goal: a model that gets more than it can do answers what it can in time, refuses the rest at once, and runs nothing in vain.
// Method: a worker held up by a run of known turns; what is refused, expired and run, by the model's own counters.
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { loopModel } from '../testing/index.js';
import { outcomeOf, turns, until } from './feeds.fixture.js';
import { ModelHost } from './model-host.js';
import type { ModelLimits, RunOptions, ServedModel } from './served-model.js';

const host = new ModelHost();
let served: ServedModel;
const start = async (limits: ModelLimits = {}): Promise<void> => void (served = await host.load({ bytes: loopModel() }, { limits }));
afterEach(async () => {
  await served.close();
  expect(served.statistics.queuedRows).toBe(0);
});
afterAll(() => host.close());

// Long enough that everything asked meanwhile finds it running.
const long = 300_000;
const run = (options?: RunOptions, times = 1): Promise<string> => outcomeOf(served.run(turns(times), options));

describe('an overloaded model', () => {
  it('refuses at once what its queue cannot hold, and takes requests again when it has room', async () => {
    await start({ queuedRowsMax: 3 });
    const accepted = [run({}, long), run(), run()];
    const [before, refused] = [served.statistics.success.count, await run()];
    expect([refused, before]).toEqual(['MODEL_OVERLOADED', 0]); // the first had not ended
    expect(await Promise.all(accepted)).toEqual(['answered', 'answered', 'answered']);
    expect(await run()).toBe('answered');
    expect(served.statistics).toMatchObject({ refused: 1, success: { count: 4 } });
  });

  it('refuses at once what would wait longer than is allowed, or than the request has', async () => {
    await start({ queuedMsMax: 1, rowsMax: 1 });
    await run({}, long); // now it knows how long it takes
    const accepted = [run({}, long)];
    await until(() => served.statistics.queuedRows === 1);
    expect(await run()).toBe('MODEL_OVERLOADED');
    expect(await Promise.all(accepted)).toEqual(['answered']);
    await served.close();
    await start();
    await run({}, long);
    const running = run({}, long);
    expect(await run({ deadlineMs: performance.now() + 1 })).toBe('MODEL_OVERLOADED');
    expect(await running).toBe('answered');
    expect(served.statistics).toMatchObject({ refused: 1, executionCount: 2 });
  });

  it('never runs a request after its deadline', async () => {
    await start();
    expect(await run({ deadlineMs: performance.now() - 1 })).toBe('DEADLINE_EXCEEDED');
    const running = run({}, long);
    await until(() => served.statistics.queuedRows === 1);
    const late = await Promise.all([1, 2, 3].map(() => run({ deadlineMs: performance.now() + 20 })));
    expect(late.every((outcome) => outcome === 'DEADLINE_EXCEEDED' || outcome === 'MODEL_OVERLOADED')).toBe(true);
    expect(await running).toBe('answered');
    await run();
    expect(served.statistics).toMatchObject({ executionCount: 2, success: { count: 2 }, queuedRows: 0 });
  });

  it('recovers from an estimate that one slow run has spoilt', async () => {
    await start();
    await run({}, long);
    expect(await run({ deadlineMs: performance.now() + 5000 })).toBe('answered');
  });

  it('serves 1 before 2 before those without a priority, and each in order of arrival', async () => {
    await start();
    const order: string[] = [];
    const ask = (name: string, priority?: number): Promise<number> => served.run(turns(1), priority === undefined ? {} : { priority }).then(() => order.push(name));
    const running = run({}, long);
    await until(() => served.statistics.queuedRows === 1);
    await Promise.all([running, ask('none 1'), ask('two 1', 2), ask('one 1', 1), ask('none 2', 0), ask('one 2', 1), ask('two 2', 2)]);
    expect(order).toEqual(['one 1', 'one 2', 'two 1', 'two 2', 'none 1', 'none 2']);
  });

  it('does not hold up the models beside it', async () => {
    await start({ rowsMax: 1 });
    const other = await host.load({ bytes: loopModel() });
    const running = [run({}, long), run({}, long)];
    let answered = 0;
    for (; served.statistics.success.count === 0; answered += 1) await other.run(turns(1));
    expect(answered).toBeGreaterThan(2);
    await Promise.all(running);
    await other.close();
  });
});
