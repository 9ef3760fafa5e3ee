/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: when the routed version fails, whom the spec names answers in its place, and everybody is told: the caller, the
//   log, the metrics. Nothing stands in for overload, a passed deadline or a caller’s mistake.
// Method: the whole service over the memory twin of Kafka. The routed version divides whole numbers and really ends its worker
//   process for one row (−2³¹ / −1); who stands in adds instead, so that the answer tells who gave it.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { predictionFailed, type ModelSpec, type RouteTarget } from '@millrace/contracts';
import { eventually } from '@millrace/testing';
import { register } from 'prom-client';
import { divisionModel, fatalRow, ratioSignature, sumModel } from '../failing-models.fixture.js';
import { model, openGateway, Ring, type Gateway } from '../gateway.fixture.js';

/** a + b of the fatal row, in float32. */
const summed = Math.fround(-(2 ** 31) - 1);

type Fallback = NonNullable<ModelSpec['spec']['serving']['fallback']>;

let ring: Ring;
let gateway: Gateway | undefined;
beforeEach(async () => void (ring = await Ring.open()));
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  ring.close();
});

const target = async (version: string, bytes: Uint8Array, signature = ratioSignature): Promise<RouteTarget> => ({ version, artifact: await ring.storage.artifacts.put(bytes), signature });
const spec = (fallback: Fallback | undefined): Partial<ModelSpec['spec']> => ({
  task: 'regression', features: [{ name: 'a', type: 'number' }, { name: 'b', type: 'number' }],
  serving: { batching: {}, limits: {}, stream: false, explanations: { share: 0 }, ...(fallback === undefined ? {} : { fallback }) },
});

interface Options {
  readonly fallback?: Fallback;
  readonly previous?: RouteTarget | null;
  readonly candidate?: RouteTarget;
}

/** Version v2 divides. */
async function serving({ fallback, previous = null, candidate }: Options): Promise<Gateway> {
  await ring.announceSpec(model, spec(fallback));
  await ring.announceRoute({ champion: await target('v2', divisionModel()), previous, candidate: candidate === undefined ? null : { ...candidate, share: 0, mirror: true } });
  return (gateway = await openGateway(ring));
}

const ask = async (id: string, features: object) => {
  const { status, body } = (await gateway?.predict([{ id, features }])) ?? { status: 0, body: {} };
  return { status, body, prediction: (body['predictions'] as Record<string, unknown>[] | undefined)?.[0] };
};
const infer = async ({ a, b }: { a: number; b: number }, path = `/v2/models/${model}/infer`) => {
  const tensor = (name: string, value: number) => ({ name, shape: [1, 1], datatype: 'FP32', data: [value] });
  return (await gateway?.call('POST', path, JSON.stringify({ id: 'q', inputs: [tensor('a', a), tensor('b', b)] }))) ?? { status: 0, body: {} as Record<string, unknown> };
};
async function counted(to: string): Promise<number> {
  const metric = await register.getSingleMetric('millrace_fallback_answers_total')?.get();
  return metric?.values.filter(({ labels }) => labels['to'] === to && labels['version'] === 'v2').reduce((sum, { value }) => sum + value, 0) ?? 0;
}
const logged = (count: number) => eventually(`${count} answers are logged`, async () => {
  const all = await ring.logged();
  return all.length >= count && all;
});

