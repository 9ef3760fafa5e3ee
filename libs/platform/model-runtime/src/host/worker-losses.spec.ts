// Goal: a model that crashes, hangs or eats memory costs its own request and nobody else's.
// Method: real models that do so in native code, real processes, kills from outside; what waits, what is re-run, what gives up.
import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityModel, integerDivisionModel, loopModel } from '../testing/index.js';
import { column, endless, isAlive, outcomeOf, pidOf, turns, until, wholes } from './feeds.fixture.js';
import { ModelHost, type ModelHostOptions } from './model-host.js';

let host = new ModelHost();
const fresh = (options: ModelHostOptions = {}): ModelHost => (host = new ModelHost(options));
afterEach(() => host.close());

/** -2^31 / -1: see integerDivisionModel. */
const fatal = { a: wholes([-(2 ** 31)]), b: wholes([-1]) };
const harmless = { a: wholes([6]), b: wholes([3]) };

describe('a model whose run ends the process', () => {
  it('fails that request with the reason, and answers the next from a new process', async () => {
    const served = await fresh().load({ bytes: integerDivisionModel() }, { name: 'division' });
    const first = pidOf(host, 'division');
    await expect(served.run(fatal)).rejects.toMatchObject({ code: 'MODEL_WORKER_LOST', retryable: true, message: expect.stringMatching(/SIGFPE/) });
    expect((await served.run(harmless))['y']?.data).toEqual(Int32Array.of(2));
    expect([served.state, served.reason, served.statistics.replacements]).toEqual(['ready', null, 1]);
    expect(pidOf(host, 'division')).not.toBe(first);
    expect(isAlive(first)).toBe(false);
  });

  it('lets requests behind it wait for the new process, unless their time is over before', async () => {
    const served = await fresh().load({ bytes: integerDivisionModel() }, { limits: { rowsMax: 1 } });
    const [guilty, waiting] = [served.run(fatal), served.run(harmless)];
    expect(await Promise.all([guilty, waiting].map(outcomeOf))).toEqual(['MODEL_WORKER_LOST', 'answered']);
  });

  it('is not noticed by models that share its worker, whose waiting runs are made again', async () => {
    fresh({ workersMax: 1 });
    const division = await host.load({ bytes: integerDivisionModel() }, { name: 'division' });
    const others = [await host.load({ bytes: identityModel('FP32') }, { name: 'b' }), await host.load({ bytes: identityModel('FP32') }, { name: 'c' })];
    expect(host.workers.find(({ state }) => state === 'shared')?.models).toEqual(['division', 'b', 'c']);
    const lost = outcomeOf(division.run(fatal));
    const answers = await Promise.all(others.flatMap((other) => [1, 2, 3].map((value) => other.run({ x: column([value]) }))));
    expect(answers.map(({ y }) => y?.data[0])).toEqual([1, 2, 3, 1, 2, 3]);
    expect(await lost).toBe('MODEL_WORKER_LOST');
    await division.run(harmless);
    expect(pidOf(host, 'division')).not.toBe(pidOf(host, 'b')); // it lives alone from now on
  });

  it('is out of service after three within a minute, says why, and is tried again later', async () => {
    const served = await fresh({ retryMs: 1 }).load({ bytes: integerDivisionModel() });
    for (let loss = 0; loss < 2; loss += 1) expect(await outcomeOf(served.run(fatal))).toBe('MODEL_WORKER_LOST');
    const [third, behind] = [served.run(fatal), served.run({ a: wholes([1, 2]), b: wholes([1, 1]) })];
    await Promise.all([outcomeOf(third), outcomeOf(behind)]);
    await until(() => served.state === 'ready');
    expect((await served.run(harmless))['y']?.data).toEqual(Int32Array.of(2));
  });

  it('refuses requests at once while it is out of service', async () => {
    const served = await fresh({ retryMs: 3_600_000 }).load({ bytes: integerDivisionModel() });
    for (let loss = 0; loss < 3; loss += 1) expect(await outcomeOf(served.run(fatal))).toBe('MODEL_WORKER_LOST');
    expect([served.state, served.reason]).toEqual(['failed', expect.stringMatching(/SIGFPE.*tried again in 300 s/)]);
    await expect(served.run(harmless)).rejects.toMatchObject({ code: 'MODEL_WORKER_LOST', message: expect.stringMatching(/300 s/) });
    await served.close();
  });
});

