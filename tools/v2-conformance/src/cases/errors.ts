import { casesOf, expectThat } from '../case.js';
import { expectExactOrRefused, expectRefusal } from '../server.js';
import { identityRequest, simpleRequest } from './requests.js';

const { cases, refuses } = casesOf('errors');
export const errorCases = cases;

const tensor = (more: Readonly<Record<string, unknown>>): object => ({ inputs: [{ name: 'INPUT0', shape: [1, 2], datatype: 'FP32', data: [1, 2], ...more }] });
const without = (member: string): object => ({ inputs: [Object.fromEntries(Object.entries({ name: 'INPUT0', shape: [1, 2], datatype: 'FP32', data: [1, 2] }).filter(([name]) => name !== member))] });
const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

const messages: readonly (readonly [string, string, unknown])[] = [
  ['an empty body', 'Inference Request JSON Object', ''],
  ['half a message', 'Inference Request JSON Object', '{"inputs":[{"name":"INPUT0"'],
  ['a message and more', 'Inference Request JSON Object', `${JSON.stringify(tensor({}))}}`],
  ['no JSON', 'Inference Request JSON Object', 'inputs=1'],
  ['a list', 'Inference Request JSON Object', '[]'],
  ['null', 'Inference Request JSON Object', 'null'],
  ['a text', 'Inference Request JSON Object', '"inputs"'],
  ['no inputs', 'Inference Request JSON Object', {}],
  ['inputs that are an object', 'Inference Request JSON Object', { inputs: {} }],
  ['inputs that are null', 'Inference Request JSON Object', { inputs: null }],
  ['an input that is a number', 'Request Input', { inputs: [7] }],
  ['an id that is a number', 'Inference Request JSON Object', { id: 7, ...tensor({}) }],
  ['parameters that are a list', 'Parameters', { parameters: [], ...tensor({}) }],
  ['a parameter that is an object', 'Parameters', { parameters: { note: {} }, ...tensor({}) }],
  ['an input without a name', 'Request Input', without('name')],
  ['an input without a shape', 'Request Input', without('shape')],
  ['an input without a datatype', 'Request Input', without('datatype')],
  ['an input without data', 'Request Input', without('data')],
  ['a name that is a number', 'Request Input', tensor({ name: 7 })],
  ['an empty name', 'Request Input', tensor({ name: '' })],
  ['an input named __proto__', 'Request Input', JSON.stringify(tensor({})).replace('"INPUT0"', '"__proto__"')],
  ['an input named constructor', 'Request Input', tensor({ name: 'constructor' })],
  ['a datatype that there is not', 'Tensor Data Types', tensor({ datatype: 'FP31' })],
  ['a datatype in small letters', 'Tensor Data Types', tensor({ datatype: 'fp32' })],
  ['a shape that is a number', 'Request Input', tensor({ shape: 2 })],
  ['a shape of texts', 'Request Input', tensor({ shape: ['1', '2'] })],
  ['a negative dimension', 'Request Input', tensor({ shape: [-1, 2] })],
  ['two negative dimensions, whose product fits', 'Request Input', tensor({ shape: [-1, -2] })],
  ['a fractional dimension', 'Request Input', tensor({ shape: [1, 2.5] })],
  ['a dimension of 2^63', 'Request Input', JSON.stringify(tensor({})).replace('[1,2]', '[1,9223372036854775808]')],
  ['dimensions whose product overflows to the right number', 'Request Input', tensor({ shape: [2 ** 32, 2 ** 32] })],
  ['more data than the shape says', 'Tensor Data', tensor({ data: [1, 2, 3] })],
  ['less data than the shape says', 'Tensor Data', tensor({ data: [1] })],
  ['the specification’s own example, one value for shape [3]', 'Inference Request Examples', { inputs: [{ name: 'INPUT0', shape: [3], datatype: 'FP32', data: [1] }] }],
  ['a ragged nest', 'Tensor Data', tensor({ shape: [2, 2], data: [[1, 2], [3]] })],
  ['a nest deeper than the shape', 'Tensor Data', tensor({ data: [[[1], [2]]] })],
  ['numbers and lists mixed', 'Tensor Data', tensor({ shape: [2, 1], data: [1, [2]] })],
  ['data that is a number', 'Tensor Data', tensor({ data: 1 })],
  ['data that is a text', 'Tensor Data', tensor({ data: '12' })],
  ['data that is an object', 'Tensor Data', tensor({ data: { 0: 1, 1: 2, length: 2 } })],
  ['data of 101 levels', 'Tensor Data', JSON.stringify(tensor({ data: null })).replace('null', nest(101))],
  ['data of 100,000 levels', 'Tensor Data', JSON.stringify(tensor({ data: null })).replace('null', nest(100_000))],
  ['a member of 100,000 objects in each other', 'Inference Request JSON Object', `{"more":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)},"inputs":[]}`],
  ['outputs that are an object', 'Request Output', { ...tensor({}), outputs: {} }],
  ['an output without a name', 'Request Output', { ...tensor({}), outputs: [{}] }],
  ['an output that is a text', 'Request Output', { ...tensor({}), outputs: ['OUTPUT0'] }],
];
for (const [about, section, message] of messages) {
  refuses(about, `rest: ${section}`, async (server) => void expectRefusal(await server.inferReply('identity_fp32', message), [400]));
}

