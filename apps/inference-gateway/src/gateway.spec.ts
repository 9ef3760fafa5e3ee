/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: the gateway answers with the routed version, refuses bad input with codes and places, swaps routes without a failed
//   request, shadows off the answer path, and logs each answered prediction exactly once whatever Kafka does.
// Method: the whole Nest service over the memory twin of Kafka, real files and real ONNX models whose answers follow from
//   the closed form of a logistic regression.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogDriver } from '@millrace/messaging';
import { logisticModel } from '@millrace/model-runtime/testing';
import { eventually } from '@millrace/testing';
import { register } from 'prom-client';
import { model, openGateway, probability, Ring, type Gateway } from './gateway.fixture.js';

let ring: Ring;
let open: Gateway[];

beforeEach(async () => {
  ring = await Ring.open();
  open = [];
});
afterEach(async () => {
  for (const gateway of open) await gateway.stop();
  ring.close();
});

async function start(options?: Parameters<typeof openGateway>[1]): Promise<Gateway> {
  const gateway = await openGateway(ring, options);
  open.push(gateway);
  return gateway;
}
async function serving(intercept = 0.1, version = 'v1'): Promise<Gateway> {
  await ring.announceSpec();
  await ring.announceRoute({ champion: await ring.target(version, intercept) });
  return start();
}
const instance = (id: string, features: object = { distance: 1.5, carrier: 'AA' }) => ({ id, features });
type Predictions = { id: string; version: string; probability: number; label: unknown; predictionId: string }[];
const predictionsOf = (answer: { body: Record<string, unknown> }) => answer.body['predictions'] as Predictions;
const revisionInForce = async (gateway: Gateway): Promise<unknown> => ((await gateway.call('GET', `/v1/models/${model}`)).body['route'] as { revision: number } | null)?.revision;

describe('predict', () => {
  it('answers each instance with the version, and logs what it answered', async () => {
    const gateway = await serving();
    const answer = await gateway.predict([instance('a'), { ...instance('b', { distance: null, carrier: 'ZZ' }), unit: 'u', eventTime: '2013-03-01T00:00:00Z' }]);
    expect(answer.status).toBe(200);
    const [a, b] = predictionsOf(answer);
    expect(a).toMatchObject({ id: 'a', version: 'v1', label: true });
    expect(a?.probability).toBeCloseTo(probability(0.1, 1.5, 'AA'), 5);
    expect(b?.probability).toBeCloseTo(probability(0.1, 2, 'other'), 5);
    const logged = await eventually('both are logged', async () => {
      const all = await ring.logged();
      return all.length === 2 && all;
    });
    expect(logged.find(({ recordId }) => recordId === 'b')).toMatchObject({
      model, predictionId: b?.predictionId, version: 'v1', role: 'primary', arm: 'champion', armProbability: 1, unit: 'u', routeRevision: 1,
      eventTime: '2013-03-01T00:00:00Z', features: { distance: null, carrier: 'ZZ' }, output: { probability: b?.probability },
    });
  });

  it('tells every mistake of every instance with code and place', async () => {
    const gateway = await serving();
    const answer = await gateway.predict([instance('a'), instance('b', { carrier: 'AA' }), instance('c', { distance: 'far', carrier: 7 })]);
    expect(answer).toMatchObject({ status: 400, body: { code: 'FEATURE_MISSING' } });
    expect((answer.body['mistakes'] as { path: string }[]).map(({ path }) => path)).toEqual(['/instances/1/features/distance', '/instances/2/features/distance', '/instances/2/features/carrier']);
  });

  it.each([
    ['FEATURE_MISSING', { carrier: 'AA' }],
    ['FEATURE_TYPE', { distance: 'far', carrier: 'AA' }],
    ['FEATURE_TYPE', { distance: true, carrier: 'AA' }],
    ['FEATURE_TYPE', { distance: 1, carrier: 5 }],
    ['FEATURE_NOT_FINITE', { distance: 'NaN', carrier: 'AA' }],
    ['FEATURE_UNKNOWN', { distance: 1, carrier: 'AA', weather: 'rain' }],
  ])('%s for %j', async (code, features) => {
    const gateway = await serving();
    expect(await gateway.predict([instance('a', features)])).toMatchObject({ status: 400, body: { code } });
  });

  it.each([
    ['FEATURE_NOT_FINITE', '{"instances":[{"id":"a","features":{"distance":NaN,"carrier":"AA"}}]}'],
    ['FEATURE_NOT_FINITE', '{"instances":[{"id":"a","features":{"distance":1e999,"carrier":"AA"}}]}'],
    ['REQUEST_INVALID', '{"instances":[{"id":"a"}]}'],
    ['REQUEST_INVALID', '{"instances":[]}'],
    ['REQUEST_INVALID', '{"instances":[{"id":"","features":{}}]}'],
    ['REQUEST_INVALID', '{"instances":'],
    ['REQUEST_INVALID', 'null'],
  ])('%s for the body %s', async (code, body) => {
    const gateway = await serving();
    expect(await gateway.call('POST', `/v1/models/${model}/predict`, body)).toMatchObject({ status: 400, body: { code } });
  });

  it('tells an unknown model from one that has no route yet', async () => {
    await ring.announceSpec('unrouted');
    const gateway = await serving();
    expect(await gateway.predict([instance('a')], 'nobody')).toMatchObject({ status: 404, body: { code: 'MODEL_UNKNOWN' } });
    expect(await gateway.predict([instance('a')], 'unrouted')).toMatchObject({ status: 503, body: { code: 'MODEL_NOT_READY' } });
  });

  it('refuses beyond its queue instead of growing', async () => {
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    const gateway = await start({ config: { queueRowsMax: 10 } });
    const answers = await Promise.all(Array.from({ length: 4 }, (_, part) => gateway.predict(Array.from({ length: 5 }, (_, index) => instance(`${part}-${index}`)))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503, 503]);
    expect(answers.find(({ status }) => status === 503)?.body['code']).toBe('MODEL_OVERLOADED');
  });
});

