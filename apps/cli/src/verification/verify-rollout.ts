import { canonicalJson, MillraceError, outcomeObserved, readModelSpec, sha256Hex, type SpecChanged, type StepInputs } from '@millrace/contracts';
import { inReadingOrder, replayRollout, rolloutPlanOf, type PlacedOutcome, type Reading, type ReadingMismatch, type ReadingPart, type ReplayedStep, type RolloutPlan } from '@millrace/core/rollout';
import { differencesOf, type Difference } from './differences.js';
import type { EventLog } from './open-log.js';
import type { RingFacts } from './ring-facts.js';
import type { Verification } from './verification.js';
import { verifyGuards } from './verify-guards.js';

interface StoredRollout {
  readonly rolloutId: string;
  readonly model: string;
  readonly candidateVersion: string;
  readonly championVersion: string | null;
  readonly plan: Pick<RolloutPlan, 'unitsOnce'> | null;
  readonly steps: readonly (ReplayedStep & { readonly decidedAt: string })[];
}

/** @param stepOf the roll-out’s id, with `#n` for the step with this sequence number and all before it. */
export async function verifyRollout(facts: RingFacts, log: EventLog, stepOf: string): Promise<Verification> {
  const { rolloutId, until } = parseStepId(stepOf);
  const rollout = await facts.get<StoredRollout>('rollout-controller', `/v1/rollouts/${encodeURIComponent(rolloutId)}`);
  const recorded = rollout.steps.filter(({ sequence }) => sequence <= until).map(({ decidedAt: _, ...step }) => step);
  const last = recorded.at(-1);
  if (last === undefined || (until !== Infinity && last.sequence !== until)) throw new MillraceError('ROLLOUT_UNKNOWN', `roll-out ${rolloutId} has no step ${until === Infinity ? 'yet: it waits for another one to end' : until}`);
  const plan = inItsTime(await planOf(facts, rollout.model, recorded), rollout);
  const artifacts = { champion: await artifactOf(facts, rollout.model, rollout.championVersion), candidate: (await artifactOf(facts, rollout.model, rollout.candidateVersion)) ?? '' };
  const { readings } = await facts.get<{ readings: Reading[] }>('rollout-controller', `/v1/rollouts/${encodeURIComponent(rolloutId)}/readings`);
  const wanted = until === Infinity ? readings : upTo(readings, last.inputs?.reading ?? null);
  const placed = await readOutcomes(log, rollout.model, wanted);
  const { events, mismatches } = inReadingOrder(wanted, placed);
  const guards = await verifyGuards(facts, log, rollout, plan, recorded);
  const { breach } = guards;
  const replayed = replayRollout(recorded, { plan, artifacts, candidateVersion: rollout.candidateVersion, ...(breach === undefined ? {} : { breach }) }, events);
  // As it travels: what JSON leaves out is no difference.
  const recomputed = (JSON.parse(JSON.stringify(replayed)) as ReplayedStep[]).filter(({ sequence }) => sequence <= until);
  const [recordedSha256, recomputedSha256] = [sha256Hex(canonicalJson(recorded)), sha256Hex(canonicalJson(recomputed))];
  const differences = [...mismatches.map(lostEvents), ...guards.differences, ...stepDifferences(recorded, recomputed)];
  const whole = mismatches.length + guards.differences.length === 0;
  return { id: stepOf, same: recordedSha256 === recomputedSha256 && whole, recordedSha256, recomputedSha256, differences, unchecked: guards.unchecked, rows: events.length + guards.rows, offsets: last.inputs?.offsets ?? [] };
}

export function parseStepId(id: string): { rolloutId: string; until: number } {
  const [rolloutId = '', step, ...rest] = id.split('#');
  if (rest.length > 0 || (step !== undefined && !/^\d{1,9}$/.test(step))) throw new MillraceError('REQUEST_INVALID', `${id} is no roll-out and no step of one; a step is written <roll-out>#<sequence>, such as flight-delays.3.1#4`);
  return { rolloutId, until: step === undefined ? Infinity : Number(step) };
}

/** A roll-out that began when every outcome of a unit counted is judged so to its end. */
function inItsTime({ unitsOnce: _, ...plan }: RolloutPlan, { plan: kept }: StoredRollout): RolloutPlan {
  return kept !== null && kept.unitsOnce === undefined ? plan : { ...plan, unitsOnce: true };
}

/** The rules as the registry has them, not as the roll-out’s own row does. */
async function planOf(facts: RingFacts, model: string, recorded: readonly ReplayedStep[]): Promise<RolloutPlan> {
  const revision = recorded.find(({ inputs }) => (inputs?.spec.revision ?? 0) > 0)?.inputs?.spec.revision;
  const spec = await facts.get<SpecChanged>('model-registry', revision === undefined ? `/v1/models/${encodeURIComponent(model)}` : `/v1/models/${encodeURIComponent(model)}/specs/${revision}`);
  return rolloutPlanOf({ revision: spec.revision, sha256: sha256Hex(canonicalJson(spec.spec)), spec: readModelSpec(spec.spec) });
}

async function artifactOf(facts: RingFacts, model: string, version: string | null): Promise<string | null> {
  if (version === null) return null;
  const { artifact } = await facts.get<{ artifact: { sha256: string } }>('model-registry', `/v1/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`);
  return artifact.sha256;
}

/** What had been read when a step was told. */
function upTo(readings: readonly Reading[], place: StepInputs['reading']): ReadingPart[] {
  if (place === null) return [];
  return readings.filter(({ number }) => number <= place.number).map((reading) => (reading.number < place.number || reading.toOffset <= place.toOffset ? reading : { ...reading, toOffset: place.toOffset, events: null }));
}

/** All of the roll-out’s outcomes are held in memory: about 1 KB each. */
async function readOutcomes(log: EventLog, model: string, readings: readonly ReadingPart[]): Promise<PlacedOutcome[]> {
  const ranges = new Map<string, ReadingPart>();
  for (const reading of readings) {
    const place = `${reading.topic}/${reading.partition}`;
    const range = ranges.get(place) ?? reading;
    ranges.set(place, { ...range, fromOffset: Math.min(range.fromOffset, reading.fromOffset), toOffset: Math.max(range.toOffset, reading.toOffset) });
  }
  const placed: PlacedOutcome[] = [];
  await log.read(outcomeObserved, [...ranges.values()], ({ data, topic, partition, offset }) => {
    if (data.model === model) placed.push({ topic, partition, offset, outcome: data });
  });
  return placed;
}

function lostEvents({ number, topic, partition, fromOffset, toOffset, events, found }: ReadingMismatch): Difference {
  return { path: `/readings/${number}`, recorded: `${events} events of ${topic}/${partition} [${fromOffset}, ${toOffset})`, recomputed: `${found} events` };
}

function stepDifferences(recorded: readonly ReplayedStep[], recomputed: readonly ReplayedStep[]): Difference[] {
  const byNumber = (steps: readonly ReplayedStep[]): Record<string, ReplayedStep> => Object.fromEntries(steps.map((step) => [`step ${step.sequence}`, step]));
  return differencesOf(byNumber(recorded), byNumber(recomputed));
}
