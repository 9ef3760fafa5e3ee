/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: what the spec says of serving is in force for the versions that the routes name, also when it changes later; a file
//   that is no good changes nothing but what operators are told.
// Method: the whole service over the memory twin of Kafka, with files that have one fault each.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RouteTarget } from '@millrace/contracts';
import { crashingFile, logisticModel, writeOnnx, type OnnxValue } from '@millrace/model-runtime/testing';
import { eventually } from '@millrace/testing';
import { model, openGateway, Ring, signature, type Gateway } from './gateway.fixture.js';

let ring: Ring;
let gateway: Gateway | undefined;
beforeEach(async () => void (ring = await Ring.open()));
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  ring.close();
});
const serving = (limits: object) => ({ serving: { batching: {}, limits, stream: false, explanations: { share: 0 } } });
const rows = (count: number, more: object = {}) => JSON.stringify({ instances: Array.from({ length: count }, () => ({ features: { distance: 1.5, carrier: 'AA' } })), ...more });
const ask = async (count: number) => gateway?.call('POST', `/v1/models/${model}/predict`, rows(count));

describe('limits of the spec', () => {
  it('hold for the routed versions, and change with the spec, without a new route', async () => {
    await ring.announceSpec(model, serving({ queuedRowsMax: 5 }));
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    gateway = await openGateway(ring);
    expect(await ask(5)).toMatchObject({ status: 200 });
    expect(await ask(6)).toMatchObject({ status: 400, body: { error: expect.stringContaining('5') } });
    await ring.announceSpec(model, serving({ queuedRowsMax: 50 }), 2);
    await eventually('the new limit is in force', async () => (await ask(6))?.status === 200);
    expect(await ask(51)).toMatchObject({ status: 400, body: { error: expect.stringContaining('50') } });
  });

  it('are the time that a request has when it names none', async () => {
    await ring.announceSpec(model, serving({ deadlineMs: 0.000_001 }));
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    gateway = await openGateway(ring);
    expect(await ask(1)).toMatchObject({ status: 503, body: { code: 'DEADLINE_EXCEEDED' } });
    expect(await gateway.call('POST', `/v1/models/${model}/predict`, rows(1, { timeoutMs: 60_000 }))).toMatchObject({ status: 200 });
  });

  it('a spec that says nothing of them loads nothing anew', async () => {
    await ring.announceSpec(model);
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    gateway = await openGateway(ring);
    const stats = async () => ((await gateway?.call('GET', `/v2/models/${model}/stats`))?.body['model_stats'] as { inference_count: number }[])[0]?.inference_count;
    await ask(3);
    await ring.announceSpec(model, { features: [{ name: 'distance', type: 'number' }, { name: 'carrier', type: 'category' }, { name: 'wind', type: 'number' }] }, 2);
    await eventually('the spec is known', async () => (await gateway?.call('GET', `/v1/models/${model}`))?.body['specRevision'] === 2);
    expect(await stats()).toBe(3);
  });
});

describe('a file that is no good', () => {
  const tensor = (name: string): OnnxValue => ({ name, type: 'FP32', shape: [1] });
  const oneNode = (op: string, inputs: string[], floats?: string): Buffer =>
    writeOnnx({ inputs: [tensor('x')], outputs: [tensor('y')], nodes: [{ op, inputs, outputs: ['y'] }], constants: floats === undefined ? [] : [{ name: 'w', shape: [1], floats }] });
  const stored = async (version: string, bytes: Uint8Array): Promise<RouteTarget> => ({ version, artifact: await ring.storage.artifacts.put(bytes), signature });

  const withoutCarrier = logisticModel({ numbers: { distance: { weight: 1, impute: 0 } }, categories: {}, intercept: 0 });
  it.each([
    ['is no ONNX', Buffer.from('not a model'), /no ONNX file/],
    ['is cut short', oneNode('Identity', ['x']).subarray(0, 40), /no ONNX file, or a part of it is missing/],
    ['has an operator that the runtime does not know', oneNode('Frobnicate', ['x']), /does not know its operator Frobnicate/],
    ['keeps its weights in another file', oneNode('Add', ['x', 'w'], 'weights.bin'), /weights in the file weights\.bin, which is not there/],
    ['has other inputs than its signature says', withoutCarrier, /input carrier is not in the file/],
    ['crashes the process that loads it', crashingFile(), /was lost: it died of SIGFPE/],
  ])('%s: it is refused with the reason, and the old version keeps serving', async (_what, bytes, reason) => {
    await ring.announceSpec();
    await ring.announceRoute({ champion: await ring.target('v1', 0) });
    gateway = await openGateway(ring);
    await ring.announceRoute({ champion: await stored('v2', bytes) });
    const problem = await eventually('the problem is told', async () => (await gateway?.call('GET', `/v1/models/${model}`))?.body['problem']);
    expect(problem).toMatch(reason);
    expect(problem).toMatch(/revision 2 cannot be loaded; revision 1 stays in force/);
    const { body, status } = (await ask(1)) ?? {};
    expect([status, (body?.['predictions'] as { version: string }[])[0]?.version]).toEqual([200, 'v1']);
    const health = await gateway.call('GET', '/health/ready');
    expect(health).toMatchObject({ status: 200, body: { ready: true, notes: { routes: expect.stringMatching(reason) } } });
  });

  it('is refused before a first version, too, and a good route after it is taken', async () => {
    await ring.announceSpec();
    await ring.announceRoute({ champion: await stored('v1', Buffer.from('not a model')) });
    gateway = await openGateway(ring);
    expect(await ask(1)).toMatchObject({ status: 503, body: { code: 'MODEL_NOT_READY', error: expect.stringMatching(/no ONNX file/) } });
    await ring.announceRoute({ champion: await ring.target('v2', 0) });
    await eventually('the good one answers', async () => (await ask(1))?.status === 200);
  });
});
