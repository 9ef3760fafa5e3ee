/**
 * Goal: a roll-out that is replayed in the order of its readings arrives at the same steps and the same state, byte for byte,
 * whatever the order in which partitions took turns, the sizes of the batches and people’s orders; in another order it does not.
 * Method: a live fold as the controller does it (state through JSON after each batch, a reading noted before each outcome)
 * over random interleavings of three partitions; the replay sees the partitions and the readings only.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, sha256Hex, type OutcomeObserved } from '@millrace/contracts';
import { seeded } from '@millrace/testing';
import { policyOf } from './rollouts.fixture.js';
import { decideRollout, inReadingOrder, learnsUntilMs, isLive, openingStep, readOn, replayRollout, routeDiffers, startRollout, weighOutcome, type CountedUnit, type PlacedOutcome, type Reading, type RecordedStep, type ReplayBasis, type RolloutCommand, type RolloutPlan, type RolloutState, type RolloutStep } from './index.js';

/** Short to look at, and as good as the bytes. */
const hashOf = (steps: unknown): string => sha256Hex(canonicalJson(steps));
const topic = 'outcomes.outcome-observed.v1';
const arm = { share: 0.5, rowsMin: 30, lossMargin: 0.2, duration: 'P90D' };
const plan: RolloutPlan = { specRevision: 3, specSha256: 'c'.repeat(64), task: 'binary', unitsOnce: true, policy: policyOf({ alpha: 0.3, lossMargin: 0.05, shadow: { pairsMin: 30, duration: 'P90D' }, canary: arm, ab: arm, steps: [{ type: 'shadow' }, { type: 'linear', from: 0.45, by: 0.05, to: 0.5, every: 'PT1M' }, { type: 'ab' }] }) };
const artifacts = { champion: 'a'.repeat(64), candidate: 'b'.repeat(64) };
const basis: ReplayBasis = { plan, artifacts, candidateVersion: 'candidate' };
const lookEveryOutcomes = 25;
const firstRevision = 7;

/** Outcomes that fit every route revision there can be, so that what a phase uses depends on the order alone. */
function logOf(seed: number, perPartition: number): PlacedOutcome[][] {
  const chance = seeded(seed);
  return [0, 1, 2].map((partition) =>
    Array.from({ length: perPartition }, (_, index) => {
      const label = chance() < 0.5;
      const score = (skill: number): number => (label === chance() < skill ? 0.9 : 0.1);
      const eventTime = new Date(Date.UTC(2026, 0, 1) + Math.floor(chance() * 86_400_000)).toISOString();
      const answering = chance() < 0.5 ? ('candidate' as const) : ('champion' as const);
      const answer = (who: 'champion' | 'candidate', role: 'primary' | 'shadow', routeRevision: number): OutcomeObserved['predictions'][number] => ({
        predictionId: `${partition}-${index}-${who}`, requestId: 'q', version: who, role, arm: who, unit: `u-${(index * 7 + partition) % 150}`, eventTime, routeRevision, output: { probability: score(who === 'candidate' ? 0.95 : 0.6) }, position: { topic: 'p', partition, offset: index },
      });
      const other = answering === 'candidate' ? 'champion' : 'candidate';
      const predictions = [1, 2, 3, 4, 5].flatMap((step) => [answer(answering, 'primary', firstRevision + step), answer(other, 'shadow', firstRevision + step)]);
      const outcome: OutcomeObserved = { model: 'm', recordId: `${partition}-${index}`, label, labelEventTime: eventTime, labelPosition: { topic: 'l', partition, offset: index }, predictions };
      // Offsets have gaps where transactions left markers.
      return { topic, partition, offset: index * 2 + (index > 40 ? 5 : 0), outcome };
    }),
  );
}

interface Turn {
  readonly partition: number;
  readonly rows: number;
  readonly command: RolloutCommand | null;
}

/** What the controller keeps of a roll-out, made by the same pure functions in the order of the turns. */
class LiveFold {
  readonly steps: RecordedStep[] = [];
  readonly readings = new Map<number, Reading>();
  state: RolloutState = startRollout(plan.policy);
  /** Outcomes of the last step whose unit had counted. */
  repeated = 0;
  private readonly counted = new Set<string>();
  private outcomes = 0;
  private last: Reading | undefined;
  private readonly seen: PlacedOutcome[] = [];
  private streamTime: string | null = null;
  private revision = firstRevision;

  constructor() {
    this.tell([openingStep('it was registered', 'gate', plan.policy)], true);
  }

  batch(events: readonly PlacedOutcome[]): void {
    for (const event of events) {
      if (!isLive(this.state.phase) && learnsUntilMs(this.state) === null) return;
      this.last = readOn(this.last, event);
      this.readings.set(this.last.number, this.last);
      this.seen.push(event);
      const streamTimeMs = Math.max(Date.parse(event.outcome.labelEventTime), this.streamTime === null ? 0 : Date.parse(this.streamTime));
      this.streamTime = new Date(streamTimeMs).toISOString();
      const before = this.state;
      const hasCounted = ({ step, unit }: CountedUnit): boolean => this.counted.has(`${step}/${unit}`);
      const { state, outcomes, steps, units } = weighOutcome({ state: before, outcomes: this.outcomes }, event.outcome, plan, { routeRevision: this.revision, streamTimeMs, lookEveryOutcomes, routable: true, candidateVersion: 'candidate', hasCounted });
      for (const { step, unit } of units) this.counted.add(`${step}/${unit}`);
      this.repeated += before.phase === 'ab' && units.length === 0 ? 1 : 0;
      this.outcomes = outcomes;
      this.state = state;
      this.tell(steps, routeDiffers(before, state, plan.policy), steps.some(({ revises }) => revises !== undefined) ? { routable: true } : {});
    }
    this.state = JSON.parse(JSON.stringify(this.state)) as RolloutState;
  }

