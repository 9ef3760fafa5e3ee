import { predictionFailed, predictionServed } from '@millrace/contracts';
import { GuardReplay, type GuardTrail, type RecomputedBreach, type ReplayedStep, type RolloutPlan } from '@millrace/core/rollout';
import type { Difference } from './differences.js';
import type { EventLog, TopicRange } from './open-log.js';
import type { RingFacts } from './ring-facts.js';

export interface VerifiedGuards {
  /** null: guards find no breach; absent: it can only be taken as recorded. */
  readonly breach?: RecomputedBreach | null;
  readonly differences: readonly Difference[];
  readonly unchecked: readonly string[];
  /** Requests that were read again. */
  readonly rows: number;
}

interface Rollout {
  readonly rolloutId: string;
  readonly model: string;
  readonly candidateVersion: string;
}

const nothing: VerifiedGuards = { differences: [], unchecked: [], rows: 0 };

/** Makes the breach that took a candidate back again from the log of answers and failures; nothing to do where none did. */
export async function verifyGuards(facts: RingFacts, log: EventLog, { rolloutId, model, candidateVersion }: Rollout, { guards: policy }: RolloutPlan, recorded: readonly ReplayedStep[]): Promise<VerifiedGuards> {
  const told = recorded.find(({ inputs }) => inputs?.guard !== undefined);
  const guard = told?.inputs?.guard;
  if (told === undefined || guard === undefined) return nothing;
  const alone = `step ${told.sequence}: what the guard ${guard.guard} saw`;
  if (guard.batches === undefined || policy === undefined) return { ...nothing, unchecked: [`${alone} was not kept when it was told; the breach is taken as recorded`] };
  const { from, to } = guard.batches;
  const kept = await facts.get<GuardTrail>('rollout-controller', `/v1/rollouts/${encodeURIComponent(rolloutId)}/guard-batches`);
  const trail: GuardTrail = { basis: kept.basis, batches: kept.batches.filter(({ number }) => number >= from && number <= to) };
  const replay = new GuardReplay(trail, policy, candidateVersion);
  let rows = 0;
  const ranges = spanned(trail);
  await log.read(predictionServed, ranges, ({ data, topic, partition, offset }) => {
    if (data.model !== model) return;
    rows += 1;
    replay.take({ topic, partition, offset, served: data });
  });
  await log.read(predictionFailed, ranges, ({ data, topic, partition, offset }) => {
    if (data.model !== model) return;
    rows += 1;
    replay.take({ topic, partition, offset, failed: data });
  });
  const differences = replay.mismatches().map(({ number, topic, partition, fromOffset, toOffset, observations, found }) => ({ path: `/guard batches/${number}`, recorded: `${observations} requests of ${topic}/${partition} [${fromOffset}, ${toOffset})`, recomputed: `${found} requests` }));
  const before = trail.basis === null ? [] : [`${alone} before its batch ${from}: the state of the guards there is taken as recorded, and its hash is compared`];
  return { breach: replay.breach(), differences, unchecked: before, rows };
}

/** One range per partition: batches of different partitions take turns, but offsets go up within one. */
function spanned({ batches }: GuardTrail): TopicRange[] {
  const ranges = new Map<string, TopicRange>();
  for (const { topic, partition, fromOffset, toOffset } of batches) {
    const place = `${topic}/${partition}`;
    const range = ranges.get(place);
    ranges.set(place, { topic, partition, fromOffset: Math.min(fromOffset, range?.fromOffset ?? fromOffset), toOffset: Math.max(toOffset, range?.toOffset ?? toOffset) });
  }
  return [...ranges.values()];
}
