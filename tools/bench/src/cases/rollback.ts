import { brittleModel, logisticModel } from '@millrace/model-runtime/testing';
import { median } from '../measure/median.js';
import { pause, reachedWithin } from '../pause.js';
import { RolloutBenchRing, rolloutModel } from '../servers/rollout-ring.js';
import type { Bench, Section } from './section.js';

const perSecond = 100;
const patienceMs = 60_000;

interface Round {
  /** From the first request that the candidate failed: until it failed the last one, and until the gateway’s route was without it. */
  readonly lastFailureMs: number | null;
  readonly routeMs: number | null;
  readonly failed: number;
  readonly answered: number;
  readonly reason: string;
}

/** Asks at a fixed pace, whatever the answers, and notes which failed and when. */
class Callers {
  readonly failedAtMs: number[] = [];
  answered = 0;
  private number = 0;
  private readonly timer: NodeJS.Timeout;
  private readonly startedMs = performance.now();
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly url: string) {
    this.timer = setInterval(() => {
      while (this.number < ((performance.now() - this.startedMs) * perSecond) / 1_000) this.ask();
    }, 2);
  }

  async finish(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.running);
  }

  private ask(): void {
    this.number += 1;
    const id = `${Math.round(this.startedMs)}-${this.number}`;
    const asked = fetch(this.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ instances: [{ id, features: { distance: 5, carrier: 'AA' } }] }) }).then(
      async (answer) => {
        await answer.arrayBuffer();
        if (answer.status === 200) this.answered += 1;
        else this.failedAtMs.push(performance.now());
      },
      () => void this.failedAtMs.push(performance.now()),
    );
    this.running.add(asked);
    void asked.finally(() => this.running.delete(asked));
  }
}

async function measureRound(ring: RolloutBenchRing, version: string): Promise<Round> {
  const callers = new Callers(`${ring.gateway.url}/v1/models/${rolloutModel}/predict`);
  await pause(1_000);
  const before = callers.failedAtMs.length;
  await ring.register(version, brittleModel());
  const failing = await reachedWithin(patienceMs, () => callers.failedAtMs.length > before);
  const firstMs = callers.failedAtMs[before] ?? performance.now();
  let routeMs: number | null = null;
  while (failing && routeMs === null && performance.now() - firstMs < patienceMs) {
    if ((await ring.candidate()) === null) routeMs = performance.now() - firstMs;
    else await pause(10);
  }
  await pause(1_000);
  await callers.finish();
  const last = callers.failedAtMs.at(-1);
  return { routeMs, lastFailureMs: last === undefined ? null : last - firstMs, failed: callers.failedAtMs.length - before, answered: callers.answered, reason: await ring.lastReason(version) };
}

async function untilReady(url: string): Promise<void> {
  for (const deadlineMs = performance.now() + patienceMs; ; await pause(50)) {
    const answer = await fetch(url);
    if (((await answer.json()) as { ready?: boolean }).ready === true) return;
    if (performance.now() > deadlineMs) throw new Error('the first version was not routed in time');
  }
}

/** A candidate that never answers, in a 10 % canary of a whole ring: how long until all traffic is with the champion again. */
export async function measureRollback(bench: Bench): Promise<Section> {
  const rounds = bench.settings.quick ? 3 : 10;
  const ring = await RolloutBenchRing.start();
  const measured: Round[] = [];
  try {
    await ring.register('1', logisticModel({ numbers: { distance: { weight: 0.5, impute: 2 } }, categories: { carrier: { AA: 1, UA: -1 } }, intercept: 0 }));
    await untilReady(`${ring.gateway.url}/v1/models/${rolloutModel}`);
    for (let round = 1; round <= rounds; round += 1) {
      const result = await measureRound(ring, String(round + 1));
      measured.push(result);
      bench.say(`  round ${round}: ${result.failed} requests failed, the last ${((result.lastFailureMs ?? NaN) / 1_000).toFixed(2)} s after the first; ${result.reason}`);
    }
  } finally {
    await ring.stop();
  }
  return sectionOf(measured);
}

function sectionOf(rounds: readonly Round[]): Section {
  const seconds = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null).map((value) => value / 1_000);
  const [routes, lasts] = [seconds(rounds.map(({ routeMs }) => routeMs)), seconds(rounds.map(({ lastFailureMs }) => lastFailureMs))];
  const whole = routes.length === rounds.length && rounds.length > 0;
  const [routeMedian, routeMax, lastMax] = [median(routes), whole ? Math.max(...routes) : null, whole ? Math.max(...lasts) : null];
  return {
    id: 'rollback',
    title: 'A candidate that fails every request',
    about: `${perSecond} predictions a second; a registered version goes to a 10 % canary and fails each request it gets. Times count from the first request that failed, through spool, Kafka, controller, database and Kafka to the gateway’s route. ${rounds.length} candidates, one after another; Kafka, PostgreSQL, gateway, controller and callers share the machine.`,
    columns: ['round', 'requests failed', 'answered', 'route without it after s', 'last failure after s', 'reason'],
    rows: rounds.map(({ failed, answered, routeMs, lastFailureMs, reason }, index) => [index + 1, failed, answered, routeMs === null ? null : routeMs / 1_000, lastFailureMs === null ? null : lastFailureMs / 1_000, reason]),
    figures: { rolledBack: routes.length, routeMedianSeconds: routeMedian, routeMaxSeconds: routeMax, lastFailureMaxSeconds: lastMax },
    goals: [{ goal: 'seconds from the first failure until all traffic is with the champion again', sense: 'at most', limit: 5, unit: 's', value: lastMax }],
    windows: {},
  };
}
