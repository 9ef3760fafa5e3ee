// Goal: a candidate that does not answer, or answers late, is taken back by its guards in every phase, also while paused, and
//   before anybody heard it where it only listens; what says nothing of the candidate moves nothing; redelivery counts once.
// Method: the whole service over PostgreSQL and the log, once the memory twin and once a real broker; the spec plays the
//   gateways. Requests come 10 ms apart by their own clock: 400 are 4 s.
import { afterEach, describe, expect, it } from '@jest/globals';
import { predictionFailed, predictionServed } from '@millrace/contracts';
import { KafkaDriver } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { randomUUID } from 'node:crypto';
import { GatewayTraffic } from './guards.fixture.js';
import { RolloutRing } from './rollouts.fixture.js';

let ring: RolloutRing;
let traffic: GatewayTraffic;
afterEach(async () => {
  await ring.close();
});

async function open(settings?: Parameters<typeof RolloutRing.open>[0]): Promise<void> {
  ring = await RolloutRing.open(settings);
  traffic = new GatewayTraffic(ring);
}

async function inShadow(): Promise<string> {
  await ring.announceSpec();
  await ring.register('v1');
  await ring.register('v2');
  return `${ring.model}.v2.1`;
}

async function inCanary(): Promise<string> {
  const id = await inShadow();
  for (let round = 0; round < 30 && (await ring.route()).phase === 'shadow'; round += 1) await ring.observe(20, { champion: 0.6, candidate: 0.9 });
  return id;
}

const backTo = (version: string, meanwhile = async (): Promise<unknown> => undefined) => eventually('the candidate is taken back', async () => {
  await meanwhile();
  const route = await ring.route();
  return route.phase === 'full' && route.champion.version === version ? route : undefined;
});
const lastStep = async () => (await ring.published()).steps.at(-1);

describe.each(['memory', 'Kafka'] as const)('over %s', (log) => {
  it('a canary that never answers goes back, with the figures in a sentence', async () => {
    await open(log === 'Kafka' ? { log: new KafkaDriver({ clientId: 'guards-spec', brokers: (process.env['KAFKA_BROKERS'] ?? '').split(',') }), name: `guards-${randomUUID().slice(0, 8)}` } : {});
    const id = await inCanary();
    await traffic.send(await traffic.follow(), 100, {});
    await traffic.seen(id, 100);
    const canary = await ring.route();
    // Failures and answers come by two topics: whichever is read first, traffic that goes on decides.
    const route = await backTo('v1', () => traffic.send(canary, 50, { candidate: true }));
    expect(route).toMatchObject({ candidate: null, rolloutId: id, reason: expect.stringMatching(/^error-rate: the candidate failed \d+ of \d+ requests \([\d.]+ %\), the champion 0 of \d+ requests \(0\.0 %\): at least [\d.]+ points more, tolerated 1; rolled back$/u) });
    expect((await ring.call('GET', `/v1/rollouts/${id}`)).body).toMatchObject({ status: 'ended', phase: 'rolled-back' });
  });
});

describe('guards', () => {
  it('take back from shadow a candidate that fails or crawls there', async () => {
    await open();
    await inShadow();
    await traffic.send(await traffic.follow(), 400, { candidate: true });
    await backTo('v1');
    expect(await lastStep()).toMatchObject({ from: 'shadow', to: 'rolled-back', verdict: 'worse', reason: expect.stringContaining('shadow requests') });
    await ring.register('v3');
    await traffic.send(await traffic.follow(), 300, {});
    await traffic.send(await ring.route(), 600, {}, { latencyMs: 400 });
    await backTo('v1');
    expect(await lastStep()).toMatchObject({ from: 'shadow', to: 'rolled-back', reason: expect.stringContaining('latency: ') });
  });

  it('take back a candidate that is paused', async () => {
    await open();
    const id = await inCanary();
    await ring.call('POST', `/v1/rollouts/${id}/commands`, { command: 'pause', by: 'ada', reason: 'a spec wants it' });
    await traffic.send(await traffic.follow(), 400, { candidate: true });
    await backTo('v1');
  });

  it('move nothing when both arms fail alike, when a unit repeats itself, or under an earlier route', async () => {
    await open();
    const id = await inCanary();
    const route = await traffic.follow();
    await traffic.send(route, 500, { champion: true, candidate: true });
    await traffic.send({ ...route, revision: route.revision - 1 }, 400, { candidate: true });
    await traffic.send(route, 400, { candidate: true }, { unit: 'the same' });
    const reading = await traffic.seen(id, 900);
    expect(reading.n).toBe(500 + 400);
    expect(reading.breached).toBe(false);
    expect((await ring.route()).revision).toBe(route.revision);
  });

  it('count each request once when everything is delivered again', async () => {
    await open();
    const id = await inCanary();
    await traffic.send(await traffic.follow(), 170, {});
    await traffic.seen(id, 170);
    await traffic.send(await ring.route(), 30, {});
    const before = await traffic.seen(id, 200);
    await ring.stop();
    await ring.forgetOffsets([predictionServed.type, 'guards-served'], [predictionFailed.type, 'guards-failed']);
    await ring.start();
    await traffic.send(await traffic.follow(), 10, {});
    expect((await traffic.seen(id, 210)).n).toBe(210);
    expect(before.n).toBe(200);
  });

  it('begin anew with the next candidate', async () => {
    await open();
    await inShadow();
    await traffic.send(await traffic.follow(), 400, { candidate: true });
    await backTo('v1');
    await ring.register('v3');
    const route = await traffic.follow();
    await traffic.send(route, 50, {});
    expect(await traffic.seen(`${ring.model}.v3.1`, 100)).toMatchObject({ n: 100, breached: false });
  });
});
