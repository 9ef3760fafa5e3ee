import { alphaOf, breachedGuard, extendGuards, startGuards, type GuardName, type GuardObservation, type GuardPolicy, type GuardState, type GuardStep } from '@millrace/core/rollout';
import type { Chance } from '../chance.js';
import type { Cell, Goal, Study } from '../study.js';
import { businessGuardCells } from './business-guard.cells.js';
import { eachTrial, mean, quantile } from './rollout-logs.js';

/** As the spec’s defaults make it for three steps, with a shift of the mean prediction that is tolerated too. */
const policy: GuardPolicy = { alpha: 0.05 * 0.2, steps: 3, errorRate: { worseByMax: 0.01, max: 0.05 }, latency: { quantile: 0.99, ratioMax: 1.5, slackMs: 5 }, predictionShift: { max: 0.1, lowest: 0, highest: 1 } };

interface Arms<T> {
  readonly champion: T;
  readonly candidate: T;
}

interface World {
  readonly share: number | null;
  readonly perSecond: number;
  readonly failing: Arms<number>;
  latencyMs?(chance: Chance, candidate: boolean): number;
  readonly scores?: Arms<number>;
  /** Mean time between bursts in one version’s worker, all the same for both: what runs there for a moment is lost or late. */
  readonly bursts?: { readonly everyMs: number; readonly lastMs: number; readonly kind: 'lost' | 'late' };
  /** Part of the failures that a caller asks for again, at once, up to four times. */
  readonly retried?: number;
}

const lognormalMs = (chance: Chance): number => Math.exp(3 + 0.5 * chance.normal());

/** Requests of one step, as they end: Poisson arrivals, and bursts of each version’s own. */
class Traffic {
  private atMs = 1_700_000_000_000;
  private unit = 0;
  private readonly nextBurst: { champion: number; candidate: number };
  private readonly waiting: GuardObservation[] = [];

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
  ) {
    const everyMs = world.bursts?.everyMs ?? Infinity;
    this.nextBurst = { champion: this.atMs + everyMs * chance.exponential(), candidate: this.atMs + everyMs * chance.exponential() };
  }

  next(): GuardObservation {
    const repeated = this.waiting.shift();
    if (repeated !== undefined) return repeated;
    const { share, perSecond } = this.world;
    this.atMs += (1_000 / perSecond) * this.chance.exponential();
    this.unit += 1;
    if (share === null) this.waiting.push(this.request('candidate', this.atMs + 3));
    return this.request(share === null || this.chance.uniform() >= share ? 'champion' : 'candidate', this.atMs);
  }

  private request(arm: 'champion' | 'candidate', atMs: number): GuardObservation {
    const { world, chance, unit } = this;
    const { failing, scores = { champion: 0.3, candidate: 0.3 }, retried = 0 } = world;
    const candidate = arm === 'candidate';
    const burst = this.burst(arm, atMs);
    const failed = burst?.kind === 'lost' || chance.uniform() < failing[arm];
    const latencyMs = (world.latencyMs ?? lognormalMs)(chance, candidate) + (burst?.kind === 'late' ? burst.untilMs - atMs : 0);
    const observation: GuardObservation = { arm, endedMs: burst === null ? atMs : burst.untilMs, failed, latencyMs: failed ? null : latencyMs, score: failed ? null : chance.bernoulli(scores[arm]), unit: failed ? unit : null };
    if (failed && chance.uniform() < retried) for (let time = 1; time <= 4; time += 1) this.waiting.push({ ...observation, endedMs: observation.endedMs + time * 100 });
    return observation;
  }

  private burst(arm: 'champion' | 'candidate', atMs: number): { kind: 'lost' | 'late'; untilMs: number } | null {
    const { bursts } = this.world;
    if (bursts === undefined || atMs < this.nextBurst[arm]) return null;
    const untilMs = this.nextBurst[arm] + bursts.lastMs;
    if (atMs < untilMs) return { kind: bursts.kind, untilMs };
    this.nextBurst[arm] = atMs + bursts.everyMs * this.chance.exponential();
    return null;
  }
}

interface Breach {
  readonly guard: GuardName;
  readonly requests: number;
  readonly seconds: number;
}

/** Looks each time a window has closed: between two closings the evidence does not change, so this is after every request. */
function run(world: World, requests: number, chance: Chance, before?: { readonly world: World; readonly requests: number }): Breach | null {
  const step: GuardStep = { name: 'step', share: world.share };
  const state = startGuards(policy, step);
  if (before !== undefined) {
    const traffic = new Traffic(before.world, chance);
    extendGuards(state, Array.from({ length: before.requests }, () => traffic.next()), policy);
  }
  return follow(state, new Traffic(world, chance), requests, before === undefined ? 0 : 86_400_000);
}

