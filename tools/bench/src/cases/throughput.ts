import { drive, windowOf, type Window } from '../load/drive.js';
import { median, ratio } from '../measure/median.js';
import type { Bench, GoalResult, Section } from './section.js';
import type { Subject } from './subjects.js';

/** Medians over the rounds of one subject. */
export interface Capacity {
  readonly perSecond: number | null;
  readonly cpuUsPerRequest: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export const capacityOf = (windows: readonly Window[]): Capacity => ({
  perSecond: median(windows.map(({ perSecond }) => perSecond)),
  cpuUsPerRequest: median(windows.map(({ cpuUsPerRequest }) => cpuUsPerRequest)),
  p50Ms: median(windows.map(({ latency }) => latency.p50Ms)),
  p99Ms: median(windows.map(({ latency }) => latency.p99Ms)),
});

/** Answers that were no 200, and requests without an answer. */
export const failuresIn = (windows: readonly Window[]): number =>
  windows.reduce((sum, { statuses, lost }) => sum + Object.entries({ ...lost, ...statuses, 200: 0 }).reduce((inner, [, count]) => inner + count, 0), 0);

export async function saturate(bench: Bench, { server, requests }: Subject): Promise<Window> {
  const { connections, warmUpMs, windowMs } = bench.settings;
  return windowOf(await drive({ host: server.host, port: server.port, serverPid: server.pid, requests, pace: { kind: 'closed' }, connections, warmUpMs, windowMs }));
}

/** Every subject once a round, so that what the machine does meanwhile hits all of them alike. */
export async function measureThroughput(bench: Bench, subjects: readonly Subject[]): Promise<{ section: Section; capacities: ReadonlyMap<string, Capacity> }> {
  const windows = new Map<string, Window[]>(subjects.map(({ id }) => [id, []]));
  for (let round = 1; round <= bench.settings.rounds; round += 1) {
    for (const subject of subjects) {
      const window = await saturate(bench, subject);
      windows.get(subject.id)?.push(window);
      bench.say(`  round ${round}/${bench.settings.rounds}  ${subject.title.padEnd(40)} ${window.perSecond.toFixed(0).padStart(7)}/s  ${window.cpuUsPerRequest?.toFixed(1) ?? '?'} µs CPU${window.firstRefusal === null ? '' : `  refused: ${window.firstRefusal}`}`);
    }
  }
  const capacities = new Map([...windows].map(([id, list]) => [id, capacityOf(list)]));
  return { section: sectionOf(bench, subjects, windows, capacities), capacities };
}

function sectionOf({ settings }: Bench, subjects: readonly Subject[], windows: ReadonlyMap<string, Window[]>, capacities: ReadonlyMap<string, Capacity>): Section {
  const echo = capacities.get('echo');
  const rows = subjects.map(({ id, title }) => {
    const own = capacities.get(id);
    return [title, own?.perSecond ?? null, ratio(own?.perSecond, echo?.perSecond), own?.cpuUsPerRequest ?? null, ratio(own?.cpuUsPerRequest, echo?.cpuUsPerRequest), own?.p50Ms ?? null, own?.p99Ms ?? null, failuresIn(windows.get(id) ?? [])];
  });
  const figures = Object.fromEntries(
    [...capacities].flatMap(([id, own]) => [
      [`${id}.perSecond`, own.perSecond], [`${id}.toEcho`, ratio(own.perSecond, echo?.perSecond)],
      [`${id}.cpuUsPerRequest`, own.cpuUsPerRequest], [`${id}.cpuToEcho`, ratio(own.cpuUsPerRequest, echo?.cpuUsPerRequest)],
      [`${id}.p50Ms`, own.p50Ms], [`${id}.p99Ms`, own.p99Ms], [`${id}.failures`, failuresIn(windows.get(id) ?? [])],
    ]),
  );
  return {
    id: 'throughput',
    title: 'As fast as it goes',
    about: `One row a request over ${settings.connections} keep-alive connections, each sending its next request on its answer; medians of ${settings.rounds} interleaved windows of ${settings.windowMs / 1_000} s. Processor time is that of the server and all its children.`,
    columns: ['server', 'requests/s', '× echo', 'CPU µs/request', '× echo', 'p50 ms', 'p99 ms', 'failures'],
    rows,
    figures,
    goals: goalsOf(figures),
    windows: Object.fromEntries(windows),
  };
}

function goalsOf(figures: Readonly<Record<string, number | null>>): GoalResult[] {
  const of = (name: string): number | null => figures[name] ?? null;
  const atLeast = (goal: string, limit: number, value: number | null): GoalResult => ({ goal, sense: 'at least', limit, unit: '×', value });
  const atMost = (goal: string, limit: number, value: number | null): GoalResult => ({ goal, sense: 'at most', limit, unit: '×', value });
  const peers = Object.keys(figures).some((name) => name.startsWith('fastapi') || name.startsWith('mlserver'));
  const logged = of('logged.json.perSecond');
  return [
    atLeast('throughput of V2 JSON against the echo, logging off', 0.8, of('gateway.json.toEcho')),
    atLeast('throughput of V2 binary against the echo, logging off', 0.8, of('gateway.binary.toEcho')),
    atLeast('throughput of V2 JSON against the echo, logging on', 0.7, of('logged.json.toEcho')),
    atLeast('throughput of V2 binary against the echo, logging on', 0.7, of('logged.binary.toEcho')),
    atLeast('throughput of /v1 predict against the echo, logging on', 0.65, of('logged.predict.toEcho')),
    atMost('CPU per request of V2 JSON against the echo, logging on', 1.6, of('logged.json.cpuToEcho')),
    atMost('CPU per request of V2 binary against the echo, logging on', 1.6, of('logged.binary.cpuToEcho')),
    atMost('CPU per request of /v1 predict against the echo, logging on', 1.6, of('logged.predict.cpuToEcho')),
    ...(peers
      ? [
          atLeast('throughput of V2 JSON, logging on, against MLServer', 7, ratio(logged, of('mlserver.perSecond'))),
          atLeast('throughput of V2 JSON, logging on, against FastAPI with one worker', 2.4, ratio(logged, of('fastapi-1.perSecond'))),
          atLeast('throughput of V2 JSON, logging on, against FastAPI with two workers', 1.4, ratio(logged, of('fastapi-2.perSecond'))),
          atMost('CPU per request of V2 JSON, logging on, against FastAPI with one worker', 0.5, ratio(of('logged.json.cpuUsPerRequest'), of('fastapi-1.cpuUsPerRequest'))),
        ]
      : []),
  ];
}
