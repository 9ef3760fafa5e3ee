// Goal: versions come and go under load and nobody notices; leaky workers are renewed; nothing outlives the host, even a killed one.
// Method: requests without pause over loads and closes; the processes themselves; a host killed in the middle of a hung run.
import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityModel, loopModel } from '../testing/index.js';
import { column, endless, isAlive, outcomeOf, pidOf, turns, until } from './feeds.fixture.js';
import { ModelHost } from './model-host.js';
import type { ServedModel } from './served-model.js';

let host = new ModelHost();
afterEach(() => host.close());
const swaps = Number(process.env['HOT_SWAPS'] ?? 30);

describe('swapping', () => {
  it(`${swaps} versions under requests fails none of them, and no worker has a past`, async () => {
    host = new ModelHost();
    let current: ServedModel = await host.load({ bytes: identityModel('FP32') });
    let swapping = true;
    const outcomes = new Map<string, number>();
    const asking = (async () => {
      for (let value = 0; swapping; value += 1) {
        const outcome = await outcomeOf(current.run({ x: column([value]) }));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    })();
    const pids = new Set<number>();
    for (let swap = 0; swap < swaps; swap += 1) {
      const next = await host.load({ bytes: identityModel('FP32') }, { name: `version ${swap}` });
      pids.add(pidOf(host, `version ${swap}`));
      const old = current;
      current = next;
      await old.close();
      expect(host.workers.filter(({ models }) => models.length > 0).length).toBe(1);
    }
    swapping = false;
    await asking;
    expect([...outcomes.keys()]).toEqual(['answered']);
    expect(pids.size).toBe(swaps);
  }, 600_000);

  it('renews a shared worker that has unloaded its share, without a lost request', async () => {
    host = new ModelHost({ workersMax: 1, unloadsMax: 4 });
    const stays = await host.load({ bytes: identityModel('FP32') }, { name: 'stays' });
    const first = pidOf(host, 'stays');
    let answered = 0;
    let coming = true;
    const asking = (async () => {
      for (; coming; answered += 1) await stays.run({ x: column([answered]) });
    })();
    for (let index = 0; index < 4; index += 1) await (await host.load({ bytes: identityModel('FP32') })).close();
    await until(() => pidOf(host, 'stays') !== first && !isAlive(first));
    coming = false;
    await asking;
    expect(answered).toBeGreaterThan(0);
    expect(stays.statistics).toMatchObject({ success: { count: answered }, fail: { count: 0 }, replacements: 0 });
  });

  it('gives a model that turns out slow a worker of its own, under way', async () => {
    host = new ModelHost({ workersMax: 1, heavyRunMs: 20 });
    const slow = await host.load({ bytes: loopModel() }, { name: 'slow' });
    const quick = await host.load({ bytes: identityModel('FP32') }, { name: 'quick' });
    expect(pidOf(host, 'slow')).toBe(pidOf(host, 'quick'));
    const outcomes = [];
    for (let index = 0; index < 4; index += 1) outcomes.push(outcomeOf(slow.run(turns(300_000))));
    await until(() => pidOf(host, 'slow') !== pidOf(host, 'quick'));
    expect(host.workers.find(({ models }) => models.includes('slow'))?.state).toBe('own');
    expect(await Promise.all(outcomes)).toEqual(Array(4).fill('answered'));
    expect((await quick.run({ x: column([1]) }))['y']?.data[0]).toBe(1);
  });

  it('puts many models into few workers', async () => {
    host = new ModelHost({ workersMax: 2 });
    const models = await Promise.all(Array.from({ length: 40 }, () => host.load({ bytes: identityModel('FP32') })));
    expect(host.workers.filter(({ state }) => state === 'shared').map(({ models: held }) => held.length)).toEqual([20, 20]);
    const answers = await Promise.all(models.map((model, index) => model.run({ x: column([index]) })));
    expect(answers.map(({ y }) => y?.data[0])).toEqual(models.map((_, index) => index));
  });
});

describe('a host that is killed', () => {
  it('leaves neither a worker, though it hangs in native code, nor a file', async () => {
    const dist = new URL('../../dist/', import.meta.url).href;
    const script = `
      const { ModelHost } = await import('${dist}index.js');
      const { loopModel } = await import('${dist}testing/index.js');
      const host = new ModelHost();
      const model = await host.load({ bytes: loopModel() });
      model.run({ times: { datatype: 'INT64', shape: [1], data: BigInt64Array.of(${endless}n) }, x: { datatype: 'FP32', shape: [1, 1], data: new Float32Array(1) } });
      setTimeout(() => console.log(JSON.stringify(host.workers.map(({ pid }) => pid))), 50);
    `;
    const folder = mkdtempSync(join(tmpdir(), 'host-'));
    const environment = { ...process.env, NODE_OPTIONS: '', TMPDIR: folder };
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], env: environment });
    const said: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text));
    await until(() => said.join('').includes('\n'));
    const pids = JSON.parse(said.join('')) as number[];
    const kept = (): number => readdirSync(folder).filter((name) => name.startsWith('millrace-models-')).length;
    expect([pids.length > 0, pids.every(isAlive), kept()]).toEqual([true, true, 1]);
    child.kill('SIGKILL');
    await until(() => !pids.some(isAlive) && kept() === 0);
    rmSync(folder, { recursive: true });
  });
});