const tensors = (rows: number) => [
  { name: 'distance', datatype: 'FP32', shape: [rows, 1], data: Array.from({ length: rows }, () => 1.5) },
  { name: 'carrier', datatype: 'BYTES', shape: [rows, 1], data: Array.from({ length: rows }, () => 'AA') },
];
const infer = (gateway: Gateway, body: object, path = `/v2/models/${model}/infer`) => gateway.call('POST', path, JSON.stringify(body));

describe('open inference protocol', () => {
  it('answers tensors with status 200, the id, and a content type of exactly application/json', async () => {
    const gateway = await serving();
    const answer = await infer(gateway, { id: 'q1', inputs: tensors(2) });
    expect(answer).toMatchObject({ status: 200, contentType: 'application/json', body: { model_name: model, model_version: 'v1', id: 'q1' } });
    const [label, probabilities] = answer.body['outputs'] as { name: string; datatype: string; shape: number[]; data: number[] }[];
    expect(label).toEqual({ name: 'label', datatype: 'INT64', shape: [2], data: [1, 1] });
    expect(probabilities).toMatchObject({ name: 'probabilities', datatype: 'FP32', shape: [2, 2] });
    expect(probabilities?.data[3]).toBeCloseTo(probability(0.1, 1.5, 'AA'), 5);
  });

  it('gives only the outputs asked for', async () => {
    const gateway = await serving();
    const { body } = await infer(gateway, { inputs: tensors(1), outputs: [{ name: 'probabilities' }] });
    expect((body['outputs'] as { name: string }[]).map(({ name }) => name)).toEqual(['probabilities']);
    expect(typeof body['id']).toBe('string');
  });

  it('logs rows that the route has answered, and none for a version asked by name', async () => {
    const gateway = await serving();
    await infer(gateway, { id: 'by-version', inputs: tensors(1) }, `/v2/models/${model}/versions/v1/infer`);
    await infer(gateway, { id: 'q2', inputs: tensors(2) });
    const logged = await eventually('two rows are logged', async () => {
      const all = await ring.logged();
      return all.length === 2 && all;
    });
    expect(logged.map(({ recordId }) => recordId).sort()).toEqual(['q2/0', 'q2/1']);
    expect(logged[0]).toMatchObject({ features: { distance: 1.5, carrier: 'AA' }, unit: 'q2', output: { label: true } });
  });

  it.each([
    ['no JSON', '{"inputs":', 400],
    ['no inputs', '{}', 400],
    ['a shape that does not fit its data', '{"inputs":[{"name":"distance","datatype":"FP32","shape":[3,1],"data":[1]}]}', 400],
    ['a missing input', '{"inputs":[{"name":"distance","datatype":"FP32","shape":[1,1],"data":[1]}]}', 400],
  ])('refuses %s as {error}', async (_what, body, status) => {
    const gateway = await serving();
    const answer = await gateway.call('POST', `/v2/models/${model}/infer`, body);
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.body)).toEqual(['error']);
  });

  it('tells health, the server, the model and its readiness', async () => {
    await ring.announceSpec('unrouted');
    const gateway = await serving();
    expect(await gateway.call('GET', '/v2/health/ready')).toMatchObject({ status: 200, contentType: 'application/json', body: { live: true, ready: true } });
    expect(await gateway.call('GET', '/v2/health/live')).toMatchObject({ status: 200, body: { live: true } });
    expect((await gateway.call('GET', '/v2')).body).toMatchObject({ name: 'millrace', extensions: ['binary_tensor_data', 'statistics', 'model_configuration', 'parameters', 'schedule_policy'] });
    expect((await gateway.call('GET', `/v2/models/${model}`)).body).toMatchObject({ name: model, versions: ['v1'], platform: 'onnx_onnxv1', inputs: [{ name: 'distance', datatype: 'FP32', shape: [-1, 1] }, { name: 'carrier' }] });
    expect(await gateway.call('GET', `/v2/models/${model}/ready`)).toMatchObject({ status: 200, body: { name: model, ready: true } });
    expect((await gateway.call('GET', `/v2/models/${model}/versions/v1/ready`)).status).toBe(200);
    expect(await gateway.call('GET', `/v2/models/${model}/versions/v9/ready`)).toMatchObject({ status: 404, body: { error: expect.any(String) } });
    expect((await gateway.call('GET', '/v2/models/unrouted/ready')).status).toBe(503);
    expect((await gateway.call('GET', '/v2/models/nobody/ready')).status).toBe(404);
    expect((await infer(gateway, { inputs: tensors(1) }, '/v2/models/nobody/infer'))).toMatchObject({ status: 404, body: { error: expect.stringMatching(/^Request for unknown model/) } });
  });
});

