import { join } from 'node:path';
import type { RunningServer } from '@millrace/testing';
import { drive, windowOf, type Window } from '../load/drive.js';
import { median, ratio } from '../measure/median.js';
import { freshFolder, placeBusyModel, placeEnsembles } from '../models/model-folder.js';
import { startStandaloneGateway } from '../servers/node-servers.js';
import { benchFolder } from '../servers/places.js';
import { inferJson, inferOne } from './requests.js';
import type { Bench, Section } from './section.js';

const slow = 'busy-200ms';
const perSecond = 300;

/** The gateway’s own figure; prom-client starts it afresh at each look. ms; null when it is not told. */
async function loopDelayMs({ url }: RunningServer): Promise<number | null> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? ([\d.e+-]+)$/mu.exec(text);
  return found === null ? null : Number(found[1]) * 1_000;
}

interface Watched {
  readonly window: Window;
  readonly loopMs: number | null;
}

async function watch(bench: Bench, server: RunningServer): Promise<Watched> {
  const { warmUpMs, windowMs } = bench.settings;
  await loopDelayMs(server);
  const result = await drive({ host: server.host, port: server.port, requests: inferJson(), pace: { kind: 'open', perSecond }, connections: 16, warmUpMs, windowMs: windowMs * 2 });
  return { window: windowOf(result), loopMs: await loopDelayMs(server) };
}

/** A quick model’s answers, while another model of the same server is idle and while it has more to do than it can. */
export async function measureIsolation(bench: Bench): Promise<Section> {
  const { rounds, warmUpMs, windowMs } = bench.settings;
  const models = freshFolder(join(benchFolder, 'models-isolation'));
  placeEnsembles(models);
  const { ownMs } = await placeBusyModel(models, slow, 200, { batching: { rowsMax: 1 } });
  const server = await startStandaloneGateway({ name: 'gateway-isolation', models });
  const [alone, beside]: [Watched[], Watched[]] = [[], []];
  try {
    await watch(bench, server);
    for (let round = 1; round <= rounds; round += 1) {
      const quiet = await watch(bench, server);
      const burden = drive({ host: server.host, port: server.port, requests: inferOne(slow), pace: { kind: 'closed' }, connections: 8, warmUpMs: 0, windowMs: warmUpMs + windowMs * 2 + 1_000 });
      const loud = await watch(bench, server);
      const burdened = windowOf(await burden);
      alone.push(quiet);
      beside.push(loud);
      bench.say(`  round ${round}/${rounds}  p99 ${quiet.window.latency.p99Ms?.toFixed(2) ?? '?'} ms alone, ${loud.window.latency.p99Ms?.toFixed(2) ?? '?'} ms beside the slow model (${burdened.perSecond.toFixed(1)}/s of it); event loop p99 ${loud.loopMs?.toFixed(1) ?? '?'} ms`);
    }
  } finally {
    await server.stop();
  }
  const p99 = (list: readonly Watched[]): number | null => median(list.map(({ window }) => window.latency.p99Ms));
  const p50 = (list: readonly Watched[]): number | null => median(list.map(({ window }) => window.latency.p50Ms));
  const loop = (list: readonly Watched[]): number | null => median(list.map(({ loopMs }) => loopMs));
  const rise = ratio(p99(beside), p99(alone));
  return {
    id: 'isolation',
    title: 'Beside a slow model',
    about: `The ensemble asked ${perSecond} times a second in an open loop, alone and while a model of ${ownMs.toFixed(0)} ms a run in the same server has 8 callers that never rest; medians of ${rounds} interleaved rounds. Event-loop delay is the gateway’s own metric, whose sampling interval of 10 ms is part of the figure.`,
    columns: ['', 'p50 ms', 'p99 ms', 'event-loop delay p99 ms'],
    rows: [['alone', p50(alone), p99(alone), loop(alone)], ['beside the slow model', p50(beside), p99(beside), loop(beside)]],
    figures: { 'alone.p99Ms': p99(alone), 'beside.p99Ms': p99(beside), p99Rise: rise, 'beside.loopMs': loop(beside), 'alone.loopMs': loop(alone) },
    goals: [
      { goal: 'event-loop delay p99 beside a saturated model of 200 ms', sense: 'at most', limit: 20, unit: 'ms', value: loop(beside) },
      { goal: 'p99 of another model beside it, against alone', sense: 'at most', limit: 1.25, unit: '×', value: rise },
    ],
    windows: { alone: alone.map(({ window }) => window), beside: beside.map(({ window }) => window) },
  };
}
