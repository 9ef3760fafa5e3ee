/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: a folder of models is a server: newest version by default, others by name, what cannot be loaded takes nothing else
//   away, and HTTP behaves as stock clients need it. What the protocol demands in detail is the conformance suite’s.
// Method: the whole server on a free port, real files, real ONNX models whose answers follow from a closed form.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { batchSumModel, logisticModel } from '@millrace/model-runtime/testing';
import { eventually } from '@millrace/testing';
import { startStandalone, type StandaloneOptions, type StandaloneServer } from './standalone-server.js';
import { compareVersions } from './version-order.js';

let folder: string;
let server: StandaloneServer | undefined;

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'models-'))));
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** P = 1 / (1 + exp(-(intercept + 0.5·distance))). */
const logistic = (intercept: number): Buffer => logisticModel({ numbers: { distance: { weight: 0.5, impute: 0 } }, categories: {}, intercept });
const probability = (intercept: number, distance: number): number => 1 / (1 + Math.exp(-(intercept + 0.5 * distance)));

function put(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
async function start(options: Partial<StandaloneOptions> = {}): Promise<string> {
  server = await startStandalone({ folder, host: '127.0.0.1', port: 0, repositoryControl: true, bodyBytesMax: 1_048_576, watchMs: 0, drainMs: 0, ...options }, silent);
  return server.url;
}

async function ask(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const answer = await fetch(`${server?.url ?? ''}${path}`, body === undefined ? { headers } : { method: 'POST', body: raw, headers });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
}
const predict = (distance: number, model = 'late') => ask(`/v1/models/${model}/predict`, { instances: [{ id: 'a', features: { distance } }] });
const predictionOf = (answer: { body: Record<string, unknown> }) => (answer.body['predictions'] as { version: string; probability: number; value: number; fallback?: string }[])[0];
const tensor = (distance: number) => ({ inputs: [{ name: 'distance', shape: [1, 1], datatype: 'FP32', data: [distance] }] });

describe('versions', () => {
  it('are ordered as numbers and as semver.org §11 has it', () => {
    const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '2', '2.1.1', '10'];
    expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
  });

  it('the newest answers, and each other who is named', async () => {
    for (const [version, intercept] of [['2', 0.2], ['10', 1], ['9', 0.9]] as const) put(`late/${version}/model.onnx`, logistic(intercept));
    await start();
    expect(predictionOf(await predict(1))).toMatchObject({ version: '10', probability: expect.closeTo(probability(1, 1), 5) });
    const named = await ask('/v2/models/late/versions/2/infer', tensor(1));
    expect(named.body).toMatchObject({ model_name: 'late', model_version: '2' });
    expect((named.body['outputs'] as { data: number[] }[])[1]?.data[1]).toBeCloseTo(probability(0.2, 1), 5);
    expect(await ask('/v2/models/late/versions/3/infer', tensor(1))).toMatchObject({ status: 404 });
  });

  it('one that cannot be loaded leaves the one before it in service, and the index says why', async () => {
    put('late/1/model.onnx', logistic(0));
    put('late/2/model.onnx', 'no model');
    put('broken/1/model.onnx', 'no model either');
    await start();
    expect(predictionOf(await predict(1))).toMatchObject({ version: '1' });
    const index = (await ask('/v2/repository/index', {})).body as unknown as { name: string; version: string; state: string; reason: string }[];
    expect(index.find(({ name, version }) => name === 'late' && version === '2')).toMatchObject({ state: 'UNAVAILABLE', reason: expect.stringContaining('no ONNX file') });
    expect(await predict(1, 'broken')).toMatchObject({ status: 503, body: { code: 'MODEL_NOT_READY', error: expect.stringContaining('no ONNX file') } });
  });

  it('a file larger than any ONNX file is refused by its size, without being read', async () => {
    put('late/1/model.onnx', logistic(0));
    put('late/2/model.onnx', '');
    truncateSync(join(folder, 'late/2/model.onnx'), 3 * 2 ** 30);
    await start();
    expect(predictionOf(await predict(1))).toMatchObject({ version: '1' });
    const index = (await ask('/v2/repository/index', {})).body as unknown as { version: string; reason: string }[];
    expect(index.find(({ version }) => version === '2')?.reason).toContain('at most 2147483647');
  });

  it('a folder without models is refused with what was expected', async () => {
    await expect(start()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('<name>/<version>/model.onnx') });
  });
});

describe('repository', () => {
  it('loads what has come, unloads, and loads again', async () => {
    put('late/1/model.onnx', logistic(0));
    await start();
    put('late/2/model.onnx', logistic(1));
    expect(predictionOf(await predict(1))).toMatchObject({ version: '1' });
    expect((await ask('/v2/repository/models/late/load', '')).status).toBe(200);
    expect(predictionOf(await predict(1))).toMatchObject({ version: '2' });
    expect((await ask('/v2/repository/models/late/unload', '')).status).toBe(200);
    expect(await predict(1)).toMatchObject({ status: 503 });
    await ask('/v2/repository/models/late/load', '');
    expect(predictionOf(await predict(1))).toMatchObject({ version: '2' });
    expect(await ask('/v2/repository/models/..%2F..%2Fetc/load', '')).toMatchObject({ status: 404 });
  });

  it('is closed unless it was opened', async () => {
    put('late/1/model.onnx', logistic(0));
    await start({ repositoryControl: false });
    expect(await ask('/v2/repository/models/late/unload', '')).toMatchObject({ status: 501, body: { error: expect.stringContaining('--repository-control') } });
    expect((await ask('/v2/repository/index', '')).status).toBe(200);
  });

  it('watches the folder when told to, also for a file that is replaced', async () => {
    put('late/1/model.onnx', logistic(0));
    await start({ watchMs: 20 });
    put('late/1/model.onnx', logistic(12.25));
    await eventually('the new file answers', async () => (predictionOf(await predict(1))?.probability ?? 0) > 0.99);
  });
});

