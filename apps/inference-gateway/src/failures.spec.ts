/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: a request that a routed version took on and did not answer is told in the log, whoever answered instead, also when nobody
//   was to hear it; a caller’s mistake is not, nor is what was never taken on.
// Method: the whole service over the memory twin of Kafka, with a real model whose run fails for some features, and deadlines that have passed.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { predictionFailed, recordAdmitted, specChanged, type PredictionFailed, type RecordAdmitted, type RouteTarget } from '@millrace/contracts';
import { decodeEvent } from '@millrace/messaging';
import { brittleModel, logisticModel } from '@millrace/model-runtime/testing';
import { eventually } from '@millrace/testing';
import { model, openGateway, Ring, signature, spec, type Gateway } from './gateway.fixture.js';

let ring: Ring;
let gateway: Gateway;
beforeEach(async () => {
  ring = await Ring.open();
});
afterEach(async () => {
  await gateway.stop();
  ring.close();
});

const brittle = async (version: string): Promise<RouteTarget> => ({ version, artifact: await ring.storage.artifacts.put(brittleModel()), signature });
const fatal = (id: string) => ({ id, features: { distance: 5, carrier: 'AA' } });
const harmless = (id: string) => ({ id, features: { distance: 0, carrier: 'AA' } });

async function failures(count: number): Promise<PredictionFailed[]> {
  const found: PredictionFailed[] = [];
  const consumption = await ring.log.consume({ group: `failures-${Math.random()}`, topics: [predictionFailed.type], onBatch: async (deliveries) => void found.push(...deliveries.map((delivery) => decodeEvent(predictionFailed, delivery).data)) });
  await eventually(`${count} failures are logged`, () => found.length >= count);
  await consumption.stop();
  return found;
}