describe('split', () => {
  it('gives the candidate its share of the units, always the same ones, and logs the arm with its probability', async () => {
    await ring.announceRoute({ phase: 'canary', champion: await ring.target('v1', 0), candidate: { ...(await ring.target('v2', 1)), share: 0.3, mirror: false } });
    const gateway = await start();
    const units = Array.from({ length: 2_000 }, (_, index) => ({ ...instance(`r${index}`), unit: `unit-${index}` }));
    const first = predictionsOf(await gateway.predict(units));
    const again = predictionsOf(await gateway.predict(units.map((unit) => ({ ...unit, id: `again-${unit.id}` }))));
    expect(again.map(({ version }) => version)).toEqual(first.map(({ version }) => version));
    const candidates = first.filter(({ version }) => version === 'v2').length;
    // Binomial(2000, 0.3): mean 600, standard deviation 20.5; five of them leave one false alarm in 1.7 million.
    expect(Math.abs(candidates - 600)).toBeLessThan(103);
    expect(first.every(({ version, probability: p }) => Math.abs(p - probability(version === 'v1' ? 0 : 1, 1.5, 'AA')) < 1e-5)).toBe(true);
    const logged = await eventually('all are logged', async () => {
      const all = await ring.logged();
      return all.length === 4_000 && all;
    });
    expect(logged.every(({ arm, armProbability, version }) => (arm === 'candidate' ? armProbability === 0.3 && version === 'v2' : armProbability === 0.7 && version === 'v1'))).toBe(true);
  });

  it('growing the share moves no unit out of the candidate', async () => {
    const [v1, v2] = [await ring.target('v1', 0), await ring.target('v2', 1)];
    await ring.announceRoute({ phase: 'canary', champion: v1, candidate: { ...v2, share: 0.1, mirror: false } });
    const gateway = await start();
    const units = Array.from({ length: 500 }, (_, index) => instance(`r${index}`));
    const small = predictionsOf(await gateway.predict(units)).map(({ version }) => version);
    await ring.announceRoute({ phase: 'ab', champion: v1, candidate: { ...v2, share: 0.5, mirror: false } });
    await eventually('the larger share is in force', async () => (await revisionInForce(gateway)) === 2);
    const large = predictionsOf(await gateway.predict(units)).map(({ version }) => version);
    expect(small.filter((version, index) => version === 'v2' && large[index] !== 'v2')).toEqual([]);
    expect(large.filter((version) => version === 'v2').length).toBeGreaterThan(small.filter((version) => version === 'v2').length);
  });
});

