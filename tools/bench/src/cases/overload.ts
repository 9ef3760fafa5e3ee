import { join } from 'node:path';
import { drive, windowOf, type Window } from '../load/drive.js';
import { median, ratio } from '../measure/median.js';
import { freshFolder, placeBusyModel } from '../models/model-folder.js';
import { startStandaloneGateway } from '../servers/node-servers.js';
import { benchFolder } from '../servers/places.js';
import { inferOne } from './requests.js';
import type { Bench, Section } from './section.js';

const model = 'busy-5ms';
/** The queue holds a fifth of a second of work; a request is of no use after half a second. */
const serving = { batching: { rowsMax: 8 }, limits: { queuedMsMax: 200, deadlineMs: 500 } };
const excess = 3;

/** What a server does that is asked for three times what it can do: still as much as it can, and a quick no to the rest. */
export async function measureOverload(bench: Bench): Promise<Section> {
  const { rounds, warmUpMs, windowMs } = bench.settings;
  const models = freshFolder(join(benchFolder, 'models-overload'));
  const { ownMs } = await placeBusyModel(models, model, 5, serving);
  bench.say(`  the model takes ${ownMs.toFixed(2)} ms a row by itself`);
  const server = await startStandaloneGateway({ name: 'gateway-overload', models });
  const [peak, over]: [Window[], Window[]] = [[], []];
  const load = { host: server.host, port: server.port, serverPid: server.pid, requests: inferOne(model), warmUpMs, windowMs } as const;
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const best = windowOf(await drive({ ...load, pace: { kind: 'closed' }, connections: 16 }));
      const much = windowOf(await drive({ ...load, pace: { kind: 'open', perSecond: excess * best.perSecond }, connections: 64, connectionsMax: 2_000, warmUpMs: Math.max(warmUpMs, 1_000) }));
      peak.push(best);
      over.push(much);
      bench.say(`  round ${round}/${rounds}  peak ${best.perSecond.toFixed(0)}/s; at ${excess} × that ${much.perSecond.toFixed(0)}/s answered, refused ${JSON.stringify(much.statuses)} p99 ${much.refused.p99Ms?.toFixed(1) ?? '?'} ms`);
    }
  } finally {
    await server.stop();
  }
  const goodput = median(over.map((much, round) => ratio(much.perSecond, peak[round]?.perSecond)));
  const refusalP99Ms = median(over.map(({ refused }) => refused.p99Ms));
  const sums = over.flatMap(({ statuses }) => Object.entries(statuses)).reduce<Record<string, number>>((all, [status, count]) => ({ ...all, [status]: (all[status] ?? 0) + count }), {});
  const strange = Object.entries(sums).reduce((sum, [status, count]) => (['200', '429', '503'].includes(status) ? sum : sum + count), 0) + over.flatMap(({ lost }) => Object.values(lost)).reduce((sum, count) => sum + count, 0);
  const silent = over.reduce((sum, { refusedWithoutRetryAfter }) => sum + refusedWithoutRetryAfter, 0);
  const p99Ms = median(over.map(({ latency }) => latency.p99Ms));
  return {
    id: 'overload',
    title: `${excess} × what it can do`,
    about: `A model of ${ownMs.toFixed(1)} ms a row, limits ${JSON.stringify(serving)}; peak by 16 connections in a closed loop, then ${excess} × that rate in an open loop with as many connections as it takes (up to 2,000); medians of ${rounds} rounds.`,
    columns: ['figure', 'value'],
    rows: [['peak, requests/s', median(peak.map(({ perSecond }) => perSecond))], ['answered in time at the excess, requests/s', median(over.map(({ perSecond }) => perSecond))], ['× peak', goodput], ['answers, p99 ms', p99Ms], ['refusals, p50 ms', median(over.map(({ refused }) => refused.p50Ms))], ['refusals, p99 ms', refusalP99Ms], ['statuses', JSON.stringify(sums)], ['refusals without Retry-After', silent], ['neither answer nor 429/503', strange]],
    figures: { goodput, refusalP99Ms, answeredP99Ms: p99Ms, silent, strange },
    goals: [
      { goal: `goodput at ${excess} × capacity against the peak`, sense: 'at least', limit: 0.9, unit: '×', value: goodput },
      { goal: 'time to a refusal, p99', sense: 'at most', limit: 50, unit: 'ms', value: refusalP99Ms },
      { goal: 'refusals without Retry-After', sense: 'at most', limit: 0, unit: '', value: silent },
      { goal: 'requests met by neither 200, 429 nor 503', sense: 'at most', limit: 0, unit: '', value: strange },
    ],
    windows: { peak, over },
  };
}
