/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: admitted records are answered straight from the log, with the split of HTTP, exactly once whatever happens to the
//   process; a model that fails holds up its own records only, and one bad record is set aside with its story.
// Method: over the memory twin, models that really fail or crash for one record. Over the real Kafka, and killed: gateway-process.spec.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventRefused, recordAdmitted, type ModelSpec, type RecordAdmitted } from '@millrace/contracts';
import { brittleModel } from '@millrace/model-runtime/testing';
import { eventually } from '@millrace/testing';
import { divisionModel, fatalRow, ratioSignature } from './failing-models.fixture.js';
import { model, openGateway, probability, Ring, signature, spec, type Gateway } from './gateway.fixture.js';

let ring: Ring;
let gateway: Gateway | undefined;
beforeEach(async () => void (ring = await Ring.open()));
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  ring.close();
});

type Changes = Partial<ModelSpec['spec']>;
const streaming = (changes: Changes = {}): Changes => ({ ...changes, serving: { batching: {}, limits: {}, explanations: { share: 0 }, ...changes.serving, stream: true } });
const record = (recordId: string, value: RecordAdmitted['value'], stream = 'flights'): RecordAdmitted => ({
  stream, kind: 'record', recordId, contractVersion: '1', eventTime: '2013-01-01T00:00:00Z', value, origin: { via: 'kafka', topic: stream, partition: 0, offset: 0 }, replay: null,
});
async function admit(records: readonly RecordAdmitted[]): Promise<void> {
  const producer = await ring.log.producer();
  await producer.send(records.map((each) => ring.messaging().encode(recordAdmitted, each, { key: each.recordId })));
}
const served = (count: number, of = model) => eventually(`${count} predictions of ${of}`, async () => {
  const all = (await ring.logged()).filter((each) => each.model === of);
  return all.length >= count && all;
});
const flight = { distance: 1.5, carrier: 'AA' };

describe('a stream', () => {
  it('is answered with the split of HTTP, under the records’ own ids', async () => {
    await ring.announceSpec(model, streaming());
    await ring.announceRoute({ phase: 'canary', champion: await ring.target('v1', 0), candidate: { ...(await ring.target('v2', 1)), share: 0.3, mirror: false } });
    await admit(Array.from({ length: 1_000 }, (_, index) => record(`r${index}`, flight)));
    gateway = await openGateway(ring);
    const all = await served(1_000);
    expect(new Set(all.map(({ recordId }) => recordId)).size).toBe(1_000);
    const asked = await gateway.predict(Array.from({ length: 1_000 }, (_, index) => ({ id: `r${index}`, features: flight })));
    const overHttp = new Map((asked.body['predictions'] as { id: string; version: string }[]).map(({ id, version }) => [id, version]));
    expect(all.slice(0, 1_000).filter(({ recordId, version }) => overHttp.get(recordId) !== version)).toEqual([]);
    for (const { version, armProbability, output } of all.slice(0, 1_000)) {
      expect(armProbability).toBe(version === 'v2' ? 0.3 : 0.7);
      expect(output.probability).toBeCloseTo(probability(version === 'v2' ? 1 : 0, 1.5, 'AA'), 5);
    }
  });

  it('of another name is passed over; a record that the model cannot take is counted, and the others are answered', async () => {
    await ring.announceSpec(model, streaming());
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    await admit([record('elsewhere', flight, 'buses'), record('mistaken', { distance: 'far', carrier: 'AA' }), record('without', { carrier: 'AA' }), record('sound', flight)]);
    gateway = await openGateway(ring);
    expect((await served(2)).map(({ recordId }) => recordId).sort()).toEqual(['sound', 'without']);
  });

  it('begins when the spec asks for it, ends when it no longer does, and goes on where it was', async () => {
    await ring.announceSpec(model);
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    await admit([record('a', flight)]);
    gateway = await openGateway(ring);
    await ring.announceSpec(model, streaming(), 2);
    await served(1);
    await ring.announceSpec(model, {}, 3);
    await eventually('the spec is known', async () => (await gateway?.call('GET', `/v1/models/${model}`))?.body['specRevision'] === 3);
    await admit([record('b', flight)]);
    await ring.announceSpec(model, streaming(), 4);
    expect((await served(2)).map(({ recordId }) => recordId)).toEqual(expect.arrayContaining(['a', 'b']));
    expect(await ring.logged()).toHaveLength(2);
  });
});

describe('a record that its model fails on', () => {
  it('is found among the others and set aside with its story; all others are answered, once', async () => {
    await ring.announceSpec(model, streaming());
    await ring.announceRoute({ champion: { version: 'v1', artifact: await ring.storage.artifacts.put(brittleModel()), signature } });
    // One partition, so that all of them stand in one batch.
    await admit(Array.from({ length: 100 }, (_, index) => record(`r${index}`, { distance: index === 37 ? 5 : 0, carrier: 'AA' })));
    gateway = await openGateway(ring);
    const all = await served(99);
    expect(all.map(({ recordId }) => recordId).sort()).toEqual(Array.from({ length: 100 }, (_, index) => `r${index}`).filter((id) => id !== 'r37').sort());
    const refused = await eventually('it is set aside', async () => (await ring.events(eventRefused)).length > 0 && ring.events(eventRefused));
    expect(refused).toEqual([expect.objectContaining({ topic: recordAdmitted.type, code: 'MODEL_RUN_FAILED', group: `inference-gateway.score.${model}`, reason: expect.stringContaining('alone, 3 times') })]);
    expect(JSON.parse(Buffer.from(refused[0]?.payloadBase64 ?? '', 'base64').toString())).toMatchObject({ recordId: 'r37' });
  });

  it('holds up no other model of the stream', async () => {
    await ring.announceSpec('ratios', streaming({ task: 'regression', features: [{ name: 'a', type: 'number' }, { name: 'b', type: 'number' }] }));
    await ring.announceRoute({ model: 'ratios', champion: { version: 'v1', artifact: await ring.storage.artifacts.put(divisionModel()), signature: ratioSignature } });
    await ring.announceSpec(model, streaming());
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    await admit(Array.from({ length: 20 }, (_, index) => record(`r${index}`, { ...flight, ...(index === 3 ? fatalRow : { a: index, b: 1 }) })));
    gateway = await openGateway(ring);
    expect(new Set((await served(20)).map(({ recordId }) => recordId)).size).toBe(20);
  });

  it('is answered by the fallback, where the spec names one', async () => {
    await ring.announceSpec(model, streaming({ serving: { ...spec.spec.serving, fallback: { to: 'constant', output: { label: false, probability: 0.25 } } } }));
    await ring.announceRoute({ champion: { version: 'v1', artifact: await ring.storage.artifacts.put(brittleModel()), signature } });
    await admit([record('bad', { distance: 5, carrier: 'AA' })]);
    gateway = await openGateway(ring);
    expect(await served(1)).toMatchObject([{ recordId: 'bad', version: 'v1', fallback: 'constant', output: { probability: 0.25 } }]);
  });
});
