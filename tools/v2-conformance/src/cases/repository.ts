import { casesOf, expectEqual, expectThat } from '../case.js';
import { expectRefusal, isJson, jsonOf, type Json, type Server } from '../server.js';
import { counting, elementsOf, simpleRequest } from './requests.js';

const { cases, accepts, refuses } = casesOf('repository');
export const repositoryCases = cases;
const needs = { needs: 'model_repository' };

async function index(server: Server, body: string): Promise<readonly Json[]> {
  const list = jsonOf(await server.post('/v2/repository/index', body), 200);
  expectThat(Array.isArray(list) && list.every(isJson), 'a list of objects', list);
  return list;
}

const isReady = (list: readonly Json[], name: string): boolean => list.some((entry) => entry['name'] === name && entry['state'] === 'READY');

accepts('the index has every model', 'model_repository: Index', async (server) => {
  const list = await index(server, '{}');
  for (const name of ['simple', 'two_versions', 'identity_bytes']) expectThat(isReady(list, name), `${name} READY`, list.filter((entry) => entry['name'] === name));
}, needs);
accepts('the index for an empty body', 'model_repository: Index', async (server) => expectThat(isReady(await index(server, ''), 'simple'), 'simple READY', 'no such entry'), needs);
accepts('the index of what is ready', 'model_repository: Index', async (server) => {
  const list = await index(server, '{"ready":true}');
  expectThat(list.length > 0 && list.every(({ state }) => state === 'READY'), 'only READY', list);
}, needs);
accepts('entries have name, version, state and reason', 'model_repository: Index', async (server) => {
  const entry = (await index(server, '{}')).find(({ name }) => name === 'simple');
  expectThat(entry !== undefined && [entry['version'], entry['state'], entry['reason']].every((each) => typeof each === 'string'), 'version, state and reason as texts', entry);
}, needs);
accepts('load of a model that is loaded', 'model_repository: Load', async (server) => {
  expectEqual('status', (await server.post('/v2/repository/models/simple_batch/load', '')).status, 200);
  await server.infer('simple_batch', simpleRequest());
}, needs);
accepts('load with empty parameters', 'model_repository: Load', async (server) => expectEqual('status', (await server.post('/v2/repository/models/simple_batch/load', { parameters: {} })).status, 200), needs);
accepts('unload, then load', 'model_repository: Unload', async (server) => {
  const name = 'row_max';
  const ask = () => server.inferReply(name, { inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
  expectEqual('status of unload', (await server.post(`/v2/repository/models/${name}/unload`, '')).status, 200);
  try {
    expectRefusal(await ask(), [400, 404, 503]);
    expectRefusal(await server.ask({ path: `/v2/models/${name}/ready` }), [400, 404, 503]);
    const list = await index(server, '{}');
    expectThat(!isReady(list, name), `${name} not READY`, list.filter((entry) => entry['name'] === name));
  } finally {
    expectEqual('status of load', (await server.post(`/v2/repository/models/${name}/load`, '')).status, 200);
  }
  expectEqual('status of infer afterwards', (await ask()).status, 200);
}, needs);
accepts('unload with unload_dependents', 'model_repository: Unload', async (server) => {
  const path = '/v2/repository/models/identity_line';
  expectEqual('status of unload', (await server.post(`${path}/unload`, { parameters: { unload_dependents: true } })).status, 200);
  expectEqual('status of load', (await server.post(`${path}/load`, '')).status, 200);
}, needs);
accepts('other models answer while one is loaded again', 'model_repository: Load', async (server) => {
  const loads = Array.from({ length: 3 }, () => server.post('/v2/repository/models/identity_int8/load', ''));
  for (const { outputs } of await Promise.all(Array.from({ length: 20 }, () => server.infer('simple', simpleRequest())))) expectEqual('OUTPUT0', elementsOf(outputs, 'OUTPUT0'), counting.map((value) => value + 1));
  expectEqual('status of each load', (await Promise.all(loads)).map(({ status }) => status), [200, 200, 200]);
}, needs);

refuses('load of a model that is not there', 'model_repository: Load', async (server) => void expectRefusal(await server.post('/v2/repository/models/no_such_model/load', '')), needs);
refuses('load of a name that leaves the folder', 'model_repository: Load', async (server) => void expectRefusal(await server.post('/v2/repository/models/..%2F..%2Ftmp/load', '')), needs);
refuses('load with a body that is no JSON', 'model_repository: Load', async (server) => void expectRefusal(await server.post('/v2/repository/models/simple/load', '{'), [400]), needs);
refuses('load with a config that is no JSON', 'model_repository: Load', async (server) => void expectRefusal(await server.post('/v2/repository/models/simple/load', { parameters: { config: '{' } })), needs);
refuses('unload with a body that is a list', 'model_repository: Unload', async (server) => void expectRefusal(await server.post('/v2/repository/models/identity_line/unload', '[]'), [400]), needs);
refuses('the index with a body that is no JSON', 'model_repository: Index', async (server) => void expectRefusal(await server.post('/v2/repository/index', '{'), [400]), needs);
refuses('the index with ready in words', 'model_repository: Index', async (server) => void expectRefusal(await server.post('/v2/repository/index', { ready: 'yes' }), [400]), needs);
refuses('GET of the index', 'HTTP: methods', async (server) => void expectRefusal(await server.ask({ path: '/v2/repository/index' })), needs);