describe('shadow', () => {
  it('answers with the champion, and logs what the candidate would have said under the same request', async () => {
    await ring.announceRoute({ phase: 'shadow', champion: await ring.target('v1', 0), candidate: { ...(await ring.target('v2', 1)), share: 0, mirror: true } });
    const gateway = await start();
    const answer = predictionsOf(await gateway.predict([instance('a')]));
    expect(answer[0]?.version).toBe('v1');
    const logged = await eventually('both roles are logged', async () => {
      const all = await ring.logged();
      return all.length === 2 && all;
    });
    const [primary, shadow] = [logged.find(({ role }) => role === 'primary'), logged.find(({ role }) => role === 'shadow')];
    expect(shadow).toMatchObject({ recordId: 'a', version: 'v2', arm: 'candidate', requestId: primary?.requestId });
    expect(shadow?.predictionId).not.toBe(primary?.predictionId);
    expect(shadow?.output.probability).toBeCloseTo(probability(1, 1.5, 'AA'), 5);
  });

  it('answers with the candidate after a switch, and logs what the old champion would have said', async () => {
    await ring.announceRoute({ phase: 'ab', champion: await ring.target('v1', 0), candidate: { ...(await ring.target('v2', 1)), share: 1, mirror: true } });
    const gateway = await start();
    expect(predictionsOf(await gateway.predict([instance('a')]))[0]?.version).toBe('v2');
    const logged = await eventually('both roles are logged', async () => {
      const all = await ring.logged();
      return all.length === 2 && all;
    });
    const [primary, shadow] = [logged.find(({ role }) => role === 'primary'), logged.find(({ role }) => role === 'shadow')];
    expect(primary).toMatchObject({ version: 'v2', arm: 'candidate', armProbability: 1 });
    expect(shadow).toMatchObject({ recordId: 'a', version: 'v1', arm: 'champion', requestId: primary?.requestId });
  });

  it('drops and counts shadow runs beyond its queue; every answer is given', async () => {
    await ring.announceRoute({ phase: 'shadow', champion: await ring.target('v1', 0), candidate: { ...(await ring.target('v2', 1)), share: 0, mirror: true } });
    const gateway = await start({ config: { shadowQueueMax: 5 } });
    const before = await dropped('queue-full');
    const answer = await gateway.predict(Array.from({ length: 50 }, (_, index) => instance(`r${index}`)));
    expect(predictionsOf(answer).length).toBe(50);
    await eventually('45 are counted as dropped', async () => (await dropped('queue-full')) - before === 45);
  });

  it('a candidate that needs a feature nobody sends fails no answer', async () => {
    const candidate = await ring.target('v2', 1);
    const bytes = logisticModel({ numbers: { distance: { weight: 1, impute: 0 }, wind: { weight: 1, impute: 0 } }, categories: {}, intercept: 0 });
    const inputs = [{ name: 'distance', datatype: 'FP32', shape: [-1, 1] }, { name: 'wind', datatype: 'FP32', shape: [-1, 1] }];
    await ring.announceRoute({ phase: 'shadow', champion: await ring.target('v1', 0), candidate: { ...candidate, artifact: await ring.storage.artifacts.put(bytes), signature: { ...candidate.signature, inputs }, share: 0, mirror: true } });
    const gateway = await start();
    const before = await dropped('features');
    expect((await gateway.predict([instance('a')])).status).toBe(200);
    await eventually('the shadow run is counted as dropped', async () => (await dropped('features')) === before + 1);
    expect((await gateway.predict([instance('b', { distance: 1, carrier: 'AA', wind: 3 })])).status).toBe(200);
    await eventually('with the feature it runs', async () => (await ring.logged()).some(({ role, recordId }) => role === 'shadow' && recordId === 'b'));
  });
});