describe('rows of features', () => {
  it('the previous version answers, and the answer, the log and the metrics say so', async () => {
    await serving({ fallback: { to: 'previous-version' }, previous: await target('v1', sumModel()) });
    const before = await counted('previous-version');
    expect((await ask('sound', { a: 7, b: 2 })).prediction).toEqual({ id: 'sound', predictionId: expect.any(String), version: 'v2', value: 3 });
    const answer = await ask('fatal', fatalRow);
    expect(answer).toMatchObject({ status: 200, prediction: { version: 'v2', fallback: 'v1', value: summed } });
    expect(await counted('previous-version')).toBe(before + 1);
    const all = await logged(2);
    const [sound, fatal] = [all.find(({ recordId }) => recordId === 'sound'), all.find(({ recordId }) => recordId === 'fatal')];
    expect(sound).not.toHaveProperty('fallback');
    expect(fatal).toMatchObject({ version: 'v2', fallback: 'v1', arm: 'champion', output: { value: summed } });
    const failures = await eventually('the failure is logged', async () => {
      const found = await ring.events(predictionFailed);
      return found.length > 0 && found;
    });
    expect(failures).toEqual([expect.objectContaining({ recordId: 'fatal', version: 'v2', code: 'MODEL_WORKER_LOST', requestId: fatal?.requestId })]);
  });

  it('another model answers', async () => {
    await ring.announceSpec('plain-sum', spec(undefined));
    await ring.announceRoute({ model: 'plain-sum', champion: await target('s1', sumModel()) });
    await serving({ fallback: { to: 'model', model: 'plain-sum' } });
    expect(await ask('fatal', fatalRow)).toMatchObject({ status: 200, prediction: { version: 'v2', fallback: 'plain-sum@s1', value: summed } });
    expect((await logged(1))[0]).toMatchObject({ model, version: 'v2', fallback: 'plain-sum@s1' });
  });

  it('a constant answers', async () => {
    await serving({ fallback: { to: 'constant', output: { value: 12.5 } } });
    const before = await counted('constant');
    expect(await ask('fatal', fatalRow)).toMatchObject({ status: 200, prediction: { fallback: 'constant', value: 12.5 } });
    expect(await counted('constant')).toBe(before + 1);
  });

  it('also while the version is out of service for good', async () => {
    await serving({ fallback: { to: 'constant', output: { value: 1 } } });
    for (let loss = 0; loss < 4; loss += 1) expect(await ask(`fatal-${loss}`, fatalRow)).toMatchObject({ status: 200, prediction: { fallback: 'constant' } });
    expect(await ask('sound', { a: 7, b: 2 })).toMatchObject({ status: 200, prediction: { fallback: 'constant', value: 1 } });
  });

  it('when nobody can, the failure is told and counted', async () => {
    await serving({ fallback: { to: 'previous-version' }, previous: null });
    const before = await counted('none');
    expect(await ask('fatal', fatalRow)).toMatchObject({ status: 503, body: { code: 'MODEL_WORKER_LOST', error: expect.stringContaining('SIGFPE') } });
    expect(await counted('none')).toBe(before + 1);
  });

  it('nothing stands in for a deadline that has passed, nor for a mistake', async () => {
    await serving({ fallback: { to: 'constant', output: { value: 1 } } });
    const late = await gateway?.call('POST', `/v1/models/${model}/predict`, JSON.stringify({ timeoutMs: 0.000_001, instances: [{ features: { a: 1, b: 1 } }] }));
    expect(late).toMatchObject({ status: 503, body: { code: 'DEADLINE_EXCEEDED' } });
    expect(await ask('mistaken', { a: 'x', b: 1 })).toMatchObject({ status: 400, body: { code: 'FEATURE_TYPE' } });
  });

  it('a shadow is not compared with an answer that its champion did not give', async () => {
    await serving({ fallback: { to: 'constant', output: { value: 1 } }, candidate: await target('v3', sumModel()) });
    await ask('fatal', fatalRow);
    await ask('sound', { a: 7, b: 2 });
    await eventually('the sound one is mirrored', async () => (await ring.logged()).some(({ role }) => role === 'shadow'));
    expect((await ring.logged()).filter(({ role }) => role === 'shadow').map(({ recordId }) => recordId)).toEqual(['sound']);
  });
});

describe('tensors', () => {
  it('the previous version answers where its tensors are the same, and the answer and the log say so', async () => {
    await serving({ fallback: { to: 'previous-version' }, previous: await target('v1', sumModel()) });
    const before = await counted('previous-version');
    expect((await infer({ a: 7, b: 2 })).body).not.toHaveProperty('parameters');
    const answer = await infer(fatalRow);
    expect(answer).toMatchObject({ status: 200, body: { model_version: 'v2', parameters: { fallback: 'v1' }, outputs: [{ name: 'prediction', data: [expect.closeTo(summed, -3)] }] } });
    expect(await counted('previous-version')).toBe(before + 1);
    const all = await logged(2);
    expect(all.map(({ fallback }) => fallback)).toEqual(expect.arrayContaining([undefined, 'v1']));
    await eventually('the failure is logged', async () => (await ring.events(predictionFailed)).length === 1);
  });

  it('not where its outputs are others', async () => {
    const previous = await target('v1', sumModel('total'), { ...ratioSignature, outputs: [{ name: 'total', datatype: 'FP32', shape: [-1, 1] }] });
    await serving({ fallback: { to: 'previous-version' }, previous });
    const before = await counted('none');
    expect(await infer(fatalRow)).toMatchObject({ status: 503, body: { error: expect.stringContaining('SIGFPE') } });
    expect(await counted('none')).toBe(before + 1);
    await eventually('the failure is logged', async () => (await ring.events(predictionFailed)).length === 1);
  });

  it('a constant has no tensors: the error says where it can be had', async () => {
    await serving({ fallback: { to: 'constant', output: { value: 1 } } });
    expect(await infer(fatalRow)).toMatchObject({ status: 503, body: { error: expect.stringContaining(`a constant, which has no tensors: ask /v1/models/${model}/predict`) } });
  });

  it('who names a version gets that version or its failure', async () => {
    await serving({ fallback: { to: 'previous-version' }, previous: await target('v1', sumModel()) });
    expect(await infer(fatalRow, `/v2/models/${model}/versions/v2/infer`)).toMatchObject({ status: 503 });
    expect((await infer({ a: 7, b: 2 }, `/v2/models/${model}/versions/v1/infer`)).body['outputs']).toMatchObject([{ data: [9] }]);
  });
});
