import { readFileSync } from 'node:fs';
import type { OutcomeAccounting, StreamAccounting, VerdictAnswer } from './answers.js';
import type { RingClient } from './ring-client.js';
import type { Timeline } from './timeline.js';
import type { Traffic } from './traffic.js';
import { until } from './waiting.js';

export const model = 'flight-delays';
export const stream = 'flights';

/** What every chapter of the story works with. */
export interface Stage {
  readonly ring: RingClient;
  readonly traffic: Traffic;
  readonly timeline: Timeline;
  /** The checkout. */
  readonly root: string;
  /** Folder of this run: logs, job folders of the story itself. */
  readonly folder: string;
  readonly python: string;
  readonly signal: AbortSignal;
}

const dayMs = 86_400_000;
const leadMaxMs = 1.25 * dayMs;
/** Of the traffic over the end of the last judged week: the week under way, a day of lateness, and the lead. */
const judgedLeadMaxMs = 7 * dayMs + dayMs + leadMaxMs;
const paceEveryEvents = 3_000;

export function streamAccounting(stage: Stage): Promise<StreamAccounting> {
  return stage.ring.get('data-validation', `/v1/streams/${stream}/accounting`);
}

export function outcomeAccounting(stage: Stage): Promise<OutcomeAccounting> {
  return stage.ring.get('outcome-joining', `/v1/models/${model}/accounting`);
}

/**
 * Time in the data must not run away from the ring by more than a day or so: answers, and verdicts on who should give them,
 * would come too late to matter. A slow machine makes the story longer, nothing else.
 */
async function keepPace(stage: Stage): Promise<void> {
  const isNear = (streamTime: string, leadMs = leadMaxMs): boolean => Date.parse(stage.traffic.now) - Date.parse(streamTime) <= leadMs;
  await until(
    'the ring to keep up with the traffic',
    async () => {
      const { streamTime } = await outcomeAccounting(stage);
      if (streamTime === null || !isNear(streamTime)) return false;
      // It has no time of its own before the first outcome.
      const weighed = (await stage.ring.find<{ streamTime: string | null }>('rollout-controller', `/v1/models/${model}/rollouts?limit=1`))?.streamTime ?? null;
      if (weighed !== null && !isNear(weighed)) return false;
      const [judged] = (await stage.ring.get<{ verdicts: VerdictAnswer[] }>('drift-monitoring', `/v1/models/${model}/verdicts?kind=drift&limit=1`)).verdicts;
      return judged === undefined || isNear(judged.window.to, judgedLeadMaxMs);
    },
    300,
  );
}

/**
 * Lets time in the data pass until `before`, or until `stop` answers something. Looks every few thousand events.
 * Answers what `stop` answered; undefined when the time was up.
 */
export async function live<T>(stage: Stage, before: string, options: { ask: boolean; stop?: () => Promise<T | undefined>; label: string }): Promise<T | undefined> {
  let events = 0;
  for (;;) {
    if (stage.signal.aborted) throw new Error('interrupted');
    const sent = stage.traffic.counts.records + stage.traffic.counts.labels;
    if (!(await stage.traffic.advance(before, options.ask))) return undefined;
    events += stage.traffic.counts.records + stage.traffic.counts.labels - sent;
    stage.timeline.progress(`${stage.traffic.now.slice(0, 16).replace('T', ' ')}  ${options.label}`);
    if (events < paceEveryEvents) continue;
    events = 0;
    await keepPace(stage);
    const found = await options.stop?.();
    if (found !== undefined) return found;
  }
}

export function text(root: string, file: string): string {
  return readFileSync(`${root}/examples/flights/${file}`, 'utf8');
}

export const count = (value: number): string => value.toLocaleString('en-US');
export const rounded = (value: number | null, digits = 3): string => (value === null ? '–' : value.toFixed(digits));

interface Segment {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** Topic, partition and offsets that a dataset version rests on, one range per partition. */
export async function offsetsOf({ ring }: Stage, datasetVersion: string): Promise<string> {
  const { manifest } = await ring.get<{ manifest: { segments: Segment[] } }>('training-orchestrator', `/v1/datasets/${datasetVersion}`);
  const ranges = new Map<string, { from: number; to: number }>();
  for (const { topic, partition, fromOffset, toOffset } of manifest.segments) {
    const place = `${topic}/${partition}`;
    const range = ranges.get(place) ?? { from: fromOffset, to: toOffset };
    ranges.set(place, { from: Math.min(range.from, fromOffset), to: Math.max(range.to, toOffset) });
  }
  return [...ranges].map(([place, { from, to }]) => `${place} [${from}, ${to})`).sort().join(', ');
}
