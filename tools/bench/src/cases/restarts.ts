import { join } from 'node:path';
import type { RunningServer } from '@millrace/testing';
import { median } from '../measure/median.js';
import { freshFolder, placeEnsembles } from '../models/model-folder.js';
import { startStandaloneGateway } from '../servers/node-servers.js';
import { benchFolder } from '../servers/places.js';
import { PacedCaller } from './paced-caller.js';
import { pause } from '../pause.js';
import { inferJson } from './requests.js';
import type { Bench, Section } from './section.js';

const perSecond = 200;

/** SIGTERM and start again, one of two replicas after the other, under a caller that keeps its connections. */
export async function measureRestarts(bench: Bench): Promise<Section> {
  const count = bench.settings.quick ? 10 : 100;
  const models = freshFolder(join(benchFolder, 'models-restarts'));
  placeEnsembles(models);
  const start = (name: string, port?: number): Promise<RunningServer> => startStandaloneGateway({ name, models, port });
  const replicas: [RunningServer, RunningServer] = [await start('gateway-restarts-a'), await start('gateway-restarts-b')];
  const caller = new PacedCaller(replicas, inferJson(), perSecond);
  const stopMs: number[] = [];
  try {
    for (let restart = 1; restart <= count; restart += 1) {
      await pause(200);
      const place = restart % 2 === 0 ? 0 : 1;
      const { name, port, stop } = replicas[place];
      const fromMs = performance.now();
      await stop();
      stopMs.push(performance.now() - fromMs);
      replicas[place] = await start(name, port);
      if (restart % 10 === 0) bench.say(`  ${restart}/${count} restarts, ${caller.calls.length} answers, ${caller.lost.length} lost`);
    }
    await pause(200);
  } finally {
    await caller.finish();
    for (const replica of replicas) await replica.stop();
  }
  const refused = caller.calls.filter(({ status }) => status !== 200);
  const lost = caller.lost.length;
  return {
    id: 'restarts',
    title: `${count} restarts under keep-alive load`,
    about: `Two replicas are restarted in turn by SIGTERM, under ${perSecond} requests/s over keep-alive connections to both; the caller obeys \`connection: close\` and dials the other when one does not listen. A request counts as lost when its connection ended before its answer.`,
    columns: ['figure', 'value'],
    rows: [['answers', caller.calls.length], ['requests lost on their connection', lost], ['reasons', [...new Set(caller.lost)].join(', ')], ['answers other than 200', refused.length], ['the first of them', refused[0] === undefined ? '' : `${refused[0].status} ${refused[0].body.slice(0, 120)}`], ['from SIGTERM to the end, median ms', median(stopMs)]],
    figures: { answers: caller.calls.length, lost, refused: refused.length, stopMs: median(stopMs) },
    goals: [
      { goal: `requests lost over ${count} restarts`, sense: 'at most', limit: 0, unit: '', value: lost },
      { goal: `answers other than 200 over ${count} restarts`, sense: 'at most', limit: 0, unit: '', value: refused.length },
    ],
    windows: {},
  };
}
