import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { casesOf, expectEqual, Mismatch } from '../case.js';
import type { Reply } from '../http-exchange.js';
import { answerOf, expectRefusal, frame, type Answer } from '../server.js';
import { binaryRequest, counting, elementsOf, hexOf, simpleRequest } from './requests.js';

const { cases, accepts, refuses } = casesOf('compression');
export const compressionCases = cases;

const path = '/v2/models/simple/infer';
const json = Buffer.from(JSON.stringify(simpleRequest()));

/** The answer behind whatever coding the reply names. */
function decompressed(reply: Reply): Answer {
  const coding = reply.headers['content-encoding'];
  if (coding === undefined || coding === 'identity') return answerOf(reply);
  if (coding !== 'gzip' && coding !== 'deflate') throw new Mismatch('gzip, deflate or no coding', coding);
  return answerOf(reply, coding === 'gzip' ? gunzipSync(reply.body) : inflateSync(reply.body));
}

const expectSum = (reply: Reply): void => expectEqual('OUTPUT0', elementsOf(decompressed(reply).outputs, 'OUTPUT0'), counting.map((value) => value + 1));

const floats = Buffer.from(Float32Array.from({ length: 2_000 }, (_, at) => at / 7).buffer);
const large = frame({ message: { parameters: { binary_data_output: true }, ...binaryRequest('FP32', [1, 2_000], floats.length) }, bytes: floats });
const largeHeaders = { 'inference-header-content-length': String(large.headerLength) };

for (const [coding, compress] of [['gzip', gzipSync], ['deflate', deflateSync]] as const) {
  accepts(`a request in ${coding}`, 'clients: tritonclient request_compression_algorithm', async (server) => expectSum(await server.ask({ method: 'POST', path, headers: { 'content-encoding': coding }, body: compress(json) })));
  accepts(`an answer that may be ${coding}`, 'clients: tritonclient response_compression_algorithm', async (server) => expectSum(await server.ask({ method: 'POST', path, headers: { 'accept-encoding': coding }, body: json })));
  accepts(`a large binary answer that may be ${coding}`, 'clients: tritonclient response_compression_algorithm', async (server) => {
    const reply = await server.ask({ method: 'POST', path: '/v2/models/identity_fp32/infer', headers: { 'accept-encoding': coding, ...largeHeaders }, body: large.body });
    expectEqual('bytes', hexOf(decompressed(reply).outputs, 'OUTPUT0'), floats.toString('hex'));
  }, { needs: 'binary_tensor_data' });
  accepts(`a binary request in ${coding}, its header length counted before`, 'clients: tritonclient request_compression_algorithm', async (server) => {
    const reply = await server.ask({ method: 'POST', path: '/v2/models/identity_fp32/infer', headers: { 'content-encoding': coding, 'accept-encoding': coding, ...largeHeaders }, body: compress(large.body) });
    expectEqual('bytes', hexOf(decompressed(reply).outputs, 'OUTPUT0'), floats.toString('hex'));
  }, { needs: 'binary_tensor_data' });
  refuses(`a request that is no ${coding}`, 'HTTP: Content-Encoding', async (server) => void expectRefusal(await server.ask({ method: 'POST', path, headers: { 'content-encoding': coding }, body: json })));
  refuses(`a request in ${coding} cut short`, 'HTTP: Content-Encoding', async (server) => {
    const body = compress(json);
    expectRefusal(await server.ask({ method: 'POST', path, headers: { 'content-encoding': coding }, body: body.subarray(0, body.length - 12) }));
  });
  refuses(`errors are not compressed, whatever is accepted (${coding})`, 'clients: tritonclient does not decompress errors', async (server) => {
    expectRefusal(await server.ask({ method: 'POST', path, headers: { 'accept-encoding': coding }, body: '{}' }));
    expectRefusal(await server.ask({ path: '/v2/models/no_such_model', headers: { 'accept-encoding': coding } }));
  });
}
accepts('identity as a coding', 'HTTP: Content-Encoding', async (server) => expectSum(await server.ask({ method: 'POST', path, headers: { 'content-encoding': 'identity', 'accept-encoding': 'identity' }, body: json })));
accepts('a list of codings with weights', 'HTTP: Accept-Encoding', async (server) => expectSum(await server.ask({ method: 'POST', path, headers: { 'accept-encoding': 'gzip;q=0, deflate;q=0.5, identity' }, body: json })));
refuses('a coding that nobody has', 'HTTP: Content-Encoding', async (server) => void expectRefusal(await server.ask({ method: 'POST', path, headers: { 'content-encoding': 'rot13' }, body: json })));
refuses('a coding named like something every object has', 'HTTP: Content-Encoding', async (server) => void expectRefusal(await server.ask({ method: 'POST', path, headers: { 'content-encoding': 'constructor' }, body: json })));
