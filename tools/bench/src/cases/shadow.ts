import { join } from 'node:path';
import { drive, windowOf, type Window } from '../load/drive.js';
import { median, ratio } from '../measure/median.js';
import { busyModel } from '../models/busy-model.js';
import { freshFolder, sinesFor, vectorModel, vectorModelBytes } from '../models/model-folder.js';
import { featureCount, featureNames, treeEnsemble } from '../models/tree-ensemble.js';
import { benchFolder } from '../servers/places.js';
import type { RingModel } from '../servers/ring-gateway.js';
import { pause } from '../pause.js';
import { inferJson } from './requests.js';
import type { Bench, Section } from './section.js';
import { startRing } from './subjects.js';

const perSecond = 300;
const settleMs = 1_500;

const shaped = (bytes: Uint8Array): RingModel => ({ name: vectorModel, bytes, inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, featureCount] }], features: featureNames });

/** The champion’s answers, without a shadow, with one like itself, and with one that takes 50 ms for every row. */
export async function measureShadow(bench: Bench): Promise<Section> {
  const { rounds, warmUpMs, windowMs } = bench.settings;
  const slowBytes = busyModel(await sinesFor(freshFolder(join(benchFolder, 'models-shadow')), 50), featureCount);
  const ring = await startRing();
  const windows: Record<'none' | 'alike' | 'slow', Window[]> = { none: [], alike: [], slow: [] };
  try {
    const champion = await ring.target(shaped(vectorModelBytes()), '1');
    const shadows = { none: null, alike: await ring.target(shaped(treeEnsemble({ trees: 100, depth: 6, seed: 7, inputs: 'vector' })), '2'), slow: await ring.target(shaped(slowBytes), '3') };
    const server = await ring.startGateway('gateway-shadow');
    try {
      for (let round = 0; round <= rounds; round += 1) {
        for (const kind of ['none', 'alike', 'slow'] as const) {
          const candidate = shadows[kind];
          await ring.route(vectorModel, candidate === null ? { champion } : { champion, phase: 'shadow', candidate: { ...candidate, share: 0, mirror: true } });
          await pause(settleMs);
          const window = windowOf(await drive({ host: server.host, port: server.port, serverPid: server.pid, requests: inferJson(), pace: { kind: 'open', perSecond }, connections: 16, warmUpMs, windowMs: windowMs * 2 }));
          if (round === 0) continue; // everybody’s first time
          windows[kind].push(window);
          bench.say(`  round ${round}/${rounds}  shadow ${kind.padEnd(5)}  p50 ${window.latency.p50Ms?.toFixed(2) ?? '?'} ms  p99 ${window.latency.p99Ms?.toFixed(2) ?? '?'} ms  ${JSON.stringify(window.statuses)}`);
        }
      }
    } finally {
      await server.stop();
    }
  } finally {
    await ring.stop();
  }
  const p99 = (kind: keyof typeof windows): number | null => median(windows[kind].map(({ latency }) => latency.p99Ms));
  const p50 = (kind: keyof typeof windows): number | null => median(windows[kind].map(({ latency }) => latency.p50Ms));
  const failed = Object.values(windows).flat().reduce((sum, { statuses, lost }) => sum + Object.values({ ...statuses, ...lost, 200: 0 }).reduce((inner, count) => inner + count, 0), 0);
  return {
    id: 'shadow',
    title: 'Shadow of every request',
    about: `The ensemble in the ring, V2 JSON, ${perSecond} requests a second in an open loop; medians of ${rounds} interleaved rounds. On a machine whose cores are all taken, a shadow’s work is felt however it is run.`,
    columns: ['shadow', 'p50 ms', 'p99 ms', 'p99 × without'],
    rows: [['none', p50('none'), p99('none'), 1], ['another ensemble', p50('alike'), p99('alike'), ratio(p99('alike'), p99('none'))], ['50 ms a row', p50('slow'), p99('slow'), ratio(p99('slow'), p99('none'))]],
    figures: { 'none.p99Ms': p99('none'), 'alike.p99Rise': ratio(p99('alike'), p99('none')), 'slow.p99Rise': ratio(p99('slow'), p99('none')), failed },
    goals: [
      { goal: 'p99 with a shadow at 100 %, against without', sense: 'at most', limit: 1.05, unit: '×', value: ratio(p99('alike'), p99('none')) },
      { goal: 'p99 with a shadow of 50 ms a row, against without', sense: 'at most', limit: 1.05, unit: '×', value: ratio(p99('slow'), p99('none')) },
      { goal: 'failed requests under shadows', sense: 'at most', limit: 0, unit: '', value: failed },
    ],
    windows,
  };
}