async function dropped(reason: string): Promise<number> {
  const metric = await register.getSingleMetric('millrace_shadow_dropped_total')?.get();
  return metric?.values.filter(({ labels }) => labels['reason'] === reason).reduce((sum, { value }) => sum + value, 0) ?? 0;
}

describe('route changes', () => {
  it('swaps under load with no failed request', async () => {
    const gateway = await serving(0);
    const targets = [await ring.target('v1', 0), await ring.target('v2', 1)] as const;
    let stop = false;
    const statuses = new Map<number, number>();
    const wrong: unknown[] = [];
    const client = async (name: number) => {
      for (let index = 0; !stop; index += 1) {
        const answer = await gateway.predict([instance(`${name}-${index}`)]);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const [prediction] = answer.status === 200 ? predictionsOf(answer) : [];
        const expected = probability(prediction?.version === 'v2' ? 1 : 0, 1.5, 'AA');
        if (prediction === undefined || Math.abs(prediction.probability - expected) > 1e-5) wrong.push(answer);
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, (_, name) => client(name)));
    for (let swap = 0; swap < 20; swap += 1) {
      const revision = await ring.announceRoute({ champion: targets[(swap + 1) % 2 === 0 ? 0 : 1] });
      await eventually(`revision ${revision} is in force`, async () => (await revisionInForce(gateway)) === revision);
    }
    stop = true;
    await clients;
    expect(wrong).toEqual([]);
    expect([...statuses.keys()]).toEqual([200]);
  });

  it('keeps the old route when an artifact has a flipped byte, says so, and takes the next good one', async () => {
    const gateway = await serving(0);
    const target = await ring.target('v2', 1);
    const file = readdirSync(join(ring.folder, 'storage'), { recursive: true }).map((name) => join(ring.folder, 'storage', String(name))).find((name) => name.endsWith(target.artifact.sha256)) ?? '';
    const bytes = readFileSync(file);
    chmodSync(file, 0o644);
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    writeFileSync(file, bytes);
    await ring.announceRoute({ champion: target });
    const described = await eventually('the problem is told', async () => {
      const { body } = await gateway.call('GET', `/v1/models/${model}`);
      return typeof body['problem'] === 'string' && body;
    });
    expect(described['problem']).toMatch(/revision 2 cannot be loaded; revision 1 stays in force.*damaged/);
    expect(predictionsOf(await gateway.predict([instance('a')]))[0]?.version).toBe('v1');
    const health = await gateway.call('GET', '/health/ready');
    expect(health).toMatchObject({ status: 200, body: { ready: true } });
    expect(JSON.stringify(health.body['notes'])).toContain('revision 2');
    await ring.announceRoute({ champion: await ring.target('v3', 2) });
    await eventually('the next good route is taken', async () => predictionsOf(await gateway.predict([instance('b')]))[0]?.version === 'v3');
    expect((await gateway.call('GET', `/v1/models/${model}`)).body['problem']).toBeNull();
  });

  it('refuses a file whose inputs are not those of its signature', async () => {
    const gateway = await serving(0);
    const target = await ring.target('v2', 1);
    await ring.announceRoute({ champion: { ...target, signature: { ...target.signature, inputs: target.signature.inputs.slice(0, 1) } } });
    await eventually('the problem is told', async () => String((await gateway.call('GET', `/v1/models/${model}`)).body['problem']).includes('does not match its signature'));
    expect(predictionsOf(await gateway.predict([instance('a')]))[0]?.version).toBe('v1');
  });
});

