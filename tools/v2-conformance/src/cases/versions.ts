import { casesOf, expectEqual } from '../case.js';
import { answerOf, expectRefusal, isJson, type Answer, type Server } from '../server.js';
import { elementsOf, identityRequest } from './requests.js';

const { cases, accepts, refuses } = casesOf('versions');
export const versionCases = cases;

/** Version 1 adds 1, version 2 adds 2. */
const message = { id: 'v', ...identityRequest('FP32', [2, 1], [10, 20]) };
const ask = async (server: Server, version: string): Promise<Answer> => answerOf(await server.post(`/v2/models/two_versions/versions/${version}/infer`, message));

for (const version of [1, 2]) {
  accepts(`version ${version} answers for itself`, 'rest: Inference', async (server) => expectEqual('OUTPUT0', elementsOf((await ask(server, String(version))).outputs, 'OUTPUT0'), [10 + version, 20 + version]));
  accepts(`version ${version} says which it is`, 'rest: Inference Response JSON Object', async (server) => expectEqual('model_version', (await ask(server, String(version))).message['model_version'], String(version)));
}
accepts('the newest answers when none is named', 'rest: Inference', async (server) => expectEqual('OUTPUT0', elementsOf((await server.infer('two_versions', message)).outputs, 'OUTPUT0'), [12, 22]));
accepts('metadata lists both', 'rest: Model Metadata', async (server) => {
  const value = await server.read('/v2/models/two_versions');
  const versions = isJson(value) ? value['versions'] : undefined;
  expectEqual('versions', Array.isArray(versions) ? [...(versions as unknown[])].sort() : versions, ['1', '2']);
});
accepts('requests of both at once stay apart', 'rest: Inference', async (server) => {
  const asked = Array.from({ length: 40 }, (_, at) => (at % 2) + 1);
  const answers = await Promise.all(asked.map((version) => ask(server, String(version))));
  expectEqual('first elements', answers.map(({ outputs }) => elementsOf(outputs, 'OUTPUT0')[0]), asked.map((version) => 10 + version));
});

for (const version of ['3', '0', '-1', '1.5', 'latest', '%20', '99999999999999999999', '__proto__']) {
  refuses(`infer of version ${version}`, 'rest: Inference', async (server) => void expectRefusal(await server.post(`/v2/models/two_versions/versions/${version}/infer`, message), [404, 400]));
}