refuses('bytes that are no UTF-8', 'rest: Inference Request JSON Object', async (server) => {
  const body = Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff]), Buffer.from(`",${JSON.stringify(tensor({})).slice(1)}`)]);
  expectRefusal(await server.ask({ method: 'POST', path: '/v2/models/identity_fp32/infer', body }), [400]);
});
refuses('NaN without quotes, which is no JSON: refused, or NaN', 'rest: Inference Request JSON Object', async (server) =>
  expectExactOrRefused(await server.inferReply('identity_fp32', JSON.stringify(tensor({})).replace('"data":[1,2]', '"data":[NaN,2]')), ({ outputs }) => {
    const [first] = outputs[0]?.data as unknown[];
    expectThat(first === 'NaN' || first === null || Number.isNaN(Number(first)), 'NaN', first);
  }));
refuses('a byte order mark: refused, or passed over', 'rest: Inference Request JSON Object', async (server) =>
  expectExactOrRefused(await server.inferReply('identity_fp32', `\ufeff${JSON.stringify(tensor({}))}`), ({ outputs }) => expectThat(outputs.length === 1, 'one output', outputs)));
refuses('a NUL in a text: refused, or given back unchanged', 'rest: Tensor Data', async (server) =>
  expectExactOrRefused(await server.inferReply('identity_bytes', identityRequest('BYTES', [1, 1], ['a\0b'])), ({ outputs }) => expectThat((outputs[0]?.data as unknown[])[0] === 'a\0b', 'a\\0b', outputs[0]?.data)));
refuses('half of a surrogate pair: refused, or given back unchanged', 'rest: Tensor Data', async (server) =>
  expectExactOrRefused(await server.inferReply('identity_bytes', identityRequest('BYTES', [1, 1], ['\ud800'])), ({ outputs }) => expectThat((outputs[0]?.data as unknown[])[0] === '\ud800', '\\ud800', outputs[0]?.data)));
refuses('a model that is not there', 'rest: Inference', async (server) => {
  const error = expectRefusal(await server.inferReply('no_such_model', simpleRequest()), [404, 400]);
  expectThat(error.includes('no_such_model'), 'a sentence that names the model', error);
});
refuses('a model without a name', 'rest: Inference', async (server) => void expectRefusal(await server.ask({ method: 'POST', path: '/v2/models//infer', body: '{}' })));
refuses('the classification extension: refused, or answered', 'binary_data: classification', async (server) => {
  const reply = await server.inferReply('identity_fp32', { ...tensor({}), outputs: [{ name: 'OUTPUT0', parameters: { classification: 1 } }] });
  if (reply.status !== 200) expectRefusal(reply);
});
refuses('a timeout that is negative', 'schedule_policy: timeout', async (server) => void expectRefusal(await server.inferReply('identity_fp32', { parameters: { timeout: -1 }, ...tensor({}) })), { needs: 'schedule_policy' });
refuses('a priority in words', 'schedule_policy: priority', async (server) => void expectRefusal(await server.inferReply('identity_fp32', { parameters: { priority: 'high' }, ...tensor({}) })), { needs: 'schedule_policy' });
refuses('a binary_data_output in words', 'binary_data: binary_data_output', async (server) => void expectRefusal(await server.inferReply('identity_fp32', { parameters: { binary_data_output: 'yes' }, ...tensor({}) })), { needs: 'binary_tensor_data' });