  order(command: RolloutCommand): void {
    const before = this.state;
    const { state, steps, refused } = decideRollout(this.state, { type: 'command', command, by: 'ada', reason: 'a spec' }, plan.policy);
    if (refused !== null) return;
    this.state = state;
    this.tell(steps, routeDiffers(before, state, plan.policy), { command: { command, by: 'ada', reason: 'a spec' } });
  }

  private tell(steps: readonly RolloutStep[], rerouted: boolean, cause: Pick<RecordedStep['inputs'], 'command' | 'routable'> = {}): void {
    const ranges = [0, 1, 2].flatMap((partition) => {
      const offsets = this.seen.filter((event) => event.partition === partition).map(({ offset }) => offset);
      return offsets.length === 0 ? [] : [{ topic, partition, fromOffset: Math.min(...offsets), toOffset: Math.max(...offsets) + 1 }];
    });
    for (const step of steps) {
      this.steps.push({
        ...step, streamTime: this.streamTime,
        inputs: {
          spec: { revision: 3, sha256: 'c'.repeat(64) }, policy: { ...plan.policy }, artifacts, routeRevision: this.revision, lookEveryOutcomes, reading: this.last === undefined ? null : { number: this.last.number, toOffset: this.last.toOffset },
          offsets: ranges, ...cause, stateSha256: sha256Hex(canonicalJson(this.state)),
        },
      });
    }
    if (rerouted) this.revision += 1;
  }
}

function live(log: readonly (readonly PlacedOutcome[])[], turns: readonly Turn[]): LiveFold {
  const fold = new LiveFold();
  const next = [0, 0, 0];
  for (const { partition, rows, command } of turns) {
    const from = next[partition] ?? 0;
    next[partition] = from + rows;
    fold.batch(log[partition]?.slice(from, from + rows) ?? []);
    if (command !== null) fold.order(command);
  }
  return fold;
}

const turn = fc.record({ partition: fc.integer({ min: 0, max: 2 }), rows: fc.integer({ min: 0, max: 30 }), command: fc.option(fc.constantFrom<RolloutCommand>('pause', 'resume'), { freq: 8 }) });

describe('a roll-out replayed from its readings', () => {
  it('decides the same, byte for byte, for every interleaving', () => {
    let stepsSeen = 0;
    let revisions = 0;
    let repeated = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(turn, { minLength: 5, maxLength: 60 }), (seed, turns) => {
        const log = logOf(seed, 120);
        const fold = live(log, turns);
        const { events, mismatches } = inReadingOrder([...fold.readings.values()], log.flat());
        expect(mismatches).toEqual([]);
        const replayed = replayRollout(fold.steps, basis, events);
        expect(hashOf(replayed)).toBe(hashOf(fold.steps));
        stepsSeen += replayed.length;
        repeated += fold.repeated;
        revisions += replayed.filter(({ revises }) => revises !== undefined).length;
      }),
      { numRuns: 150 },
    );
    expect(stepsSeen).toBeGreaterThan(600);
    expect(revisions).toBeGreaterThan(20);
    expect(repeated).toBeGreaterThan(300);
  });

  it('does not decide the same when partitions take turns in another order', () => {
    const log = logOf(5, 120);
    const turns = Array.from({ length: 24 }, (_, index) => ({ partition: index % 3, rows: 12, command: null }));
    const fold = live(log, turns);
    const { events } = inReadingOrder([...fold.readings.values()], log.flat());
    expect(hashOf(replayRollout(fold.steps, basis, events))).toBe(hashOf(fold.steps));
    const byPartition = [...events].sort((a, b) => a.partition - b.partition || a.offset - b.offset);
    expect(hashOf(replayRollout(fold.steps, basis, byPartition))).not.toBe(hashOf(fold.steps));
  });

  it('joins what follows in one partition, and counts what a moved range no longer holds', () => {
    const log = logOf(9, 60);
    const fold = live(log, [{ partition: 0, rows: 10, command: null }, { partition: 0, rows: 10, command: null }, { partition: 2, rows: 3, command: null }, { partition: 0, rows: 1, command: null }]);
    const readings = [...fold.readings.values()];
    expect(readings.map(({ number, partition, fromOffset, toOffset, events }) => [number, partition, fromOffset, toOffset, events])).toEqual([[1, 0, 0, 39, 20], [2, 2, 0, 5, 3], [3, 0, 40, 41, 1]]);
    const moved = readings.map((reading) => (reading.number === 2 ? { ...reading, fromOffset: reading.fromOffset + 2, toOffset: reading.toOffset + 4 } : reading));
    expect(inReadingOrder(moved, log.flat()).mismatches).toEqual([{ ...moved[1], found: 4 }]);
  });

  it('refuses a roll-out whose steps have no inputs', () => {
    const { inputs: _, ...step } = live(logOf(1, 1), []).steps[0] ?? { inputs: null };
    expect(() => replayRollout([step as RecordedStep], basis, [])).toThrow(expect.objectContaining({ code: 'INPUTS_MISSING' }));
  });
});
