import { casesOf, expectEqual, expectThat } from '../case.js';
import { answerOf, expectExactOrRefused, expectRefusal, type Framed, type Json } from '../server.js';
import { binaryRequest, counting, elementsOf, hexOf, simpleRequest, textBytes } from './requests.js';

const { cases, accepts, refuses } = casesOf('infer binary');
export const inferBinaryCases = cases;
const needs = { needs: 'binary_tensor_data' };

const int32 = (values: readonly number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
const sumHex = int32(counting.map((value) => value + 1)).toString('hex');
const differenceHex = int32(counting.map((value) => value - 1)).toString('hex');
const both = Buffer.concat([int32(counting), int32(counting.map(() => 1))]);
const simpleInputs = simpleRequest().inputs.map(({ name, shape, datatype }) => ({ name, shape, datatype, parameters: { binary_data_size: 64 } }));
const simple = (more: Json = {}): Framed => ({ message: { ...more, inputs: simpleInputs }, bytes: both });

accepts('binary inputs, answers in JSON', 'binary_data: Binary Tensor Data', async (server) => expectEqual('OUTPUT0', elementsOf((await server.inferBinary('simple', simple())).outputs, 'OUTPUT0'), counting.map((value) => value + 1)), needs);
accepts('all outputs in binary', 'binary_data: binary_data_output', async (server) => {
  const { outputs } = await server.inferBinary('simple', simple({ parameters: { binary_data_output: true } }));
  expectEqual('outputs', [hexOf(outputs, 'OUTPUT0'), hexOf(outputs, 'OUTPUT1')], [sumHex, differenceHex]);
}, needs);
accepts('one output in binary', 'binary_data: binary_data', async (server) => {
  const { outputs } = await server.inferBinary('simple', simple({ outputs: [{ name: 'OUTPUT0' }, { name: 'OUTPUT1', parameters: { binary_data: true } }] }));
  expectEqual('OUTPUT1', hexOf(outputs, 'OUTPUT1'), differenceHex);
  expectEqual('OUTPUT0', elementsOf(outputs, 'OUTPUT0').length, 16);
}, needs);
accepts('what an output says overrides what the request says', 'binary_data: binary_data_output', async (server) => {
  const { outputs } = await server.inferBinary('simple', simple({ parameters: { binary_data_output: true }, outputs: [{ name: 'OUTPUT0', parameters: { binary_data: false } }, { name: 'OUTPUT1' }] }));
  expectEqual('OUTPUT0', elementsOf(outputs, 'OUTPUT0').length, 16);
  expectEqual('OUTPUT1', hexOf(outputs, 'OUTPUT1'), differenceHex);
}, needs);
accepts('binary outputs for inputs in JSON', 'binary_data: binary_data_output', async (server) => expectEqual('OUTPUT0', hexOf((await server.infer('simple', { parameters: { binary_data_output: true }, ...simpleRequest() })).outputs, 'OUTPUT0'), sumHex), needs);
accepts('an input in JSON before one in binary', 'binary_data: Binary Tensor Data', async (server) => {
  const answer = await server.inferBinary('simple', { message: { inputs: [simpleRequest().inputs[0], simpleInputs[1]] }, bytes: both.subarray(64) });
  expectEqual('OUTPUT0', elementsOf(answer.outputs, 'OUTPUT0'), counting.map((value) => value + 1));
}, needs);
accepts('an input in binary before one in JSON', 'binary_data: Binary Tensor Data', async (server) => {
  const answer = await server.inferBinary('simple', { message: { inputs: [simpleInputs[0], simpleRequest().inputs[1]] }, bytes: both.subarray(0, 64) });
  expectEqual('OUTPUT0', elementsOf(answer.outputs, 'OUTPUT0'), counting.map((value) => value + 1));
}, needs);
for (const padding of [0, 1, 2, 3, 4, 5, 6, 7]) {
  accepts(`data ${padding} bytes further on`, 'binary_data: Binary Tensor Data', async (server) => {
    const bytes = Buffer.from(Float64Array.of(1.5, -2.25, 1e300).buffer);
    const { outputs } = await server.inferBinary('identity_fp64', { message: { parameters: { binary_data_output: true }, ...binaryRequest('FP64', [1, 3], 24) }, bytes, padding });
    expectEqual('bytes', hexOf(outputs, 'OUTPUT0'), bytes.toString('hex'));
  }, needs);
}
accepts('tensors after one of odd length', 'binary_data: Binary Tensor Data', async (server) => {
  const inputs = [...simpleInputs].reverse();
  const { outputs } = await server.inferBinary('simple', { message: { inputs }, bytes: Buffer.concat([both.subarray(64), both.subarray(0, 64)]), padding: 3 });
  expectEqual('OUTPUT1', elementsOf(outputs, 'OUTPUT1'), counting.map((value) => value - 1));
}, needs);
accepts('a header length for JSON alone', 'binary_data: Inference-Header-Content-Length', async (server) => expectEqual('OUTPUT0', elementsOf((await server.inferBinary('simple', { message: simpleRequest() })).outputs, 'OUTPUT0').length, 16), needs);
accepts('texts in binary both ways', 'binary_data: Binary Tensor Data', async (server) => {
  const texts = textBytes('', 'a', 'Ω 猫 🐈', 'x'.repeat(5_000));
  const { outputs } = await server.inferBinary('identity_bytes', { message: { parameters: { binary_data_output: true }, ...binaryRequest('BYTES', [2, 2], texts.length) }, bytes: texts });
  expectEqual('bytes', hexOf(outputs, 'OUTPUT0'), texts.toString('hex'));
}, needs);
accepts('an empty tensor, or refuses it properly', 'binary_data: Binary Tensor Data', async (server) =>
  expectExactOrRefused(await server.binaryReply('identity_fp32', { message: { parameters: { binary_data_output: true }, ...binaryRequest('FP32', [0, 4], 0) } }), ({ outputs }) => expectEqual('bytes', hexOf(outputs, 'OUTPUT0'), '')), needs);
accepts('an empty tensor of texts, or refuses it properly', 'binary_data: Binary Tensor Data', async (server) =>
  expectExactOrRefused(await server.binaryReply('identity_bytes', { message: { parameters: { binary_data_output: true }, ...binaryRequest('BYTES', [0, 4], 0) } }), ({ outputs }) => expectEqual('bytes', hexOf(outputs, 'OUTPUT0'), '')), needs);
accepts('a body of nothing but data', 'binary_data: Raw Binary Request', async (server) => {
  const bytes = Buffer.from(Float32Array.of(1, 2.5, -3).buffer);
  const reply = await server.ask({ method: 'POST', path: '/v2/models/identity_line/infer', headers: { 'inference-header-content-length': '0' }, body: bytes });
  expectEqual('bytes', hexOf(answerOf(reply).outputs, 'OUTPUT0'), bytes.toString('hex'));
}, needs);
accepts('the length of the JSON part in the answer’s header', 'binary_data: Inference-Header-Content-Length', async (server) => {
  const { reply } = await server.inferBinary('simple', simple({ parameters: { binary_data_output: true } }));
  expectThat(reply.headers['inference-header-content-length'] !== undefined, 'the header', reply.headers);
  expectEqual('content-length', Number(reply.headers['content-length']), reply.body.length);
}, needs);

const text = (...bytes: number[]) => Buffer.from(bytes);
const broken: readonly (readonly [string, string, Framed])[] = [
  ['data cut short', 'simple', { message: { inputs: simpleInputs }, bytes: both.subarray(0, 100) }],
  ['no data', 'simple', { message: { inputs: simpleInputs } }],
  ['data left over', 'simple', { message: { inputs: simpleInputs }, bytes: Buffer.concat([both, text(0)]) }],
  ['a size that is not the shape’s', 'identity_fp32', { message: binaryRequest('FP32', [1, 2], 4), bytes: text(0, 0, 0, 0) }],
  ['a size that is no multiple of an element', 'identity_fp32', { message: binaryRequest('FP32', [1, 1], 3), bytes: text(0, 0, 0) }],
  ['a negative size', 'identity_fp32', { message: binaryRequest('FP32', [1, 1], -4), bytes: text(0, 0, 0, 0) }],
  ['a fractional size', 'identity_fp32', { message: binaryRequest('FP32', [1, 1], 3.5), bytes: text(0, 0, 0, 0) }],
  ['a size in words', 'identity_fp32', { message: binaryRequest('FP32', [1, 1], '4'), bytes: text(0, 0, 0, 0) }],
  ['a size beyond all memory', 'identity_fp32', { message: binaryRequest('FP32', [1, 1], 2 ** 52), bytes: text(0, 0, 0, 0) }],
  ['data in JSON and in binary', 'identity_fp32', { message: binaryRequest('FP32', [1, 1], 4, { data: [1] }), bytes: text(0, 0, 0, 0) }],
  ['a text that claims more than there is', 'identity_bytes', { message: binaryRequest('BYTES', [1, 1], 5), bytes: text(9, 0, 0, 0, 65) }],
  ['a text of almost 2^32 bytes', 'identity_bytes', { message: binaryRequest('BYTES', [1, 1], 5), bytes: text(255, 255, 255, 255, 65) }],
  ['fewer texts than the shape says', 'identity_bytes', { message: binaryRequest('BYTES', [1, 2], 5), bytes: text(1, 0, 0, 0, 65) }],
  ['more texts than the shape says', 'identity_bytes', { message: binaryRequest('BYTES', [1, 1], 10), bytes: textBytes('A', 'B') }],
  ['half a length of a text', 'identity_bytes', { message: binaryRequest('BYTES', [1, 2], 7), bytes: Buffer.concat([textBytes('A'), text(1, 0)]) }],
];
for (const [about, model, framed] of broken) {
  refuses(about, 'binary_data: Binary Tensor Data', async (server) => void expectRefusal(await server.binaryReply(model, framed), [400]), needs);
}

const headerLengths: readonly (readonly [string, string])[] = [['beyond the body', '99999'], ['that cuts the JSON', '20'], ['that is negative', '-1'], ['in words', 'all'], ['with a fraction', '10.5'], ['of 30 digits', '9'.repeat(30)]];
for (const [about, value] of headerLengths) {
  refuses(`a header length ${about}`, 'binary_data: Inference-Header-Content-Length', async (server) => void expectRefusal(await server.binaryReply('simple', simple(), { 'inference-header-content-length': value }), [400]), needs);
}
refuses('a binary tensor without the header', 'binary_data: Inference-Header-Content-Length', async (server) => void expectRefusal(await server.inferReply('identity_fp32', binaryRequest('FP32', [1, 1], 4)), [400]), needs);
refuses('nothing but data for a model of two inputs', 'binary_data: Raw Binary Request', async (server) => void expectRefusal(await server.ask({ method: 'POST', path: '/v2/models/simple/infer', headers: { 'inference-header-content-length': '0' }, body: both }), [400]), needs);
refuses('nothing but data, not filling an element', 'binary_data: Raw Binary Request', async (server) => void expectRefusal(await server.ask({ method: 'POST', path: '/v2/models/identity_line/infer', headers: { 'inference-header-content-length': '0' }, body: text(1, 2, 3) }), [400]), needs);

const delicate: readonly (readonly [string, Uint8Array])[] = [['a NUL in a text', text(97, 0, 98)], ['bytes that are no UTF-8', text(0xff, 0xfe, 0x80)], ['half of a surrogate pair', text(0xed, 0xa0, 0x80)]];
for (const [about, bytes] of delicate) {
  refuses(`${about}: refused or given back unchanged`, 'binary_data: Binary Tensor Data', async (server) => {
    const body = textBytes(bytes);
    const reply = await server.binaryReply('identity_bytes', { message: { parameters: { binary_data_output: true }, ...binaryRequest('BYTES', [1, 1], body.length) }, bytes: body });
    await expectExactOrRefused(reply, ({ outputs }) => expectEqual('bytes', hexOf(outputs, 'OUTPUT0'), body.toString('hex')));
  }, needs);
}
