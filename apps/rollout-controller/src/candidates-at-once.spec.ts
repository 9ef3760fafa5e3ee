/**
 * Goal: three candidates are tried at the same time, each by a roll-out of its own with units of its own; one that does harm
 * leaves its place to the one that waits, the best is promoted and the others end; each verdict is made again to the same bytes.
 * Method: the controller on a real Kafka and a real PostgreSQL; outcomes as the gateways would split them (`planRoute`), with
 * losses that are known; `millrace verify-verdict` as its own process.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OutcomeObserved, RouteChanged } from '@millrace/contracts';
import { planRoute } from '@millrace/core/inference';
import { KafkaDriver } from '@millrace/messaging';
import { eventually, StandInService, VerifyVerdict } from '@millrace/testing';
import { GatewayTraffic } from './guards.fixture.js';
import { RolloutRing } from './rollouts.fixture.js';

const brokers = process.env['KAFKA_BROKERS'] ?? '';
const rollout = { candidatesMax: 3, steps: [{ type: 'shadow', rowsMin: 60, lossMargin: 0.1, duration: 'P30D' }, { type: 'ab', rowsMin: 60, lossMargin: 0.1, duration: 'P30D' }] };
/** What each version says of the truth: the losses are 0.16 (v1, the champion), 0.09, 0.01, 0.49 and 0.16. */
const says: Readonly<Record<string, number>> = { v1: 0.6, v2: 0.7, v3: 0.9, v4: 0.3, v5: 0.6 };

/** What gateways and joining would tell of a record under this route. */
function answered(route: RouteChanged, outcome: OutcomeObserved): OutcomeObserved {
  const [told] = outcome.predictions;
  if (told === undefined) return outcome;
  const { arm, primary, shadows } = planRoute<{ version: string }>(route, told.unit);
  const prediction = (version: string, role: 'primary' | 'shadow', of: typeof arm): typeof told => {
    const said = says[version] ?? 0.5;
    return { ...told, predictionId: `${told.requestId}.${role}.${version}`, version, role, arm: of, output: { probability: outcome.label === true ? said : 1 - said } };
  };
  return { ...outcome, predictions: [prediction(primary.version, 'primary', arm), ...shadows.map(({ version }) => prediction(version, 'shadow', 'candidate'))] };
}

