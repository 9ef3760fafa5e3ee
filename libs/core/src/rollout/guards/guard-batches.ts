import { canonicalJson, sha256Hex, type PredictionFailed, type PredictionServed, type StepInputs } from '@millrace/contracts';
import { evidenceOfGuard } from '../judge-step.js';
import type { RecomputedBreach } from '../replay-rollout.js';
import type { GuardPolicy, GuardStep } from './guard-policy.js';
import { observationOfFailed, observationOfServed } from './guard-observations.js';
import { extendGuards, startGuards, type GuardObservation, type GuardState } from './guards.js';
import { judgeGuards, type GuardReading } from './judge-guards.js';

/** Requests that guards took in together: of one partition, offsets [fromOffset, toOffset), under one route. */
export interface GuardBatch {
  /** From 1, in the order in which they were taken in, over both topics. */
  readonly number: number;
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Requests among these offsets that told of the candidate. */
  readonly observations: number;
  readonly routeRevision: number;
  readonly step: GuardStep;
}

/** What is kept of the way to a guards’ state: the last batches in a row, and the state before them (null: there was none). */
export interface GuardTrail {
  readonly basis: GuardState | null;
  readonly batches: readonly GuardBatch[];
}

/** A basis is kept each so many batches; what lies before the last but one is forgotten. */
export const batchesPerBasis = 10_000;

/** The state in which a batch is taken in: another step begins new evidence, another share within a step only other windows. */
export function guardsIn(step: GuardStep, policy: GuardPolicy, stored: GuardState | undefined): GuardState {
  if (stored?.step.name !== step.name) return startGuards(policy, step, stored);
  return stored.step.share === step.share ? stored : { ...stored, step, open: [] };
}

function offsetsOf(batches: readonly GuardBatch[]): StepInputs['offsets'] {
  const ranges = new Map<string, StepInputs['offsets'][number]>();
  for (const { topic, partition, fromOffset, toOffset } of batches) {
    const place = `${topic}/${String(partition).padStart(6, '0')}`;
    const range = ranges.get(place);
    ranges.set(place, { topic, partition, fromOffset: Math.min(fromOffset, range?.fromOffset ?? fromOffset), toOffset: Math.max(toOffset, range?.toOffset ?? toOffset) });
  }
  return [...ranges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, range]) => range);
}

/** A breach with everything that it rests on. @param trail up to the batch that completed it. @param state after that batch. */
export function breachOf({ reason, ...reading }: GuardReading, { basis, batches }: GuardTrail, state: GuardState): RecomputedBreach {
  const [first, last] = [batches[0], batches.at(-1)];
  const kept = first === undefined || last === undefined ? {} : { batches: { from: first.number, to: last.number } };
  return {
    guard: { guard: reading.guard, reason, ...kept, basisSha256: basis === null ? null : sha256Hex(canonicalJson(basis)), stateSha256: sha256Hex(canonicalJson(state)), offsets: offsetsOf(batches) },
    evidence: evidenceOfGuard(reading),
  };
}

type Request = { readonly topic: string; readonly partition: number; readonly offset: number } & ({ readonly served: PredictionServed } | { readonly failed: PredictionFailed });

/** Takes the requests of a trail’s batches out of the log, in any order between partitions, and makes the guards’ verdict again. */
export class GuardReplay {
  private readonly byPlace = new Map<string, GuardBatch[]>();
  private readonly observations = new Map<number, GuardObservation[]>();

  constructor(
    private readonly trail: GuardTrail,
    private readonly policy: GuardPolicy,
    private readonly candidateVersion: string,
  ) {
    for (const batch of trail.batches) {
      const place = `${batch.topic}/${batch.partition}`;
      const ahead = this.byPlace.get(place);
      if (ahead === undefined) this.byPlace.set(place, [batch]);
      else ahead.push(batch);
      this.observations.set(batch.number, []);
    }
  }

  /** Call in offset order within each partition. */
  take(request: Request): void {
    const { topic, partition, offset } = request;
    const ahead = this.byPlace.get(`${topic}/${partition}`) ?? [];
    // Offsets go up in the batches of a partition, too.
    while (ahead[0] !== undefined && ahead[0].toOffset <= offset) ahead.shift();
    const [batch] = ahead;
    if (batch === undefined || offset < batch.fromOffset) return;
    const route = { revision: batch.routeRevision, candidate: { version: this.candidateVersion, share: batch.step.share ?? 0 } };
    const observation = 'served' in request ? observationOfServed(request.served, route) : observationOfFailed(request.failed, route);
    if (observation !== null) this.observations.get(batch.number)?.push(observation);
  }

  /** Batches whose stretch of the log holds another number of requests than were taken in, or whose number does not follow. */
  mismatches(): (GuardBatch & { readonly found: number })[] {
    const first = this.trail.batches[0]?.number ?? 1;
    return this.trail.batches.map((batch) => ({ ...batch, found: this.observations.get(batch.number)?.length ?? 0 })).filter((batch, index) => batch.found !== batch.observations || batch.number !== first + index);
  }

  /** The first breach; null: there is none. */
  breach(): RecomputedBreach | null {
    // Its own copy: it is extended in place.
    let state: GuardState | undefined = this.trail.basis === null ? undefined : structuredClone(this.trail.basis);
    for (const [index, batch] of this.trail.batches.entries()) {
      state = guardsIn(batch.step, this.policy, state);
      extendGuards(state, this.observations.get(batch.number) ?? [], this.policy);
      const reading = judgeGuards(state, this.policy).find(({ breached }) => breached);
      if (reading !== undefined) return breachOf(reading, { ...this.trail, batches: this.trail.batches.slice(0, index + 1) }, state);
    }
    return null;
  }
}
