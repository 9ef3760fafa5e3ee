import { measureBatch } from './cases/batch.js';
import { measureIsolation } from './cases/isolation.js';
import { measureLatency } from './cases/latency.js';
import { measureMemory } from './cases/memory.js';
import { measureOutage } from './cases/outage.js';
import { measureOverload } from './cases/overload.js';
import { measurePropagation } from './cases/propagation.js';
import { measureRestarts } from './cases/restarts.js';
import type { Bench, BenchSettings, Section } from './cases/section.js';
import { measureRollback } from './cases/rollback.js';
import { measureShadow } from './cases/shadow.js';
import { startSubjects } from './cases/subjects.js';
import { measureSwaps } from './cases/swaps.js';
import { measureThroughput, type Capacity } from './cases/throughput.js';
import { currentLoad, describeMachine, describeVersions, type BenchRecord } from './report/record.js';
import { startPeers } from './servers/peers.js';

const alone: Readonly<Record<string, (bench: Bench) => Promise<Section>>> = { batch: measureBatch, memory: measureMemory, overload: measureOverload, isolation: measureIsolation, swaps: measureSwaps, propagation: measurePropagation, restarts: measureRestarts, shadow: measureShadow, outage: measureOutage, rollback: measureRollback };

/** In the order they are run. */
export const parts: readonly string[] = ['throughput', 'latency', ...Object.keys(alone)];

async function measureSubjects(bench: Bench, wanted: ReadonlySet<string>): Promise<Section[]> {
  const peers = bench.settings.peers ? await startPeers(bench) : { list: [], stop: () => Promise.resolve() };
  const subjects = await startSubjects(bench, peers.list);
  const sections: Section[] = [];
  try {
    let capacities: ReadonlyMap<string, Capacity> = new Map();
    if (wanted.has('throughput')) {
      bench.say('throughput');
      const measured = await measureThroughput(bench, subjects.list);
      capacities = measured.capacities;
      sections.push(measured.section);
    }
    if (wanted.has('latency')) {
      bench.say('latency at 70 % of saturation');
      sections.push(await measureLatency(bench, subjects.list, capacities));
    }
    return sections;
  } finally {
    await subjects.stop();
    await peers.stop();
  }
}

/** Runs the parts that were asked for; one that fails is told of and the others go on. */
export async function runBench(settings: BenchSettings, only: readonly string[], say: (line: string) => void): Promise<{ record: BenchRecord; broken: number }> {
  const skipped: { what: string; why: string }[] = [];
  const skip = (what: string, why: string): void => {
    skipped.push({ what, why });
    say(`  not measured: ${what}: ${why.split('\n')[0] ?? ''}`);
  };
  const bench: Bench = { settings, say, skip };
  const wanted = new Set(only);
  const [startedAt, startedMs, loadBefore] = [new Date().toISOString(), performance.now(), currentLoad()];
  const sections: Section[] = [];
  let broken = 0;
  const attempt = async (what: string, work: () => Promise<readonly Section[]>): Promise<void> => {
    try {
      sections.push(...(await work()));
    } catch (error) {
      broken += 1;
      skip(what, error instanceof Error ? error.message : String(error));
    }
  };
  if (wanted.has('throughput') || wanted.has('latency')) await attempt('throughput and latency', () => measureSubjects(bench, wanted));
  for (const [name, measure] of Object.entries(alone)) {
    if (!wanted.has(name)) continue;
    say(name);
    await attempt(name, async () => [await measure(bench)]);
  }
  const record: BenchRecord = {
    format: 'millrace-bench/1', startedAt, tookSeconds: (performance.now() - startedMs) / 1_000, machine: describeMachine(),
    loadBefore, loadAfter: currentLoad(), versions: describeVersions(), settings, sections, skipped,
  };
  return { record, broken };
}
