import { join } from 'node:path';
import { drive, windowOf, type Window } from '../load/drive.js';
import { median, ratio } from '../measure/median.js';
import { freshFolder, placeEnsembles, vectorModel } from '../models/model-folder.js';
import { ownTimeMs } from '../models/own-time.js';
import { startStandaloneGateway } from '../servers/node-servers.js';
import { benchFolder } from '../servers/places.js';
import { inferBatch } from './requests.js';
import type { Bench, Section } from './section.js';

const rows = 1_000;
const forms = ['binary', 'json'] as const;

/** One batch at a time over one connection, against the model by itself in a process that does nothing else. */
export async function measureBatch(bench: Bench): Promise<Section> {
  const { rounds, warmUpMs, windowMs } = bench.settings;
  const models = freshFolder(join(benchFolder, 'models-batch'));
  placeEnsembles(models);
  const path = join(models, vectorModel, '1', 'model.onnx');
  const server = await startStandaloneGateway({ name: 'gateway-batch', models });
  const own: number[] = [];
  const windows: Record<(typeof forms)[number], Window[]> = { binary: [], json: [] };
  try {
    for (let round = 1; round <= rounds; round += 1) {
      own.push(await ownTimeMs({ path, input: 'x', columns: 10, rows, runs: 200 }));
      for (const form of forms) {
        const window = windowOf(await drive({ host: server.host, port: server.port, serverPid: server.pid, requests: inferBatch(rows, form), pace: { kind: 'closed' }, connections: 1, warmUpMs, windowMs }));
        windows[form].push(window);
        bench.say(`  round ${round}/${rounds}  ${form.padEnd(7)} ${window.latency.p50Ms?.toFixed(2) ?? '?'} ms for ${rows} rows; the model by itself ${own.at(-1)?.toFixed(2) ?? '?'} ms${window.firstRefusal === null ? '' : `  refused: ${window.firstRefusal}`}`);
      }
    }
  } finally {
    await server.stop();
  }
  const ownMs = median(own);
  const took = (form: (typeof forms)[number]): number | null => median(windows[form].map(({ latency }) => latency.p50Ms));
  return {
    id: 'batch',
    title: `One batch of ${rows.toLocaleString('en')} rows`,
    about: `Median time from request to answer over one connection, and median time of the model’s own run in a process that does nothing else; medians of ${rounds} interleaved rounds.`,
    columns: ['form', 'ms', '× the model’s own run'],
    rows: [['the model by itself', ownMs, 1], ...forms.map((form) => [`V2 ${form}`, took(form), ratio(took(form), ownMs)])],
    figures: { ownMs, ...Object.fromEntries(forms.flatMap((form) => [[`${form}.ms`, took(form)], [`${form}.toOwn`, ratio(took(form), ownMs)]])) },
    goals: [{ goal: `a batch of ${rows} rows against the model’s own run, V2 binary`, sense: 'at most', limit: 1.3, unit: '×', value: ratio(took('binary'), ownMs) }],
    windows,
  };
}