function follow(state: GuardState, traffic: Traffic, requests: number, laterMs = 0): Breach | null {
  let startMs: number | null = null;
  for (let request = 1; request <= requests; request += 1) {
    const observation = traffic.next();
    startMs ??= observation.endedMs;
    const { windows } = state;
    extendGuards(state, [{ ...observation, endedMs: observation.endedMs + laterMs }], policy);
    if (state.windows === windows) continue;
    const guard = breachedGuard(state, policy);
    if (guard !== null) return { guard, requests: request, seconds: (observation.endedMs - startMs) / 1_000 };
  }
  return null;
}

/** Versions that differ within every limit: any breach is wrong. The chance is that of a step; the roll-out has three. */
function equalCell(id: string, about: string, world: World, requests = 10_000): Cell {
  return {
    id: `aa/${id}`, about: `${about}; ${requests.toLocaleString('en-US')} requests, looked at after each`, trials: 2_000,
    goals: [{ figure: 'falseRollback', atMost: policy.alpha }],
    run(trials, seed) {
      const found: Record<GuardName, number> = { 'error-rate': 0, latency: 0, 'prediction-shift': 0, 'answer-difference': 0, business: 0 };
      eachTrial(trials, seed, (chance) => {
        const breach = run(world, requests, chance);
        if (breach !== null) found[breach.guard] += 1;
      });
      const all = Object.values(found).reduce((sum, count) => sum + count, 0);
      return { falseRollback: all / trials, errorRate: found['error-rate'] / trials, latency: found.latency / trials, shift: found['prediction-shift'] / trials, nominal: alphaOf(policy) * 3 };
    },
  };
}

interface FoundCell {
  readonly id: string;
  readonly about: string;
  readonly world: World;
  readonly guard: GuardName;
  /** Requests of both arms, within which 95 % of 200 runs must have found it. */
  readonly budget: number;
  readonly secondsMax?: number;
  readonly before?: { readonly world: World; readonly requests: number };
}

function foundCell({ id, about, world, guard, budget, secondsMax, before }: FoundCell): Cell {
  const goals: Goal[] = [{ figure: 'foundInBudget', atLeast: 0.95 }, ...(secondsMax === undefined ? [] : [{ figure: 'secondsMax', atMost: secondsMax }])];
  return {
    id: `injected/${id}`, about: `${about}; within ${budget.toLocaleString('en-US')} requests`, trials: 200, goals,
    run(trials, seed) {
      const breaches: (Breach | null)[] = [];
      eachTrial(trials, seed, (chance) => void breaches.push(run(world, 4 * budget, chance, before)));
      const right = breaches.filter((breach): breach is Breach => breach?.guard === guard);
      const requests = right.map((breach) => breach.requests);
      const seconds = right.map((breach) => breach.seconds);
      return { foundInBudget: requests.filter((count) => count <= budget).length / trials, requestsMean: mean(requests), requestsP95: quantile(requests, 0.95), secondsMean: mean(seconds), secondsP95: quantile(seconds, 0.95), secondsMax: Math.max(...seconds) };
    },
  };
}

const rare = { champion: 0.002, candidate: 0.002 };
const slowTail = (chance: Chance, candidate: boolean): number => {
  const ms = lognormalMs(chance);
  return candidate && ms > Math.exp(3 + 0.5 * 1.645) ? 2 * ms : ms;
};
const dead = { champion: 0.002, candidate: 1 };

const equalCells: readonly Cell[] = [
  equalCell('canary', '0.2 % errors, 10 % canary, 100 requests/s', { share: 0.1, perSecond: 100, failing: rare }),
  equalCell('canary-slow', '0.2 % errors, 10 % canary, 2 requests/s', { share: 0.1, perSecond: 2, failing: rare }),
  equalCell('half', '2 % errors, 50/50, 1,000 requests/s', { share: 0.5, perSecond: 1_000, failing: { champion: 0.02, candidate: 0.02 } }),
  equalCell('canary-1', '5 % errors, 1 % canary', { share: 0.01, perSecond: 100, failing: { champion: 0.05, candidate: 0.05 } }),
  equalCell('outage', 'every second request fails in both, 10 % canary', { share: 0.1, perSecond: 100, failing: { champion: 0.5, candidate: 0.5 } }),
  equalCell('shadow', '1 % errors in both, each on its own, in shadow', { share: null, perSecond: 100, failing: { champion: 0.01, candidate: 0.01 } }),
  equalCell('lost', 'each version’s worker is lost for 50 ms every 10 s, with all that runs there, 10 % canary', { share: 0.1, perSecond: 500, failing: rare, bursts: { everyMs: 10_000, lastMs: 50, kind: 'lost' } }, 30_000),
  equalCell('late', 'each version’s worker pauses for 300 ms every 10 s, 10 % canary', { share: 0.1, perSecond: 500, failing: rare, bursts: { everyMs: 10_000, lastMs: 300, kind: 'late' } }, 30_000),
  equalCell('retried', 'half of 2 % failures are asked for four times more, 10 % canary', { share: 0.1, perSecond: 100, failing: { champion: 0.02, candidate: 0.02 }, retried: 0.5 }),
  equalCell('tolerated', 'half a point more errors and a third more time than the champion, 10 % canary', { share: 0.1, perSecond: 100, failing: { champion: 0.002, candidate: 0.007 }, latencyMs: (chance, candidate) => (candidate ? 1.33 : 1) * lognormalMs(chance) }),
];

