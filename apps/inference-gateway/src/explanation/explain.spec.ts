/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: the gateway says which features made an answer, rightly, with refusals that name their place, and never at the cost
//   of a prediction.
// Method: the whole server on a free port. A logistic regression, whose Shapley values are weight · (value − mean of the
//   background); models explained in Python by the shap package (libs/core/fixtures/tree-shap.py); explanations too large for
//   their time, beside predictions that must be answered meanwhile.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExplainResponse, ModelSignature } from '@millrace/contracts';
import { identityModel, logisticModel } from '@millrace/model-runtime/testing';
import { eventually } from '@millrace/testing';
import { model as routed, openGateway, Ring } from '../gateway.fixture.js';
import { startStandalone, type StandaloneServer } from '../standalone/standalone-server.js';
import { ExplainerThread } from './explainer-thread.js';

interface Frozen {
  readonly name: string;
  readonly onnx: string;
  readonly signature: ModelSignature;
  readonly rows: readonly Record<string, unknown>[];
  readonly values: readonly (readonly (readonly number[])[])[];
}
const frozen = (JSON.parse(readFileSync(join(import.meta.dirname, '../../../../libs/core/fixtures/tree-shap.json'), 'utf8')) as { models: Frozen[] }).models;

let folder: string;
let server: StandaloneServer | undefined;

function put(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

const weights = { distance: { weight: 2, impute: 0.5 }, load: { weight: -1, impute: 0.25 } };
const logistic = (intercept: number): Buffer => logisticModel({ numbers: weights, categories: { carrier: { AA: 1, UA: -1 } }, intercept });
/** Sampled orders over 40 features: ten thousand runs for each row. */
const wide = logisticModel({ numbers: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x${index}`, { weight: index / 40, impute: 0 }])), categories: {}, intercept: 0 });
const wideRow = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x${index}`, 1]));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'explained-'));
  put('late/1/model.onnx', logistic(0.1));
  put('wide/1/model.onnx', wide);
  put('same/1/model.onnx', identityModel('INT32'));
  put('trees/1/model.onnx', Buffer.from(frozen[0]?.onnx ?? '', 'base64'));
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  server = await startStandalone({ folder, host: '127.0.0.1', port: 0, repositoryControl: true, bodyBytesMax: 1_048_576, watchMs: 0, drainMs: 0 }, log);
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