describe('a version that fails', () => {
  it('is told with code, reason and place in the route; the answers beside it are not lost', async () => {
    await ring.announceRoute({ champion: await brittle('v1') });
    gateway = await openGateway(ring);
    expect((await gateway.predict([{ ...fatal('a'), unit: 'u', eventTime: '2013-03-01T00:00:00Z' }])).status).toBe(500);
    expect((await gateway.predict([harmless('b')])).status).toBe(200);
    const [failed, ...more] = await failures(1);
    expect(more).toEqual([]);
    expect(failed).toMatchObject({ model, recordId: 'a', version: 'v1', role: 'primary', arm: 'champion', unit: 'u', eventTime: '2013-03-01T00:00:00Z', routeRevision: 1, armProbability: 1, code: 'MODEL_RUN_FAILED' });
    expect(failed?.reason).not.toBe('');
    expect(await eventually('the answer is logged', async () => (await ring.logged()).length === 1 && ring.logged())).toMatchObject([{ recordId: 'b' }]);
  });

  it('is told through the Open Inference Protocol too', async () => {
    await ring.announceRoute({ champion: await brittle('v1') });
    gateway = await openGateway(ring);
    const inputs = [{ name: 'distance', datatype: 'FP32', shape: [2, 1], data: [5, 0] }, { name: 'carrier', datatype: 'BYTES', shape: [2, 1], data: ['AA', 'AA'] }];
    expect((await gateway.call('POST', `/v2/models/${model}/infer`, JSON.stringify({ id: 'q', inputs }))).status).toBe(500);
    expect((await failures(2)).map(({ recordId, unit }) => [recordId, unit])).toEqual(expect.arrayContaining([['q/0', 'q'], ['q/1', 'q']]));
  });

  it('is told when another answers in its place, under the same request', async () => {
    const serving = { ...spec.spec.serving, fallback: { to: 'constant' as const, output: { label: false, probability: 0.25 } } };
    const withFallback = { ...spec, spec: { ...spec.spec, serving } };
    await (await ring.log.producer()).send([ring.messaging().encode(specChanged, { model, revision: 1, sha256: '0'.repeat(64), spec: withFallback, changedAt: '2013-01-01T00:00:00Z' }, { key: model })]);
    await ring.announceRoute({ champion: await brittle('v1') });
    gateway = await openGateway(ring);
    expect((await gateway.predict([fatal('a')])).body['predictions']).toMatchObject([{ id: 'a', fallback: 'constant', probability: 0.25 }]);
    const [failed] = await failures(1);
    const [answer] = await eventually('the answer is logged', async () => (await ring.logged()).length === 1 && ring.logged());
    expect(failed).toMatchObject({ recordId: 'a', version: 'v1', code: 'MODEL_RUN_FAILED', requestId: answer?.requestId });
  });

  it('is told in shadow, where nobody hears it', async () => {
    const candidate = await brittle('v2');
    await ring.announceRoute({ phase: 'shadow', champion: await ring.target('v1', 0), candidate: { ...candidate, share: 0, mirror: true } });
    gateway = await openGateway(ring);
    expect((await gateway.predict([fatal('a')])).status).toBe(200);
    const [failed] = await failures(1);
    const [answer] = await eventually('the answer is logged', async () => (await ring.logged()).length === 1 && ring.logged());
    expect(failed).toMatchObject({ recordId: 'a', version: 'v2', role: 'shadow', arm: 'candidate', code: 'MODEL_RUN_FAILED', requestId: answer?.requestId });
  });

  it('is told in shadow when it cannot take what callers send', async () => {
    const bytes = logisticModel({ numbers: { distance: { weight: 1, impute: 0 }, wind: { weight: 1, impute: 0 } }, categories: {}, intercept: 0 });
    const inputs = [{ name: 'distance', datatype: 'FP32', shape: [-1, 1] }, { name: 'wind', datatype: 'FP32', shape: [-1, 1] }];
    const candidate = { version: 'v2', artifact: await ring.storage.artifacts.put(bytes), signature: { ...signature, inputs } };
    await ring.announceRoute({ phase: 'shadow', champion: await ring.target('v1', 0), candidate: { ...candidate, share: 0, mirror: true } });
    gateway = await openGateway(ring);
    expect((await gateway.predict([harmless('a')])).status).toBe(200);
    expect(await failures(1)).toMatchObject([{ recordId: 'a', version: 'v2', role: 'shadow', code: 'FEATURE_MISSING', reason: expect.stringContaining('wind') }]);
  });

  it('is told with each try of a stream’s record, which is tried until it is answered', async () => {
    const streaming = { ...spec, spec: { ...spec.spec, serving: { ...spec.spec.serving, stream: true } } };
    const producer = await ring.log.producer();
    await producer.send([ring.messaging().encode(specChanged, { model, revision: 1, sha256: '0'.repeat(64), spec: streaming, changedAt: '2013-01-01T00:00:00Z' }, { key: model })]);
    await ring.announceRoute({ champion: await brittle('v1') });
    gateway = await openGateway(ring);
    const record: RecordAdmitted = { stream: 'flights', kind: 'record', recordId: 'r', contractVersion: '1', eventTime: '2013-01-01T00:00:00Z', value: { distance: 5, carrier: 'AA' }, origin: { via: 'kafka', topic: 'flights', partition: 0, offset: 0 }, replay: null };
    await producer.send([ring.messaging().encode(recordAdmitted, record, { key: 'r' })]);
    expect((await failures(2)).slice(0, 2)).toMatchObject([{ recordId: 'r', attempt: 1 }, { recordId: 'r', attempt: 2 }]);
  });

  it('is told of a deadline that passed, and not of what it was never asked', async () => {
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    gateway = await openGateway(ring);
    expect((await gateway.call('POST', `/v1/models/${model}/predict`, JSON.stringify({ instances: [{ id: 'm', features: { carrier: 7 } }] }))).status).toBe(400);
    const late = await gateway.call('POST', `/v1/models/${model}/predict`, JSON.stringify({ instances: [harmless('late')], timeoutMs: 0.000001 }));
    expect(late.body['code']).toBe('DEADLINE_EXCEEDED');
    expect((await failures(1)).map(({ recordId, code }) => [recordId, code])).toEqual([['late', 'DEADLINE_EXCEEDED']]);
  });
});
