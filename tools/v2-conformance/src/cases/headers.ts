import { casesOf, expectEqual } from '../case.js';
import type { Reply } from '../http-exchange.js';
import { answerOf, expectRefusal } from '../server.js';
import { counting, elementsOf, simpleRequest } from './requests.js';

const { cases, accepts, refuses } = casesOf('headers');
export const headerCases = cases;

const path = '/v2/models/simple/infer';
const body = JSON.stringify(simpleRequest());
const expectSum = (reply: Reply): void => expectEqual('OUTPUT0', elementsOf(answerOf(reply).outputs, 'OUTPUT0'), counting.map((value) => value + 1));

accepts('no Content-Type', 'clients: tritonclient sends none', async (server) => expectSum(await server.ask({ method: 'POST', path, body })));
for (const type of ['application/json', 'application/json; charset=utf-8', 'application/octet-stream', 'text/plain', 'application/x-www-form-urlencoded']) {
  accepts(`Content-Type ${type}`, 'HTTP: Content-Type', async (server) => expectSum(await server.ask({ method: 'POST', path, headers: { 'content-type': type }, body })));
}
accepts('a body in chunks', 'HTTP: Transfer-Encoding', async (server) => {
  const bytes = Buffer.from(body);
  expectSum(await server.ask({ method: 'POST', path, body: [bytes.subarray(0, 7), bytes.subarray(7, 100), bytes.subarray(100)] }));
});
accepts('Accept of anything', 'HTTP: Accept', async (server) => expectSum(await server.ask({ method: 'POST', path, headers: { accept: '*/*' }, body })));
accepts('headers that nobody knows', 'HTTP: headers', async (server) => expectSum(await server.ask({ method: 'POST', path, headers: { 'x-request-id': 'abc', traceparent: 'not a trace' }, body })));
accepts('answers with their exact length', 'HTTP: Content-Length', async (server) => {
  const reply = await server.ask({ method: 'POST', path, body });
  expectEqual('content-length', Number(reply.headers['content-length']), reply.body.length);
});
accepts('100 requests on few connections', 'HTTP: keep-alive', async (server) => {
  for (const reply of await Promise.all(Array.from({ length: 100 }, () => server.ask({ method: 'POST', path, body })))) expectSum(reply);
});

for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
  refuses(`${method} of infer`, 'HTTP: methods', async (server) => void expectRefusal(await server.ask({ method, path, ...(method === 'GET' ? {} : { body }) })));
}
refuses('HEAD of infer', 'HTTP: methods', async (server) => {
  const reply = await server.ask({ method: 'HEAD', path });
  expectEqual('class of the status and bytes', [Math.floor(reply.status / 100), reply.body.length], [4, 0]);
});
refuses('an error has its exact length and no coding', 'HTTP: Content-Length', async (server) => {
  const reply = await server.ask({ method: 'POST', path, body: '{}' });
  expectRefusal(reply);
  expectEqual('content-length', Number(reply.headers['content-length']), reply.body.length);
});
