import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { median, ratio } from '../measure/median.js';
import { useOf } from '../measure/process-tree.js';
import { freshFolder, placeModel, vectorModel } from '../models/model-folder.js';
import { featureNames, treeEnsemble } from '../models/tree-ensemble.js';
import { startStandaloneGateway } from '../servers/node-servers.js';
import { benchFolder } from '../servers/places.js';
import { PacedCaller, waitOf, type Call } from './paced-caller.js';
import { pause } from '../pause.js';
import { inferJson } from './requests.js';
import type { Bench, Section } from './section.js';

const perSecond = 200;
const settleMs = 100;

/** When a swap to a version was asked for and when it was said to be in force; performance.now(). */
interface Swap {
  readonly version: number;
  readonly askedMs: number;
  readonly inForceMs: number;
}

/** Answers by a version that had been replaced before the request was sent, or was not yet asked for when it was answered. */
export function outOfRoute(calls: readonly Call[], swaps: readonly Swap[]): number {
  return calls.filter(({ status, sentMs, doneMs, body }) => {
    if (status !== 200) return false;
    const version = Number(/"model_version":"(\d+)"/u.exec(body)?.[1] ?? NaN);
    const oldest = swaps.findLast(({ inForceMs }) => inForceMs < sentMs)?.version ?? 1;
    const newest = swaps.findLast(({ askedMs }) => askedMs < doneMs)?.version ?? 1;
    return !(version >= oldest && version <= newest);
  }).length;
}

async function post(url: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST' });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
}

/** New versions of a model in use, one after another, each with bytes of its own. */
export async function measureSwaps(bench: Bench): Promise<Section> {
  const count = bench.settings.quick ? 40 : 200;
  const models = freshFolder(join(benchFolder, 'models-swaps'));
  // Made beforehand: the caller shares this process and must not wait for it.
  const made = freshFolder(join(benchFolder, 'models-swaps-made'));
  bench.say(`  making ${count + 1} versions`);
  for (let version = 1; version <= count + 1; version += 1) placeModel(made, vectorModel, String(version), treeEnsemble({ trees: 100, depth: 6, seed: version, inputs: 'vector' }));
  placeModel(models, vectorModel, '1', treeEnsemble({ trees: 100, depth: 6, seed: 1, inputs: 'vector' }), { task: 'regression', features: featureNames });
  const server = await startStandaloneGateway({ name: 'gateway-swaps', models, further: ['--repository-control'] });
  const swaps: Swap[] = [];
  const memory: { residentMb: number; sharedOnceMb: number | null }[] = [];
  const caller = new PacedCaller([server], inferJson(), perSecond);
  try {
    await pause(1_000);
    for (let version = 2; version <= count + 1; version += 1) {
      renameSync(join(made, vectorModel, String(version)), join(models, vectorModel, String(version)));
      rmSync(join(models, vectorModel, String(version - 1)), { recursive: true, force: true });
      const askedMs = performance.now();
      await post(`${server.url}/v2/repository/models/${vectorModel}/load`);
      swaps.push({ version, askedMs, inForceMs: performance.now() });
      await pause(settleMs);
      const use = useOf(server.pid);
      if (use !== undefined) memory.push(use);
      if ((version - 1) % 20 === 0) bench.say(`  ${version - 1}/${count} swaps, ${caller.calls.length} answers, ${use?.residentMb.toFixed(0) ?? '?'} MB in ${use?.processes ?? '?'} processes`);
    }
    await caller.finish();
  } finally {
    await caller.finish();
    await server.stop();
  }
  return sectionOf(count, caller, swaps, memory);
}

function sectionOf(count: number, { calls, lost }: PacedCaller, swaps: readonly Swap[], memory: readonly { residentMb: number; sharedOnceMb: number | null }[]): Section {
  const refused = calls.filter(({ status }) => status !== 200);
  const failed = refused.length + lost.length;
  const strayed = outOfRoute(calls, swaps);
  const early = median(memory.slice(8, 13).map(({ residentMb }) => residentMb));
  const late = median(memory.slice(-5).map(({ residentMb }) => residentMb));
  const growth = memory.length < 20 ? null : ratio(late, early);
  const p99Ms = waitOf(calls, 0.99);
  const swapMs = median(swaps.map(({ askedMs, inForceMs }) => inForceMs - askedMs));
  return {
    id: 'swaps',
    title: `${count} hot swaps under ${perSecond} requests/s`,
    about: 'Each swap puts a new version of the ensemble, with bytes of its own, in place of the last one and asks the repository to load it. Every answer is held against the version that was in force while it was made.',
    columns: ['figure', 'value'],
    rows: [['answers', calls.length], ['failed requests', failed], ['the first failure', refused[0] === undefined ? (lost[0] ?? '') : `${refused[0].status} ${refused[0].body.slice(0, 120)}`], ['answers by a version outside the route in force', strayed], ['time of a swap, median ms', swapMs], ['requests, p99 ms', p99Ms], ['resident MB after ten swaps', early], ['resident MB at the end', late], ['growth', growth]],
    figures: { failed, strayed, swapMs, p99Ms, earlyMb: early, lateMb: late, growth },
    goals: [
      { goal: `failed requests over ${count} hot swaps`, sense: 'at most', limit: 0, unit: '', value: failed },
      { goal: 'answers by a version outside the route in force', sense: 'at most', limit: 0, unit: '', value: strayed },
      { goal: 'resident memory after the swaps against after the first ten', sense: 'at most', limit: 1.05, unit: '×', value: growth },
    ],
    windows: {},
  };
}
