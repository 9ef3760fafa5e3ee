import { drive, windowOf, type Window } from '../load/drive.js';
import { median } from '../measure/median.js';
import type { Bench, GoalResult, Section } from './section.js';
import type { Subject } from './subjects.js';
import { failuresIn, saturate, type Capacity } from './throughput.js';

const share = 0.7;
/** Half of a window’s requests sent later than this, ms: server, generator or machine could not keep the rate, and the queue is what was measured. */
const lateMsMax = 5;
const attempts = 3;

interface Steady {
  readonly subject: Subject;
  readonly perSecond: number;
  /** Those in which the rate was kept. */
  readonly windows: Window[];
  drowned: number;
}

const kept = ({ sentLate, lost }: Window): boolean => (sentLate.p50Ms ?? Infinity) <= lateMsMax && Object.keys(lost).length === 0;

const middle = ({ windows }: Steady, pick: (window: Window) => number | null): number | null => median(windows.map(pick));

/** Requests at fixed instants, 70 % of what each server can do: what a caller waits when nothing is overloaded. */
export async function measureLatency(bench: Bench, subjects: readonly Subject[], capacities: ReadonlyMap<string, Capacity>): Promise<Section> {
  const { settings } = bench;
  const steady: Steady[] = [];
  for (const subject of subjects) {
    const capacity = capacities.get(subject.id)?.perSecond ?? (await saturate(bench, subject)).perSecond;
    steady.push({ subject, perSecond: Math.max(1, Math.floor(capacity * share)), windows: [], drowned: 0 });
  }
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const own of steady) {
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        const window = await steadily(bench, own);
        const good = kept(window);
        if (good) own.windows.push(window);
        else own.drowned += 1;
        bench.say(`  round ${round}/${settings.rounds}  ${own.subject.title.padEnd(40)} ${String(own.perSecond).padStart(6)}/s  p50 ${window.latency.p50Ms?.toFixed(2) ?? '?'} ms  p99 ${window.latency.p99Ms?.toFixed(2) ?? '?'} ms${good ? '' : '  the rate could not be kept; not counted'}`);
        if (good) break;
      }
    }
  }
  for (const { subject, windows, drowned } of steady) if (windows.length === 0) bench.skip(`latency of ${subject.title}`, `the rate could not be kept in any of ${drowned} windows; is the machine busy with something else?`);
  return sectionOf(bench, steady);
}

async function steadily({ settings }: Bench, { subject: { server, requests }, perSecond }: Steady): Promise<Window> {
  return windowOf(await drive({ host: server.host, port: server.port, serverPid: server.pid, requests, pace: { kind: 'open', perSecond }, connections: settings.connections, connectionsMax: settings.connections, warmUpMs: settings.warmUpMs, windowMs: settings.windowMs }));
}

function sectionOf({ settings }: Bench, steady: readonly Steady[]): Section {
  const echo = steady.find(({ subject }) => subject.id === 'echo');
  const added = (own: Steady, pick: (window: Window) => number | null): number | null => {
    const [value, base] = [middle(own, pick), echo === undefined ? null : middle(echo, pick)];
    return value === null || base === null ? null : value - base;
  };
  const p50 = ({ latency }: Window): number | null => latency.p50Ms;
  const p99 = ({ latency }: Window): number | null => latency.p99Ms;
  const goals = steady
    .filter(({ subject }) => subject.id.startsWith('gateway.') || subject.id.startsWith('logged.'))
    .flatMap((own): GoalResult[] => [
      { goal: `added to the echo at 70 % load, p50: ${own.subject.title}`, sense: 'at most', limit: 1, unit: 'ms', value: added(own, p50) },
      { goal: `added to the echo at 70 % load, p99: ${own.subject.title}`, sense: 'at most', limit: 3, unit: 'ms', value: added(own, p99) },
    ]);
  return {
    id: 'latency',
    title: 'At 70 % of its own saturation',
    about: `Open loop: requests are due at fixed instants and latency counts from then (no coordinated omission), over at most ${settings.connections} connections; medians of ${settings.rounds} interleaved windows of ${settings.windowMs / 1_000} s. “Sent late” is the generator’s own tardiness and the wait for a free connection; it is part of the latency. Windows in which the rate could not be kept were repeated and are not counted.`,
    columns: ['server', 'requests/s', 'p50 ms', 'p90 ms', 'p99 ms', 'p99.9 ms', 'added p50', 'added p99', 'sent late p99 ms', 'CPU µs/request', 'windows not counted', 'failures'],
    rows: steady.map((own) => [own.subject.title, own.perSecond, middle(own, p50), middle(own, ({ latency }) => latency.p90Ms), middle(own, p99), middle(own, ({ latency }) => latency.p999Ms), added(own, p50), added(own, p99), middle(own, ({ sentLate }) => sentLate.p99Ms), middle(own, ({ cpuUsPerRequest }) => cpuUsPerRequest), own.drowned, failuresIn(own.windows)]),
    figures: Object.fromEntries(steady.flatMap((own) => [[`${own.subject.id}.p50Ms`, middle(own, p50)], [`${own.subject.id}.p99Ms`, middle(own, p99)], [`${own.subject.id}.addedP50Ms`, added(own, p50)], [`${own.subject.id}.addedP99Ms`, added(own, p99)]])),
    goals,
    windows: Object.fromEntries(steady.map(({ subject, windows }) => [subject.id, windows])),
  };
}
