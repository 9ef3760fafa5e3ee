import { casesOf, expectEqual, expectThat } from '../case.js';
import { expectRefusal, isJson, jsonOf, type Server } from '../server.js';

const { cases, accepts, refuses } = casesOf('health');
export const healthCases = cases;

/** Some clients look at the status only; KServe's reads the member, so that an empty body is no answer to it. */
async function isHealthy(server: Server, path: string, member: string): Promise<void> {
  const reply = await server.ask({ path });
  expectEqual('status', reply.status, 200);
  if (reply.body.length === 0) return;
  const body = jsonOf(reply, 200);
  expectThat(isJson(body) && body[member] === true, `"${member}": true`, body);
}

accepts('live', 'rest: Health', (server) => isHealthy(server, '/v2/health/live', 'live'));
accepts('ready', 'rest: Health', (server) => isHealthy(server, '/v2/health/ready', 'ready'));
accepts('live as KServe’s client reads it', 'clients: kserve InferenceRESTClient.is_server_live', async (server) => {
  const body = await server.read('/v2/health/live');
  expectThat(isJson(body) && body['live'] === true, '"live": true', body);
});
accepts('ready as KServe’s client reads it', 'clients: kserve InferenceRESTClient.is_server_ready', async (server) => {
  const body = await server.read('/v2/health/ready');
  expectThat(isJson(body) && body['ready'] === true, '"ready": true', body);
});
accepts('HEAD of live has no body', 'HTTP: HEAD', async (server) => {
  const reply = await server.ask({ method: 'HEAD', path: '/v2/health/live' });
  expectEqual('status and bytes', [reply.status, reply.body.length], [200, 0]);
});
accepts('a model is ready', 'rest: Health', (server) => isHealthy(server, '/v2/models/simple/ready', 'ready'));
accepts('a version is ready', 'rest: Health', (server) => isHealthy(server, '/v2/models/two_versions/versions/2/ready', 'ready'));
accepts('a query after the path changes nothing', 'HTTP: query', (server) => isHealthy(server, '/v2/health/ready?verbose=1', 'ready'));

refuses('ready of a model that is not there', 'rest: Health', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/no_such_model/ready' })));
refuses('ready of a version that is not there', 'rest: Health', async (server) => void expectRefusal(await server.ask({ path: '/v2/models/simple/versions/99/ready' })));
refuses('POST to live', 'HTTP: methods', async (server) => void expectRefusal(await server.post('/v2/health/live', {})));
refuses('DELETE of a model’s readiness', 'HTTP: methods', async (server) => void expectRefusal(await server.ask({ method: 'DELETE', path: '/v2/models/simple/ready' })));
