import { gzipSync } from 'node:zlib';
import { casesOf, expectEqual, expectThat } from '../case.js';
import { answerOf, expectAlive, expectRefusal } from '../server.js';
import { binaryRequest, counting, elementsOf, hexOf, identityRequest, simpleRequest } from './requests.js';

const { cases, accepts, refuses } = casesOf('limits');
export const limitCases = cases;

accepts('1,000 rows of 10 numbers in JSON', 'rest: Tensor Data', async (server) => {
  const values = Array.from({ length: 10_000 }, (_, at) => at / 8);
  expectEqual('data', (await server.infer('identity_fp32', identityRequest('FP32', [1_000, 10], values))).outputs[0]?.data, values);
});
accepts('8 MB in binary', 'binary_data: Binary Tensor Data', async (server) => {
  const bytes = Buffer.from(Int32Array.from({ length: 2_000_000 }, (_, at) => at * 2_654_435_761).buffer);
  const { outputs } = await server.inferBinary('identity_int32', { message: { parameters: { binary_data_output: true }, ...binaryRequest('INT32', [2_000, 1_000], bytes.length) }, bytes });
  expectThat(outputs[0]?.bytes?.equals(bytes) === true, 'the same bytes', outputs[0]?.bytes?.length);
}, { needs: 'binary_tensor_data' });
accepts('an id of 100,000 characters', 'rest: Inference Request JSON Object', async (server) => {
  const id = 'i'.repeat(100_000);
  expectThat((await server.infer('simple', { id, ...simpleRequest() })).message['id'] === id, 'the same id', 'another');
});
accepts('a text of 1 MB', 'rest: Tensor Data', async (server) => {
  const text = 'é'.repeat(500_000);
  expectThat((elementsOf((await server.infer('identity_bytes', identityRequest('BYTES', [1, 1], [text]))).outputs, 'OUTPUT0'))[0] === text, 'the same text', 'another');
});
accepts('64 requests at once, each with its own answer', 'rest: Inference', async (server) => {
  const answers = await Promise.all(Array.from({ length: 64 }, (_, at) => server.infer('simple_batch', { id: String(at), inputs: simpleRequest().inputs.map((input) => ({ ...input, data: counting.map((value) => value + at) })) })));
  expectEqual('id and first sum', answers.map(({ message, outputs }) => [message['id'], elementsOf(outputs, 'OUTPUT0')[0]]), answers.map((_, at) => [String(at), 2 + 2 * at]));
});

refuses('1,000 inputs that the model does not have', 'rest: Inference', async (server) => {
  const [input] = simpleRequest().inputs;
  expectRefusal(await server.inferReply('simple', { inputs: Array.from({ length: 1_000 }, (_, at) => ({ ...input, name: `INPUT${at}` })) }), [400]);
});
refuses('a shape of 1,000 dimensions', 'rest: Request Input', async (server) => void expectRefusal(await server.inferReply('identity_fp32', identityRequest('FP32', Array.from({ length: 1_000 }, () => 1), [1])), [400]));
refuses('a shape of 2^40 elements without them', 'rest: Request Input', async (server) => void expectRefusal(await server.inferReply('identity_fp32', identityRequest('FP32', [2 ** 20, 2 ** 20], [1])), [400]));
refuses('the same, nested', 'rest: Request Input', async (server) => void expectRefusal(await server.inferReply('identity_fp32', identityRequest('FP32', [2, 2 ** 32], [[1], [2]])), [400]));
refuses('1 GB of zeros that came as 1 MB of gzip', 'HTTP: Content-Encoding', async (server) => {
  const zeros = Buffer.alloc(256 * 1024 * 1024);
  const reply = await server.ask({ method: 'POST', path: '/v2/models/simple/infer', headers: { 'content-encoding': 'gzip' }, body: Buffer.concat([0, 1, 2, 3].map(() => gzipSync(zeros, { level: 1 }))) });
  expectRefusal(reply);
  await expectAlive(server);
});
refuses('a long path', 'HTTP: request target', async (server) => {
  const reply = await server.ask({ path: `/v2/models/${'m'.repeat(8_000)}` });
  expectThat(reply.status >= 400 && reply.status < 500, 'a status of 400 to 499', reply.status);
  await expectAlive(server);
});
refuses('a body of 80 MB: refused, or answered', 'HTTP: Content-Length', async (server) => {
  const bytes = Buffer.alloc(80 * 1024 * 1024);
  try {
    const reply = await server.binaryReply('identity_uint8', { message: { parameters: { binary_data_output: true }, ...binaryRequest('UINT8', [1, bytes.length], bytes.length) }, bytes });
    if (reply.status === 200) expectThat(hexOf(answerOf(reply).outputs, 'OUTPUT0').length === bytes.length * 2, 'as many bytes', reply.body.length);
    else expectRefusal(reply, [400, 413]);
  } catch (error) {
    // Who closes the connection before all of it has come may leave the sender without an answer.
    if (!(error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET'))) throw error;
  }
  await expectAlive(server);
}, { needs: 'binary_tensor_data' });
