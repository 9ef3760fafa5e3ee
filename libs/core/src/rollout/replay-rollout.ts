import { canonicalJson, MillraceError, sha256Hex, type StepDecided, type StepInputs } from '@millrace/contracts';
import { decideRollout, openingStep } from './decide-rollout.js';
import type { ReadOutcome } from './readings.js';
import type { RolloutPlan } from './rollout-plan.js';
import { isLive, endedBy, endPhases, routeDiffers, startRollout, type EndPhase, type RolloutState } from './rollout-state.js';
import { rolloutCommands, type RolloutCommand, type RolloutEvent, type RolloutStep } from './rollout-step.js';
import { weighOutcome, type CountedUnit } from './weigh-outcome.js';

/** A step as it was told, without the wall clock: what a replay must arrive at. */
export type ReplayedStep = Pick<StepDecided, 'sequence' | 'from' | 'to' | 'verdict' | 'reason' | 'evidence' | 'revises' | 'streamTime' | 'inputs'>;
export type RecordedStep = ReplayedStep & { readonly inputs: StepInputs };

export interface ReplayBasis {
  /** From the spec of the revision that the roll-out began with. */
  readonly plan: RolloutPlan;
  /** Of the versions, from the registry. */
  readonly artifacts: StepInputs['artifacts'];
  readonly candidateVersion: string;
  /** The breach that guards find again; null: they find none; absent: it is taken as recorded. */
  readonly breach?: RecomputedBreach | null;
}

/** A guard’s breach made again from the requests that it saw. */
export interface RecomputedBreach {
  readonly guard: NonNullable<StepInputs['guard']>;
  readonly evidence: RolloutStep['evidence'];
}

type Cause = Pick<StepInputs, 'command' | 'guard' | 'routable' | 'beside'>;

const none: RolloutStep['evidence'] = { n: 0, mean: null, low: null, high: null, margin: null, alpha: null };

function hasInputs(step: ReplayedStep): step is RecordedStep {
  return step.inputs !== undefined;
}

/**
 * Decides a roll-out again: same plan, same events in the order of its readings, people’s orders in their places. Answers
 * the steps that follow; where they are not the recorded ones, byte for byte, one of both is wrong. From the record it takes
 * only what the log cannot tell: how it began, what people ordered, what guards broke, what the candidates beside it did,
 * and what stood outside it then.
 * @param recorded every step from the first one on.
 * @throws MillraceError INPUTS_MISSING for a roll-out that began before inputs were kept.
 */
export function replayRollout(recorded: readonly ReplayedStep[], basis: ReplayBasis, outcomes: Iterable<ReadOutcome>): ReplayedStep[] {
  const steps = recorded.filter(hasInputs);
  if (steps.length < recorded.length || steps[0]?.sequence === undefined) throw new MillraceError('INPUTS_MISSING', 'the roll-out began before steps kept their inputs; it cannot be replayed');
  const replay = new Replay(steps, basis);
  for (const read of outcomes) {
    replay.ordersBefore(read);
    replay.learn(read);
  }
  replay.ordersBefore({ reading: Infinity, offset: Infinity });
  return replay.steps;
}

class Replay {
  readonly steps: ReplayedStep[] = [];
  private state: RolloutState | null = null;
  private outcomes = 0;
  private phase: string;
  private streamTime: string | null;
  private routeRevision: number;
  private reading: StepInputs['reading'] = null;
  private readonly offsets = new Map<string, StepInputs['offsets'][number]>();
  private readonly orders: RecordedStep[];
  /** Units that have counted, by step. */
  private readonly counted = new Set<string>();
  /** Its last decision changed the route. */
  private rerouted = false;

  constructor(
    private readonly recorded: readonly RecordedStep[],
    private readonly basis: ReplayBasis,
  ) {
    const [first] = recorded;
    this.phase = first?.from ?? 'waiting';
    this.streamTime = first?.streamTime ?? null;
    this.routeRevision = first?.inputs.routeRevision ?? 0;
    this.orders = recorded.filter(({ verdict, from, inputs }) => from !== 'registered' && (verdict === 'by-hand' || inputs.guard !== undefined || inputs.beside !== undefined));
    if (first?.from === 'registered') this.begin(first);
  }

  /** With a champion it starts in shadow; without one the version is promoted at once. */
  private begin({ to, reason, verdict, inputs: { beside } }: RecordedStep): void {
    const said = verdict === 'by-hand' ? 'by-hand' : 'gate';
    if (to === 'full') return this.tell([{ sequence: 0, from: 'registered', to, verdict: said, reason, evidence: none }]);
    this.state = startRollout(this.basis.plan.policy, beside?.others);
    this.tell([openingStep(reason, said, this.basis.plan.policy)], beside === undefined ? {} : { beside });
  }

  /** What people ordered, and guards took back, before the event at this place was read. */
  ordersBefore(place: { readonly reading: number; readonly offset: number }): void {
    for (let next = this.orders[0]; next !== undefined && isBefore(next.inputs.reading, place); next = this.orders[0]) {
      this.orders.shift();
      this.order(next);
    }
  }