type Answer<B> = { readonly status: number; readonly retryAfter: string | null; readonly body: B };
async function post<B = Record<string, unknown>>(path: string, body: unknown): Promise<Answer<B>> {
  const answer = await fetch(`${server?.url ?? ''}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: (await answer.json()) as B };
}
const explain = (model: string, rows: readonly object[], more: object = {}) => post<ExplainResponse & Record<string, unknown>>(`/v1/models/${model}/explain`, { instances: rows.map((features) => ({ features })), ...more });
const partsOf = ({ body }: Answer<ExplainResponse>, row = 0) => Object.fromEntries((body.explanations[row]?.contributions ?? []).map(({ feature, contribution }) => [feature, contribution]));
const row = { distance: 2, load: null, carrier: 'UA' };

describe('explanations', () => {
  it('of a logistic regression, against background rows that come with the request', async () => {
    const background = [{ distance: 1, load: 0, carrier: 'AA' }, { distance: 3, load: 1, carrier: 'UA' }, { distance: -1, load: 2, carrier: 'AA' }];
    const answer = await explain('late', [row, { ...row, distance: 1 }], { background: background.map((features) => ({ features })) });
    expect(answer).toMatchObject({ status: 200, body: { model: 'late', version: '1', method: 'permutation', against: '3 background rows', because: 'the model has no trees' } });
    const expected = { distance: 2 * (2 - 1), load: -1 * (0.25 - 1), carrier: -1 - 1 / 3 };
    for (const [feature, part] of Object.entries(expected)) expect(partsOf(answer)[feature]).toBeCloseTo(part, 5);
    expect(partsOf(answer, 1)['distance']).toBeCloseTo(0, 5);
    expect(answer.body.explanations[0]).toMatchObject({ unit: 'log-odds', class: '1', output: expect.closeTo(0.1 + 4 - 0.25 - 1, 5), base: expect.closeTo(0.1 + 2 - 1 + 1 / 3, 5) });
  });

  it('of the same model against nothing known, after one against a background: each has its own', async () => {
    await explain('late', [row], { background: [{ features: row }] });
    const answer = await explain('late', [{ distance: 2, load: 1, carrier: 'AA' }]);
    for (const [feature, part] of Object.entries({ distance: 3, load: -0.75, carrier: 1 })) expect(partsOf(answer)[feature]).toBeCloseTo(part, 5);
  });

  it('of trees are those of the shap package', async () => {
    const trained = frozen[0];
    const answer = await explain('trees', trained?.rows ?? []);
    expect(answer.body).toMatchObject({ method: 'tree-path-dependent', because: null });
    expect(answer.body.explanations).toHaveLength(trained?.rows.length ?? -1);
    answer.body.explanations.forEach(({ contributions, base, output }, index) => {
      contributions.slice(0, 2).forEach(({ contribution }, feature) => expect(contribution).toBeCloseTo(trained?.values[0]?.[index]?.[feature] ?? NaN, 5));
      expect(contributions.reduce((sum, { contribution }) => sum + contribution, base)).toBeCloseTo(output, 9);
    });
  });

  it('of the version that is named, of the class that is named', async () => {
    put('late/2/model.onnx', logistic(7));
    await post('/v2/repository/models/late/load', {});
    const [newest, named, other] = [await explain('late', [row]), await explain('late', [row], { version: '1' }), await explain('late', [row], { class: '0' })];
    expect([newest, named].map(({ body }) => [body.version, body.explanations[0]?.output])).toEqual([['2', expect.closeTo(9.75, 5)], ['1', expect.closeTo(2.85, 5)]]);
    expect(other.body.explanations[0]).toMatchObject({ class: '0', output: expect.closeTo(-9.75, 5) });
  });

  it('are those of the file in service, also after it was replaced under its name', async () => {
    expect((await explain('late', [row])).body.explanations[0]?.output).toBeCloseTo(2.85, 5);
    put('late/1/model.onnx', logistic(100.25));
    await post('/v2/repository/models/late/load', {});
    expect((await explain('late', [row])).body.explanations[0]?.output).toBeCloseTo(103, 4);
  });
});

describe('refusals', () => {
  it.each([
    ['a missing feature', 'late', { instances: [{ features: { ...row } }, { features: { distance: 1 } }] }, 400, 'FEATURE_MISSING', '/instances/1/features/'],
    ['a wrong type in the background', 'late', { instances: [{ features: row }], background: [{ features: { ...row, distance: 'far' } }] }, 400, 'FEATURE_TYPE', '/background/0/features/distance'],
    ['no instances', 'late', { instances: [] }, 400, 'REQUEST_INVALID', '/instances'],
    ['a class that the model does not have', 'late', { instances: [{ features: row }], class: 'maybe' }, 400, 'REQUEST_INVALID', 'no class maybe'],
    ['a version that is not in service', 'late', { instances: [{ features: row }], version: '9' }, 404, 'VERSION_UNKNOWN', '9'],
    ['a model that is not known', 'nobody', { instances: [{ features: row }] }, 404, 'MODEL_UNKNOWN', 'nobody'],
    ['a model without named features', 'same', { instances: [{ features: {} }] }, 422, 'EXPLANATION_UNAVAILABLE', 'no named features'],
  ])('%s', async (_what, model, body, status, code, says) => {
    expect(await post(`/v1/models/${model}/explain`, body)).toMatchObject({ status, body: { code, error: expect.stringContaining(says) } });
  });

  it('wrong methods, and no JSON', async () => {
    expect((await fetch(`${server?.url ?? ''}/v1/models/late/explain`)).status).toBe(405);
    expect((await fetch(`${server?.url ?? ''}/v1/models/late/explain`, { method: 'POST', body: '{"instances":' })).status).toBe(400);
  });
});

describe('beside predictions', () => {
  const predict = () => post('/v1/models/wide/predict', { instances: [{ features: wideRow }] });

  it('an explanation that outlasts its time is given up, and predictions of the same model are answered meanwhile', async () => {
    let given: unknown;
    const explained = explain('wide', Array.from({ length: 1_000 }, () => wideRow), { timeoutMs: 1_500 }).then((answer) => (given = answer));
    let answered = 0;
    while (given === undefined) {
      expect((await predict()).status).toBe(200);
      answered += 1;
    }
    await explained;
    expect(given).toMatchObject({ status: 503, retryAfter: '1', body: { code: 'DEADLINE_EXCEEDED' } });
    expect(answered).toBeGreaterThan(20);
    expect((await explain('wide', [wideRow], { timeoutMs: 60_000 })).status).toBe(200);
  });

  it('so many wait, and the next is refused at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => explain('late', [row])));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(16);
    expect(answers.find(({ status }) => status === 503)).toMatchObject({ retryAfter: '1', body: { code: 'MODEL_OVERLOADED' } });
  });
});

it('a thread that does not answer is ended, and the next question starts another', async () => {
  const reasons: string[] = [];
  const thread = new ExplainerThread((reason) => reasons.push(reason));
  const { signature, onnx } = frozen[0] as Frozen;
  const open = { kind: 'open', key: 'k', file: { name: 'trees', bytes: Buffer.from(onnx, 'base64'), signature } } as const;
  await expect(thread.ask(open, 0)).rejects.toMatchObject({ code: 'MODEL_WORKER_LOST', message: expect.stringContaining('more than 0 ms') });
  expect(reasons).toEqual([expect.stringContaining('more than 0 ms')]);
  expect(await thread.ask(open, 60_000)).toEqual({ kind: 'opened' });
  await thread.stop();
});

it('the model’s page and its OpenAPI document tell of it', async () => {
  const page = await (await fetch(`${server?.url ?? ''}/v1/models/late/docs`)).text();
  expect(page).toContain(`curl -s ${server?.url ?? ''}/v1/models/late/explain`);
  const document = (await (await fetch(`${server?.url ?? ''}/v1/models/late/openapi.json`)).json()) as { paths: Record<string, { post: { requestBody: { content: Record<string, { example: unknown }> } } }> };
  expect(Object.keys(document.paths)).toContain('/v1/models/late/explain');
  const example = document.paths['/v1/models/late/explain']?.post.requestBody.content['application/json']?.example;
  expect((await post('/v1/models/late/explain', example)).status).toBe(200);
});

it('in the ring: the routed champion explains, from the artifact store', async () => {
  const ring = await Ring.open();
  await ring.announceSpec();
  await ring.announceRoute({ champion: await ring.target('v1', 0.1) });
  const gateway = await openGateway(ring);
  const asked = () => gateway.call('POST', `/v1/models/${routed}/explain`, JSON.stringify({ instances: [{ features: { distance: 4, carrier: 'AA' } }] }));
  const first = await asked();
  expect(first).toMatchObject({ status: 200, body: { version: 'v1' } });
  // Against unknown values: a missing distance counts as 2, a missing carrier weighs 0.
  const { explanations: [only] } = first.body as unknown as ExplainResponse;
  expect(only?.contributions.map(({ contribution }) => contribution)).toEqual([expect.closeTo(0.5 * (4 - 2), 5), expect.closeTo(1, 5)]);
  await ring.announceRoute({ champion: await ring.target('v2', 3) });
  await eventually('the new champion explains', async () => ((await asked()).body as unknown as ExplainResponse).version === 'v2');
  expect(await ring.logged()).toEqual([]);
  await gateway.stop();
  ring.close();
});