describe('model.yaml', () => {
  it('says what the outputs mean and how the columns of one tensor are called', async () => {
    put('sum/1/model.onnx', batchSumModel());
    put('late/1/model.onnx', logistic(0));
    put('late/model.yaml', 'task: binary\nclasses: [on-time, late]\npositive: late\n');
    await start();
    expect(predictionOf(await predict(1))).toMatchObject({ label: 'late' });
    expect(await ask('/v1/models/late')).toMatchObject({ body: { classes: ['on-time', 'late'], features: [{ name: 'distance', type: 'number' }] } });
  });

  it('with a mistake keeps the version out, with the place of the mistake', async () => {
    put('late/1/model.onnx', logistic(0));
    put('late/1/model.yaml', 'serving: {batching: {rowsMax: none}}\n');
    await start();
    expect(await predict(1)).toMatchObject({ status: 503, body: { error: expect.stringContaining('/serving/batching/rowsMax') } });
  });
});

describe('http', () => {
  beforeEach(async () => {
    put('late/1/model.onnx', logistic(0));
    await start();
  });

  it.each(['gzip', 'deflate'])('answers %s when nothing else is asked for, and errors as they are', async (coding) => {
    const answer = await fetch(`${server?.url ?? ''}/v2/models/late/infer`, { method: 'POST', body: JSON.stringify(tensor(1)), headers: { 'accept-encoding': coding } });
    expect(answer.headers.get('content-encoding')).toBe(coding);
    expect(await answer.json()).toMatchObject({ model_name: 'late' });
    const failure = await fetch(`${server?.url ?? ''}/v2/models/nobody/infer`, { method: 'POST', body: '{}', headers: { 'accept-encoding': coding } });
    expect(failure.headers.get('content-encoding')).toBeNull();
  });

  it.each(['gzip', 'deflate, gzip;q=0', 'br, gzip'])('answers %s with many rows as it was asked, and byte for byte', async (coding) => {
    const body = JSON.stringify({ instances: Array.from({ length: 2_000 }, (_, index) => ({ id: `r${index}`, features: { distance: index } })) });
    const answer = await fetch(`${server?.url ?? ''}/v1/models/late/predict`, { method: 'POST', body, headers: { 'accept-encoding': coding } });
    expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, coding.startsWith('deflate') ? 'deflate' : 'gzip']);
    const { predictions } = (await answer.json()) as { predictions: { id: string; probability: number }[] };
    expect(predictions).toHaveLength(2_000);
    predictions.forEach(({ id, probability: p }, index) => expect([id, p]).toEqual([`r${index}`, expect.closeTo(probability(0, index), 5)]));
  });

  it('reads compressed bodies, and refuses what is none, is of another coding, or inflates beyond the limit', async () => {
    expect((await ask('/v2/models/late/infer', gzipSync(JSON.stringify(tensor(1))), { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(await ask('/v2/models/late/infer', 'plain', { 'content-encoding': 'gzip' })).toMatchObject({ status: 400, body: { error: expect.stringContaining('no gzip') } });
    expect((await ask('/v2/models/late/infer', 'x', { 'content-encoding': 'sdch' })).status).toBe(400);
    expect((await ask('/v2/models/late/infer', gzipSync(Buffer.alloc(2_000_000, 32)), { 'content-encoding': 'gzip' })).status).toBe(413);
  });

  it.each(['nonsense', 'text/', ';', 'application/json; charset=latin1'])('reads a body as what the place takes, though its content type is %s', async (type) => {
    for (const path of ['/v2/models/late/infer', '/v2/models/late/infer?past=the-lane']) expect((await ask(path, tensor(1), { 'content-type': type })).status).toBe(200);
  });

  it('tells wrong methods and places in the protocol’s own shape', async () => {
    const wrong = await fetch(`${server?.url ?? ''}/v2/models/late/infer`);
    expect([wrong.status, wrong.headers.get('allow'), wrong.headers.get('content-type')]).toEqual([405, 'POST', 'application/json']);
    expect(await ask('/v2/nowhere')).toMatchObject({ status: 404, body: { error: expect.any(String) } });
    const head = await fetch(`${server?.url ?? ''}/v2/models/late`, { method: 'HEAD' });
    expect(head.status).toBe(200);
  });

  it('has a page and an OpenAPI document per model', async () => {
    const page = await (await fetch(`${server?.url ?? ''}/v1/models/late/docs`)).text();
    expect(page).toContain(`curl -s ${server?.url ?? ''}/v1/models/late/predict`);
    const document = await ask('/v1/models/late/openapi.json');
    expect(document.body).toMatchObject({ openapi: '3.0.3', paths: { '/v1/models/late/predict': { post: {} }, '/v2/models/late/infer': { post: {} } } });
  });

  it('tells keep-alive clients to move on while it drains, and answers them still', async () => {
    const url = server?.url ?? '';
    await server?.stop();
    server = undefined;
    await start({ drainMs: 300 });
    expect(url).not.toBe('');
    const stopping = server as unknown as StandaloneServer;
    const stopped = stopping.stop();
    const answer = await ask('/v2/models/late/infer', tensor(1));
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect((await ask('/v2/health/ready')).status).toBe(503);
    await stopped;
    server = undefined;
  });
});
