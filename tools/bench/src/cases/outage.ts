import { PacedCaller, waitOf, type Call } from './paced-caller.js';
import { pause, reachedWithin } from '../pause.js';
import { predictNamed } from './requests.js';
import type { Bench, Section } from './section.js';
import { startRing } from './subjects.js';

const perSecond = 200;

const idOf = ({ body }: Call): string => /"predictionId":"([^"]+)"/u.exec(body)?.[1] ?? '(none)';

async function droppedBy(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^millrace_prediction_log_dropped_total(?:\{[^}]*\})? (\d+)$/gmu)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Kafka goes away under load and comes back: nobody who asks may notice, and the log must be whole afterwards. */
export async function measureOutage(bench: Bench): Promise<Section> {
  const [calmMs, outageMs] = bench.settings.quick ? [4_000, 10_000] : [15_000, 60_000];
  const ring = await startRing();
  try {
    const server = await ring.startGateway('gateway-outage');
    try {
      await pause(500);
      const caller = new PacedCaller([server], predictNamed(), perSecond);
      await pause(2_000);
      const calmFromMs = performance.now();
      await pause(calmMs);
      const goneFromMs = performance.now();
      await ring.stopKafka();
      bench.say('  Kafka is gone');
      await pause(outageMs);
      const backFromMs = performance.now();
      await ring.startKafka();
      bench.say('  Kafka is back');
      await pause(calmMs);
      await caller.finish();
      const answered = caller.calls.filter(({ status }) => status === 200);
      const log = await ring.followLog();
      const whole = await reachedWithin(60_000, () => new Set(log.ids).size >= answered.length);
      const caughtUpMs = performance.now() - backFromMs;
      await pause(1_000);
      await log.stop();
      const inLog = new Set(log.ids);
      const missing = answered.filter((call) => !inLog.has(idOf(call))).length;
      const part = (fromMs: number, toMs: number): Call[] => answered.filter(({ sentMs }) => sentMs >= fromMs && sentMs < toMs);
      const [calm, gone] = [part(calmFromMs, goneFromMs), part(goneFromMs, backFromMs)];
      const failed = caller.calls.length - answered.length + caller.lost.length;
      bench.say(`  ${answered.length} answers, ${failed} failures, ${missing} missing in the log${whole ? `, whole ${(caughtUpMs / 1_000).toFixed(1)} s after Kafka was started again` : ''}`);
      return sectionOf({ answers: answered.length, failed, missing, doubled: log.ids.length - inLog.size, dropped: await droppedBy(server.url), calm, gone, outageMs });
    } finally {
      await server.stop();
    }
  } finally {
    await ring.stop();
  }
}

interface Outcome {
  readonly answers: number;
  readonly failed: number;
  readonly missing: number;
  readonly doubled: number;
  readonly dropped: number;
  readonly calm: readonly Call[];
  readonly gone: readonly Call[];
  readonly outageMs: number;
}

function sectionOf({ answers, failed, missing, doubled, dropped, calm, gone, outageMs }: Outcome): Section {
  const [calmP99Ms, goneP99Ms] = [waitOf(calm, 0.99), waitOf(gone, 0.99)];
  const addedP99Ms = calmP99Ms === null || goneP99Ms === null ? null : goneP99Ms - calmP99Ms;
  return {
    id: 'outage',
    title: `Kafka away for ${outageMs / 1_000} s`,
    about: `${perSecond} predictions a second with logging on; Kafka is stopped and started again; afterwards every answer’s prediction id is looked for in the topic. Kafka’s own stop and start share the cores with the gateway.`,
    columns: ['figure', 'value'],
    rows: [['answers', answers], ['failed predictions', failed], ['p50 ms before', waitOf(calm, 0.5)], ['p50 ms while Kafka was away', waitOf(gone, 0.5)], ['p99 ms before', calmP99Ms], ['p99 ms while Kafka was away', goneP99Ms], ['answers missing in the log', missing], ['of them counted as dropped', dropped], ['logged more than once', doubled]],
    figures: { answers, failed, missing, doubled, dropped, calmP99Ms, goneP99Ms, addedP99Ms },
    goals: [
      { goal: 'failed predictions while Kafka was away', sense: 'at most', limit: 0, unit: '', value: failed },
      { goal: 'added to p99 while Kafka was away', sense: 'at most', limit: 1, unit: 'ms', value: addedP99Ms },
      { goal: 'answers neither logged nor counted as dropped', sense: 'at most', limit: 0, unit: '', value: Math.abs(missing - dropped) },
      { goal: 'predictions logged more than once', sense: 'at most', limit: 0, unit: '', value: doubled },
    ],
    windows: {},
  };
}