describe('candidates that are tried at the same time', () => {
  let ring: RolloutRing;
  let registry: StandInService;
  let address: string;
  const routesSeen: RouteChanged[] = [];

  const idOf = (version: string): string => `${ring.model}.${version}.1`;
  const of = async (version: string) => (await ring.call('GET', `/v1/rollouts/${idOf(version)}`)).body as { phase: string; status: string; unitsFrom: number; outcomes: number; steps: { verdict: string; reason: string; to: string; evidence: { candidates?: number } }[] };
  const observe = async (count: number) => {
    const route = await ring.route();
    routesSeen.push(route);
    await ring.observe(count, { champion: 0.6, candidate: 0.6 }, (outcome) => answered(route, outcome));
  };
  const until = async (what: string, rounds: number, stands: () => Promise<boolean>) => {
    for (let round = 0; round < rounds; round += 1) {
      if (await stands()) return;
      await observe(40);
    }
    throw new Error(`after ${rounds} rounds: not yet that ${what}; ${JSON.stringify(await Promise.all(['v2', 'v3', 'v4', 'v5'].map(async (version) => [version, (await of(version)).steps.at(-1)])))}`);
  };

  beforeAll(async () => {
    if (brokers === '') throw new Error('KAFKA_BROKERS is not set: run `npm test`, which starts a broker');
    ring = await RolloutRing.open({ log: new KafkaDriver({ brokers: brokers.split(','), clientId: 'candidates-spec' }), name: `several-${randomUUID().slice(0, 8)}`, rollout });
    await ring.announceSpec();
    for (const version of ['v1', 'v2', 'v3', 'v4', 'v5']) await ring.register(version);
    address = await ring.listen();
    registry = await StandInService.start((path) => ring.registryAnswer(path));
  });
  afterAll(async () => {
    await registry.stop();
    await ring.close();
  });

  it('begin beside each other, as many as the spec says; the next one waits', async () => {
    expect(await ring.route()).toMatchObject({ phase: 'shadow', champion: { version: 'v1' }, candidate: { version: 'v2', share: 0, mirror: true }, beside: [{ version: 'v3', from: 0.25, rolloutId: idOf('v3'), step: 'shadow' }, { version: 'v4', from: 0.5 }] });
    expect(await of('v5')).toMatchObject({ status: 'waiting' });
    expect((await ring.route()).salt).toBe(`${ring.model}:${idOf('v2')}`);
  });

  it('are ordered about one by one', async () => {
    const order = (command: string) => ring.call('POST', `/v1/rollouts/${idOf('v3')}/commands`, { command, by: 'ada', reason: 'a spec wants it' });
    expect((await order('pause')).status).toBe(200);
    await observe(20);
    expect(await Promise.all(['v2', 'v3'].map(async (version) => (await of(version)).status))).toEqual(['active', 'paused']);
    expect((await order('resume')).status).toBe(200);
  });

  it('leave their place when they do harm, and the one that waits takes it', async () => {
    await until('v5 is tried', 20, async () => (await of('v5')).status === 'active');
    expect(await of('v4')).toMatchObject({ phase: 'rolled-back', status: 'ended' });
    expect(await of('v5')).toMatchObject({ unitsFrom: 0.5 });
    expect((await of('v4')).steps.at(-1)).toMatchObject({ verdict: 'worse', evidence: { candidates: 3 }, reason: expect.stringContaining('corrected for 3 candidates at once') });
  });

  it('are taken back by their guards, alone', async () => {
    const traffic = new GatewayTraffic(ring);
    const route = await traffic.follow();
    const candidate = [route.candidate, ...(route.beside ?? [])].find((each) => each?.version === 'v5');
    if (candidate === undefined) throw new Error('v5 is tried');
    // Failures and answers come by two topics: whichever is read first, traffic that goes on decides.
    await eventually('v5 is taken back', async () => {
      await traffic.send({ ...route, candidate }, 100, { candidate: true });
      return (await of('v5')).phase === 'rolled-back';
    });
    expect((await of('v5')).steps.at(-1)?.reason).toMatch(/^error-rate: the candidate failed \d+ of \d+ shadow requests \(100\.0 %\)/);
    expect(await Promise.all(['v2', 'v3'].map(async (version) => (await of(version)).status))).toEqual(['active', 'active']);
  });

  it('then the best is promoted, not the first, and the others are superseded', async () => {
    await until('v3 is the champion', 60, async () => (await of('v3')).phase === 'full');
    expect(await ring.route()).toMatchObject({ phase: 'full', champion: { version: 'v3' }, candidate: null });
    expect(await ring.route()).not.toHaveProperty('beside');
    // Labels that come later may tell its steps again; each is kept.
    expect((await of('v3')).steps.map(({ reason }) => reason)).toContainEqual(expect.stringMatching(/^chosen: it leads: mean difference -0\.\d+, beside it version v2 -0\.\d+ /));
    expect(await of('v2')).toMatchObject({ phase: 'superseded', status: 'ended' });
    expect((await of('v2')).steps.map(({ reason }) => reason)).toContainEqual(expect.stringMatching(/^superseded: version v3 has become the champion; /));
  });

  it('kept units apart all the time: no two stretches overlap', async () => {
    const splits = routesSeen.filter(({ candidate }) => (candidate?.share ?? 0) > 0);
    expect(splits.length).toBeGreaterThan(0);
    for (const { candidate, beside = [] } of splits) {
      const places = [candidate, ...beside].flatMap((each) => (each === null ? [] : [{ from: each.from ?? 0, to: (each.from ?? 0) + each.share }])).sort((a, b) => a.from - b.from);
      expect(places.every(({ from }, index) => from >= (places[index - 1]?.to ?? 0))).toBe(true);
    }
  });

  it('make the same bytes again, each', async () => {
    const command = new VerifyVerdict({ MILLRACE_ROLLOUT_CONTROLLER_URL: address, MILLRACE_MODEL_REGISTRY_URL: registry.address });
    for (const version of ['v2', 'v3', 'v4', 'v5']) {
      const { same, differences, rows } = await command.verified(idOf(version));
      expect({ version, same, differences }).toEqual({ version, same: true, differences: [] });
      if (version !== 'v5') expect(rows).toBeGreaterThan(40);
    }
  });
});
