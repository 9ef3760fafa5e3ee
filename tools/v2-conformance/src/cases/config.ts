import { casesOf, expectEqual, expectThat } from '../case.js';
import { expectRefusal, isJson, type Json, type Server } from '../server.js';

const { cases, accepts, refuses } = casesOf('config');
export const configCases = cases;
const needs = { needs: 'model_configuration' };

async function config(server: Server, path: string): Promise<Json> {
  const value = await server.read(path);
  expectThat(isJson(value), 'a JSON object', value);
  return value;
}

const tensorsOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isJson) : []);

accepts('has name, platform or backend', 'model_configuration: Model Configuration', async (server) => {
  const { name, platform, backend } = await config(server, '/v2/models/simple/config');
  expectEqual('name', name, 'simple');
  expectThat(typeof (platform ?? backend) === 'string', 'platform or backend', { platform, backend });
}, needs);
accepts('has inputs and outputs with their types', 'model_configuration: Model Configuration', async (server) => {
  const { input, output } = await config(server, '/v2/models/simple/config');
  expectEqual('input', tensorsOf(input).map(({ name, data_type: type }) => [name, type]), [['INPUT0', 'TYPE_INT32'], ['INPUT1', 'TYPE_INT32']]);
  expectEqual('output', tensorsOf(output).map(({ name, data_type: type }) => [name, type]), [['OUTPUT0', 'TYPE_INT32'], ['OUTPUT1', 'TYPE_INT32']]);
}, needs);
accepts('calls texts TYPE_STRING', 'model_configuration: Model Configuration', async (server) => expectEqual('type', tensorsOf((await config(server, '/v2/models/simple_string/config'))['input'])[0]?.['data_type'], 'TYPE_STRING'), needs);
accepts('leaves the batch out of the dimensions where it makes batches', 'model_configuration: max_batch_size', async (server) => {
  const { max_batch_size: rowsMax, input } = await config(server, '/v2/models/simple_batch/config');
  expectThat(typeof rowsMax === 'number' && Number.isInteger(rowsMax) && rowsMax >= 0, 'max_batch_size as an integer >= 0', rowsMax);
  expectEqual('dims', tensorsOf(input)[0]?.['dims'], rowsMax > 0 ? [16] : [-1, 16]);
}, needs);
accepts('of a model of a fixed shape', 'model_configuration: max_batch_size', async (server) => {
  const { max_batch_size: rowsMax, input } = await config(server, '/v2/models/simple/config');
  expectEqual('dims', tensorsOf(input)[0]?.['dims'], Number(rowsMax) > 0 ? [16] : [1, 16]);
}, needs);
accepts('of a version', 'model_configuration: Model Configuration', async (server) => expectEqual('name', (await config(server, '/v2/models/two_versions/versions/1/config'))['name'], 'two_versions'), needs);

refuses('of a model that is not there', 'model_configuration: Model Configuration', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/no_such_model/config' }), [404, 400]), needs);
refuses('of a version that is not there', 'model_configuration: Model Configuration', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/simple/versions/99/config' }), [404, 400]), needs);
refuses('POST to a configuration', 'HTTP: methods', async (server) => void expectRefusal(await server.post('/v2/models/simple/config', {})), needs);
