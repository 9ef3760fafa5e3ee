import { casesOf, expectEqual, expectThat } from '../case.js';
import { expectRefusal, isJson, type Json, type Server } from '../server.js';
import { identityRequest, simpleRequest } from './requests.js';

const { cases, accepts, refuses } = casesOf('statistics');
export const statisticsCases = cases;
const needs = { needs: 'statistics' };

async function statistics(server: Server, path: string): Promise<readonly Json[]> {
  const value = await server.read(path);
  const list = isJson(value) ? value['model_stats'] : undefined;
  expectThat(Array.isArray(list) && list.every(isJson), 'model_stats as a list of objects', value);
  return list;
}

async function only(server: Server, path: string): Promise<Json> {
  const list = await statistics(server, path);
  expectEqual('entries', list.length, 1);
  return list[0] ?? {};
}

const isDuration = (value: unknown): boolean => isJson(value) && typeof value['count'] === 'number' && typeof value['ns'] === 'number';
const countOf = (entry: Json, member: string): number => {
  const inner = isJson(entry['inference_stats']) ? entry['inference_stats'][member] : undefined;
  return isJson(inner) ? Number(inner['count']) : NaN;
};

accepts('of all models', 'statistics: Statistics', async (server) => {
  const names = (await statistics(server, '/v2/models/stats')).map(({ name }) => name);
  for (const name of ['simple', 'two_versions', 'identity_fp32']) expectThat(names.includes(name), `an entry for ${name}`, names);
}, needs);
accepts('of a model, one entry per version', 'statistics: Statistics', async (server) => expectEqual('versions', (await statistics(server, '/v2/models/two_versions/stats')).map(({ version }) => version).sort(), ['1', '2']), needs);
accepts('of a version', 'statistics: Statistics', async (server) => expectEqual('version', (await only(server, '/v2/models/two_versions/versions/1/stats'))['version'], '1'), needs);
accepts('have their members', 'statistics: Statistics Response JSON Object', async (server) => {
  const entry = await only(server, '/v2/models/simple/stats');
  for (const member of ['last_inference', 'inference_count', 'execution_count']) expectThat(typeof entry[member] === 'number', `${member} as a number`, entry[member]);
  const durations = isJson(entry['inference_stats']) ? entry['inference_stats'] : {};
  for (const member of ['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output']) expectThat(isDuration(durations[member]), `${member} with count and ns`, durations[member]);
  expectThat(Array.isArray(entry['batch_stats']), 'batch_stats as a list', entry['batch_stats']);
}, needs);
accepts('count requests and runs', 'statistics: Statistics Response JSON Object', async (server) => {
  const before = await only(server, '/v2/models/simple/stats');
  for (let at = 0; at < 3; at += 1) await server.infer('simple', simpleRequest());
  const after = await only(server, '/v2/models/simple/stats');
  expectEqual('more requests that succeeded', countOf(after, 'success') - countOf(before, 'success'), 3);
  expectEqual('more inferences and executions', [Number(after['inference_count']) - Number(before['inference_count']), Number(after['execution_count']) - Number(before['execution_count'])], [3, 3]);
  expectThat(Number(after['last_inference']) > 1e12, 'last_inference in ms since the epoch', after['last_inference']);
}, needs);
accepts('count the rows of a batch', 'statistics: inference_count', async (server) => {
  const path = '/v2/models/two_versions/versions/2/stats';
  const before = await only(server, path);
  const reply = await server.post('/v2/models/two_versions/versions/2/infer', identityRequest('FP32', [5, 1], [1, 2, 3, 4, 5]));
  expectEqual('status', reply.status, 200);
  const after = await only(server, path);
  // A server that does not know of batches counts one.
  const more = Number(after['inference_count']) - Number(before['inference_count']);
  expectThat(more === 5 || more === 1, 'inference_count + 5, or + 1 without batches', more);
  expectEqual('execution_count', Number(after['execution_count']) - Number(before['execution_count']), 1);
}, needs);
accepts('batch statistics add up to the executions', 'statistics: batch_stats', async (server) => {
  await server.infer('simple', simpleRequest());
  const entry = await only(server, '/v2/models/simple/stats');
  const batches = entry['batch_stats'] as readonly Json[];
  const runs = batches.map((batch) => Number(isJson(batch['compute_infer']) ? batch['compute_infer']['count'] : NaN));
  expectEqual('runs over all batch sizes', runs.reduce((sum, each) => sum + each, 0), Number(entry['execution_count']));
}, needs);
accepts('a refused request is no success', 'statistics: fail', async (server) => {
  const before = await only(server, '/v2/models/simple/stats');
  expectRefusal(await server.inferReply('simple', { inputs: [] }), [400]);
  expectEqual('success', countOf(await only(server, '/v2/models/simple/stats'), 'success'), countOf(before, 'success'));
}, needs);

refuses('of a model that is not there', 'statistics: Statistics Response JSON Error Object', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/no_such_model/stats' }), [404, 400]), needs);
refuses('of a version that is not there', 'statistics: Statistics Response JSON Error Object', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/simple/versions/99/stats' }), [404, 400]), needs);
refuses('POST to the statistics', 'HTTP: methods', async (server) => void expectRefusal(await server.post('/v2/models/stats', {})), needs);