/** The memory twin with a producer side that can be switched off, as when the broker is down. */
class Switchable implements LogDriver {
  down = false;
  constructor(private readonly inner: LogDriver) {}
  private check(): void {
    if (this.down) throw new Error('the broker is down');
  }
  createTopics: LogDriver['createTopics'] = (topics) => this.inner.createTopics(topics);
  consume: LogDriver['consume'] = (options) => this.inner.consume(options);
  producer: LogDriver['producer'] = () => this.inner.producer();
  committedOffset: LogDriver['committedOffset'] = async (...place) => (this.check(), this.inner.committedOffset(...place));
  watermarks: LogDriver['watermarks'] = (topic) => this.inner.watermarks(topic);
  close: LogDriver['close'] = async () => undefined;
  transactionalProducer: LogDriver['transactionalProducer'] = async (id) => {
    this.check();
    const producer = await this.inner.transactionalProducer(id);
    return { ...producer, transact: async (messages, progress) => (this.check(), producer.transact(messages, progress)) };
  };
}

describe('prediction log', () => {
  it('answers while Kafka is down, and delivers every record exactly once afterwards', async () => {
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    const driver = new Switchable(ring.log);
    const gateway = await start({ driver });
    driver.down = true;
    for (let index = 0; index < 20; index += 1) expect((await gateway.predict([instance(`r${index}`)])).status).toBe(200);
    expect(await ring.logged()).toEqual([]);
    driver.down = false;
    const logged = await eventually('all are delivered', async () => {
      const all = await ring.logged();
      return all.length >= 20 && all;
    });
    expect(logged.map(({ recordId }) => recordId).sort()).toEqual(Array.from({ length: 20 }, (_, index) => `r${index}`).sort());
  });

  it('what was answered before a sudden end is delivered by the next process, once', async () => {
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    const driver = new Switchable(ring.log);
    const first = await start({ driver });
    expect((await first.predict([instance('delivered before')])).status).toBe(200);
    await eventually('the first is delivered', async () => (await ring.logged()).length === 1);
    driver.down = true;
    expect((await first.predict([instance('answered')])).status).toBe(200);
    // The first process is left as it is: its relay cannot publish any more. The next one takes its folder over, torn end and all.
    const spool = join(ring.folder, 'spool');
    const newest = readdirSync(spool).filter((name) => name.endsWith('.spool')).sort().at(-1) ?? '';
    writeFileSync(join(spool, newest), Buffer.from([9, 0, 0, 0, 1, 2]), { flag: 'a' });
    await start();
    const logged = await eventually('the second is delivered', async () => {
      const all = await ring.logged();
      return all.length >= 2 && all;
    });
    expect(logged.map(({ recordId }) => recordId).sort()).toEqual(['answered', 'delivered before']);
  });

  it('beyond its bound drops and counts records, and answers all the same', async () => {
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    const driver = new Switchable(ring.log);
    const gateway = await start({ driver, config: { spoolMegabytesMax: 1 } });
    driver.down = true;
    const long = 'x'.repeat(100_000);
    for (let index = 0; index < 12; index += 1) expect((await gateway.predict([instance(`r${index}`, { distance: 1, carrier: long })])).status).toBe(200);
    const metric = await register.getSingleMetric('millrace_prediction_log_dropped_total')?.get();
    expect(metric?.values.find(({ labels }) => labels['reason'] === 'spool-full')?.value).toBe(2);
  });
});