  private order(recorded: RecordedStep): void {
    const { command, guard, beside, routeRevision } = recorded.inputs;
    if (beside !== undefined) {
      // Others may have read on by then.
      this.streamTime = recorded.streamTime;
      this.routeRevision = routeRevision;
      return this.decide({ type: 'beside', ...beside, routeRevision }, { beside });
    }
    if (guard !== undefined) return this.takeBack(this.basis.breach === undefined ? { guard, evidence: recorded.evidence } : this.basis.breach);
    if (command !== undefined && isCommand(command.command)) return this.decide({ type: 'command', command: command.command, by: command.by, reason: command.reason }, { command });
    // What ends outside the evidence: one that waited, or a completed one that was taken back, at a time of its own.
    const { to, reason, streamTime, inputs } = recorded;
    this.streamTime = streamTime;
    this.routeRevision = inputs.routeRevision;
    if (this.state !== null && isEnd(to)) this.state = endedBy(this.state, to);
    this.tell([{ sequence: (this.steps.at(-1)?.sequence ?? 0) + 1, from: this.phase, to, verdict: 'by-hand', reason, evidence: none }]);
  }

  private takeBack(breach: RecomputedBreach | null): void {
    if (breach === null) return;
    const { guard: { guard, reason }, evidence } = breach;
    this.decide({ type: 'guard-breached', guard, reason, evidence }, { guard: breach.guard });
  }

  private decide(event: RolloutEvent, cause: Cause): void {
    if (this.state === null) return;
    const { state, steps } = decideRollout(this.state, event, this.basis.plan.policy);
    this.follow(state);
    this.tell(steps, cause);
  }

  learn({ reading, topic, partition, offset, outcome }: ReadOutcome): void {
    this.reading = { number: reading, toOffset: offset + 1 };
    const place = `${topic}/${partition}`;
    const range = this.offsets.get(place) ?? { topic, partition, fromOffset: offset, toOffset: offset + 1 };
    this.offsets.set(place, { ...range, fromOffset: Math.min(range.fromOffset, offset), toOffset: Math.max(range.toOffset, offset + 1) });
    const labelMs = Date.parse(outcome.labelEventTime);
    const streamTimeMs = this.streamTime === null ? labelMs : Math.max(labelMs, Date.parse(this.streamTime));
    this.streamTime = new Date(streamTimeMs).toISOString();
    if (this.state === null) return;
    const { routable = false, routeRevision = this.routeRevision }: Partial<StepInputs> = this.nextTold()?.inputs ?? {};
    // Once it has ended, others move the route.
    if (!isLive(this.state.phase)) this.routeRevision = routeRevision;
    const hasCounted = ({ step, unit }: CountedUnit): boolean => this.counted.has(`${step}/${unit}`);
    const { outcomes, state, steps, units } = weighOutcome({ state: this.state, outcomes: this.outcomes }, outcome, this.basis.plan, { routeRevision: this.routeRevision, streamTimeMs, lookEveryOutcomes: this.lookEvery(), routable, candidateVersion: this.basis.candidateVersion, hasCounted });
    for (const { step, unit } of units) this.counted.add(`${step}/${unit}`);
    this.follow(state);
    this.outcomes = outcomes;
    this.tell(steps, steps.some(({ revises }) => revises !== undefined) ? { routable } : {});
  }

  private follow(state: RolloutState): void {
    this.rerouted = this.state !== null && routeDiffers(this.state, state, this.basis.plan.policy);
    this.state = state;
  }

  private nextTold(): RecordedStep | undefined {
    return this.recorded.find(({ sequence }) => sequence > (this.steps.at(-1)?.sequence ?? -1));
  }

  /** A setting of the service, which may change between its starts: as it stood when the next step was told. */
  private lookEvery(): number {
    const told = this.nextTold() ?? this.recorded.at(-1);
    return told?.inputs.lookEveryOutcomes ?? 1;
  }

  private tell(steps: readonly RolloutStep[], cause: Cause = {}): void {
    if (steps.length === 0) return;
    const inputs = this.inputs(cause);
    for (const step of steps) this.steps.push({ ...step, streamTime: this.streamTime, inputs });
    const to = this.state?.phase ?? steps.at(-1)?.to ?? this.phase;
    if (to !== this.phase || this.rerouted) this.routeRevision += 1;
    this.rerouted = false;
    this.phase = to;
  }

  private inputs(cause: Cause): StepInputs {
    const { plan, artifacts } = this.basis;
    const begun = this.state !== null;
    const offsets = [...this.offsets].sort(([, a], [, b]) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition)).map(([, range]) => range);
    return {
      spec: begun ? { revision: plan.specRevision, sha256: plan.specSha256 ?? null } : { revision: 0, sha256: null },
      policy: begun ? { ...plan.policy } : {},
      artifacts,
      routeRevision: this.routeRevision,
      lookEveryOutcomes: this.lookEvery(),
      reading: this.reading,
      offsets,
      ...cause,
      stateSha256: this.state === null ? null : sha256Hex(canonicalJson(this.state)),
    };
  }
}

function isCommand(command: string): command is RolloutCommand {
  return (rolloutCommands as readonly string[]).includes(command);
}

function isEnd(phase: string): phase is EndPhase {
  return (endPhases as readonly string[]).includes(phase);
}

function isBefore(place: StepInputs['reading'], { reading, offset }: { readonly reading: number; readonly offset: number }): boolean {
  return place === null || place.number < reading || (place.number === reading && place.toOffset <= offset);
}