const foundCells: readonly Cell[] = [
  foundCell({ id: 'hard/canary', about: 'the candidate never answers, 10 % canary, 100 requests/s', world: { share: 0.1, perSecond: 100, failing: dead }, guard: 'error-rate', budget: 400, secondsMax: 5 }),
  foundCell({ id: 'hard/canary-1', about: 'the candidate never answers, 1 % canary, 100 requests/s', world: { share: 0.01, perSecond: 100, failing: dead }, guard: 'error-rate', budget: 1_200 }),
  foundCell({ id: 'hard/half', about: 'the candidate never answers, 50/50, 100 requests/s', world: { share: 0.5, perSecond: 100, failing: dead }, guard: 'error-rate', budget: 400, secondsMax: 5 }),
  foundCell({ id: 'hard/shadow', about: 'the candidate never answers, in shadow, 100 requests/s (each told twice)', world: { share: null, perSecond: 100, failing: dead }, guard: 'error-rate', budget: 800, secondsMax: 5 }),
  foundCell({ id: 'hard/later', about: 'the same after 40 minutes of good answers, 10 % canary, 25 requests/s before and 100 after', world: { share: 0.1, perSecond: 100, failing: dead }, guard: 'error-rate', budget: 500, secondsMax: 8, before: { world: { share: 0.1, perSecond: 25, failing: rare }, requests: 60_000 } }),
  foundCell({ id: 'errors/half', about: 'errors 2 % → 7 %, 50/50', world: { share: 0.5, perSecond: 100, failing: { champion: 0.02, candidate: 0.07 } }, guard: 'error-rate', budget: 6_000 }),
  foundCell({ id: 'errors/canary', about: 'errors 2 % → 7 %, 10 % canary', world: { share: 0.1, perSecond: 100, failing: { champion: 0.02, candidate: 0.07 } }, guard: 'error-rate', budget: 15_000 }),
  foundCell({ id: 'errors/shadow', about: 'errors 0.2 % → 5.2 %, in shadow (each told twice)', world: { share: null, perSecond: 100, failing: { champion: 0.002, candidate: 0.052 } }, guard: 'error-rate', budget: 5_000 }),
  foundCell({ id: 'latency/half', about: 'the slowest 5 % take twice as long (p99 × 2), 50/50', world: { share: 0.5, perSecond: 100, failing: rare, latencyMs: slowTail }, guard: 'latency', budget: 8_000 }),
  foundCell({ id: 'latency/canary', about: 'the slowest 5 % take twice as long (p99 × 2), 10 % canary', world: { share: 0.1, perSecond: 100, failing: rare, latencyMs: slowTail }, guard: 'latency', budget: 16_000 }),
  foundCell({ id: 'shift/canary', about: 'mean prediction 0.30 → 0.50, 0.1 tolerated, 10 % canary', world: { share: 0.1, perSecond: 100, failing: rare, scores: { champion: 0.3, candidate: 0.5 } }, guard: 'prediction-shift', budget: 15_000 }),
];

export const guardsStudy: Study = {
  name: 'guards',
  title: 'Guards of roll-outs',
  method:
    'Simulated requests of one step of a roll-out, failed or answered, go through the guards of `rollout-controller` with the spec’s defaults (alpha 0.05, of which a fifth for all guards and steps together: 0.01). Requests that end within 50 ms are one observation, inverse-propensity weighted and bet on, from the beginning and anew every 600 windows. A false rollback is a breach at any look. Seconds count from the first request of the broken candidate to the breach, without the way of the events. The guard on the business metric goes by outcomes: values of both arms, the champion’s as bad as is tolerated, weighed and bet on likewise; its cells count outcomes, at its part of the error (0.0011; two of 2,000 are chance).',
  cells: [...equalCells, ...foundCells, ...businessGuardCells],
  rivals: [],
};
