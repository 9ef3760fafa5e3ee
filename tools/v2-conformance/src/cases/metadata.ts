import { casesOf, expectEqual, expectThat } from '../case.js';
import { expectRefusal, isJson, type Json, type Server } from '../server.js';

const { cases, accepts, refuses } = casesOf('metadata');
export const metadataCases = cases;

async function objectAt(server: Server, path: string): Promise<Json> {
  const value = await server.read(path);
  expectThat(isJson(value), 'a JSON object', value);
  return value;
}

function expectServerMetadata(value: Json): void {
  expectThat(typeof value['name'] === 'string' && typeof value['version'] === 'string', 'name and version as texts', value);
  const { extensions } = value;
  expectThat(Array.isArray(extensions) && extensions.every((each) => typeof each === 'string'), 'extensions as a list of texts', extensions);
}

const plainTensors = (value: unknown): unknown => (Array.isArray(value) ? value.map((item: unknown) => (isJson(item) ? [item['name'], item['datatype'], item['shape']] : item)) : value);

accepts('of the server', 'rest: Server Metadata', async (server) => expectServerMetadata(await objectAt(server, '/v2')));
accepts('of the server with a slash at the end', 'rest: Server Metadata', async (server) => expectServerMetadata(await objectAt(server, '/v2/')));
accepts('of a model', 'rest: Model Metadata', async (server) => {
  const { name, platform } = await objectAt(server, '/v2/models/simple');
  expectEqual('name', name, 'simple');
  expectThat(typeof platform === 'string' && platform !== '', 'a platform', platform);
});
accepts('of a model’s inputs and outputs', 'rest: Model Metadata', async (server) => {
  const { inputs, outputs } = await objectAt(server, '/v2/models/simple');
  expectEqual('inputs', plainTensors(inputs), [['INPUT0', 'INT32', [1, 16]], ['INPUT1', 'INT32', [1, 16]]]);
  expectEqual('outputs', plainTensors(outputs), [['OUTPUT0', 'INT32', [1, 16]], ['OUTPUT1', 'INT32', [1, 16]]]);
});
accepts('has -1 for variable dimensions', 'rest: Model Metadata', async (server) => {
  const { inputs } = await objectAt(server, '/v2/models/simple_batch');
  expectEqual('inputs', plainTensors(inputs), [['INPUT0', 'INT32', [-1, 16]], ['INPUT1', 'INT32', [-1, 16]]]);
});
accepts('calls text tensors BYTES', 'rest: Tensor Data Types', async (server) => {
  const { inputs } = await objectAt(server, '/v2/models/simple_string');
  expectEqual('inputs', plainTensors(inputs), [['INPUT0', 'BYTES', [1, 16]], ['INPUT1', 'BYTES', [1, 16]]]);
});
accepts('of a version', 'rest: Model Metadata', async (server) => expectEqual('name', (await objectAt(server, '/v2/models/two_versions/versions/2'))['name'], 'two_versions'));
accepts('of a name in percent encoding', 'HTTP: percent encoding', async (server) => expectEqual('name', (await objectAt(server, '/v2/models/%73imple'))['name'], 'simple'));
accepts('HEAD has no body', 'HTTP: HEAD', async (server) => {
  const reply = await server.ask({ method: 'HEAD', path: '/v2/models/simple' });
  expectEqual('status and bytes', [reply.status, reply.body.length], [200, 0]);
});

refuses('of a model that is not there', 'rest: Model Metadata', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/no_such_model' }), [404, 400]));
refuses('of a version that is not there', 'rest: Model Metadata', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/simple/versions/99' }), [404, 400]));
refuses('of a model named __proto__', 'rest: Model Metadata', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/__proto__' }), [404, 400]));
refuses('of a name that leaves the folder', 'HTTP: percent encoding', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/..%2F..%2Fetc' }), [404, 400]));
refuses('of a name in broken percent encoding', 'HTTP: percent encoding', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/%zz' }), [404, 400]));
refuses('POST to a model', 'HTTP: methods', async (server) => void expectRefusal(await server.post('/v2/models/simple', {})));
refuses('a place that the protocol does not have', 'HTTP: unknown path', async (server) => void expectRefusal(await server.ask({ path: '/v2/nothing/here' }), [404, 400]));