describe('a model that does not come back', () => {
  it('is stopped at its limit, while others go on', async () => {
    fresh();
    const [hanging, other] = [await host.load({ bytes: loopModel() }, { limits: { runMsMax: 100 } }), await host.load({ bytes: identityModel('FP32') })];
    const hung = outcomeOf(hanging.run(turns(endless)));
    let answered = 0;
    for (let done = false; !done; answered += 1) {
      await other.run({ x: column([answered]) });
      done = hanging.statistics.fail.count > 0;
    }
    expect(await hung).toBe('MODEL_WORKER_LOST');
    expect(answered).toBeGreaterThan(1);
    expect(other.statistics).toMatchObject({ replacements: 0, fail: { count: 0 } });
    expect(await outcomeOf(hanging.run(turns(1)))).toBe('answered');
  });

  it('takes nothing along whose time is over meanwhile', async () => {
    const served = await fresh().load({ bytes: loopModel() }, { limits: { runMsMax: 2000 } });
    const hung = outcomeOf(served.run(turns(endless)));
    await until(() => served.statistics.queuedRows === 1);
    // The first of them lies in the worker already, the others wait in the queue.
    const behind = [1, 2, 3].map(() => outcomeOf(served.run(turns(1), { deadlineMs: performance.now() + 100 })));
    expect(await Promise.all(behind)).toEqual(Array(3).fill('DEADLINE_EXCEEDED'));
    expect(served.statistics).toMatchObject({ expired: 3, fail: { count: 0 } }); // the hung run was still being waited for
    expect(await hung).toBe('MODEL_WORKER_LOST');
  });
});

describe('a model that outgrows its memory', () => {
  it('is stopped at its limit, with the limit in the sentence', async () => {
    const served = await fresh().load({ bytes: loopModel({ gather: true }) }, { limits: { memoryMbMax: 250 } });
    await expect(served.run(turns(endless, 20_000))).rejects.toMatchObject({ code: 'MODEL_WORKER_LOST', message: expect.stringMatching(/limit of 250 MB/) });
    expect((await served.run(turns(3)))['all']?.shape).toEqual([3, 1, 1]);
  });
});

describe('a worker killed from outside', () => {
  it('is replaced though nobody asked for anything', async () => {
    const served = await fresh().load({ bytes: identityModel('FP32') }, { name: 'idle' });
    const first = pidOf(host, 'idle');
    process.kill(first, 'SIGKILL');
    await until(() => served.statistics.replacements === 1 && served.state === 'ready');
    expect((await served.run({ x: column([5]) }))['y']?.data[0]).toBe(5);
  });

  it('ignores what a supervisor tells the whole group, so that accepted requests are answered', async () => {
    const served = await fresh().load({ bytes: loopModel() }, { name: 'draining' });
    const accepted = served.run(turns(300_000));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pidOf(host, 'draining'), signal);
    expect(await outcomeOf(accepted)).toBe('answered');
    expect(served.statistics.replacements).toBe(0);
  });

  it('is not replaced by another file of the same name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'models-'));
    const path = join(folder, 'model.onnx');
    writeFileSync(path, identityModel('FP32'));
    const served = await fresh({ retryMs: 3_600_000 }).load({ path }, { name: 'changed' });
    writeFileSync(path, identityModel('FP32', ['n', 2]));
    process.kill(pidOf(host, 'changed'), 'SIGKILL');
    await until(() => served.state === 'failed');
    expect(served.reason).toMatch(/has changed since the model was loaded/);
    rmSync(folder, { recursive: true });
  });
});
