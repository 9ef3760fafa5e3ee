import { casesOf, expectEqual, expectThat } from '../case.js';
import { answerOf, expectExactOrRefused, expectRefusal, type Answer } from '../server.js';
import { counting, elementsOf, identityRequest, simpleRequest } from './requests.js';

const { cases, accepts, refuses } = casesOf('infer JSON');
export const inferJsonCases = cases;

const sum = counting.map((value) => value + 1);
const difference = counting.map((value) => value - 1);

function expectSimple({ outputs }: Answer): void {
  expectEqual('OUTPUT0', elementsOf(outputs, 'OUTPUT0'), sum);
  expectEqual('OUTPUT1', elementsOf(outputs, 'OUTPUT1'), difference);
}

accepts('sums and differences', 'rest: Inference', async (server) => expectSimple(await server.infer('simple', simpleRequest())));
accepts('nested data', 'rest: Tensor Data', async (server) => expectSimple(await server.infer('simple', simpleRequest((data) => [data]))));
accepts('white space', 'rest: Inference Request JSON Object', async (server) => expectSimple(await server.infer('simple', `\n\t ${JSON.stringify(simpleRequest(), null, 2)}\r\n `)));
accepts('members in another order, and with escapes', 'rest: Inference Request JSON Object', async (server) => {
  const text = JSON.stringify({ inputs: simpleRequest().inputs.map(({ name, shape, datatype, data }) => ({ data, datatype, shape, name })) });
  expectSimple(await server.infer('simple', text.replace('"inputs"', '"\\u0069nputs"')));
});
accepts('names the model', 'rest: Inference Response JSON Object', async (server) => expectEqual('model_name', (await server.infer('simple', simpleRequest())).message['model_name'], 'simple'));
accepts('names the version as a text, if at all', 'rest: Inference Response JSON Object', async (server) => {
  const { message } = await server.infer('simple', simpleRequest());
  expectThat(message['model_version'] === undefined || message['model_version'] === '1', 'model_version "1" or none', message['model_version']);
});
accepts('gives name, shape and datatype of each output', 'rest: Response Output', async (server) => {
  const { outputs } = await server.infer('simple', simpleRequest());
  expectEqual('outputs', outputs.map(({ name, shape, datatype }) => [name, shape, datatype]), [['OUTPUT0', [1, 16], 'INT32'], ['OUTPUT1', [1, 16], 'INT32']]);
});
for (const [about, id] of [['an id', '42'], ['an id of other alphabets and quotes', 'Ω "7" \\ 猫 🐈\n']] as const) {
  accepts(`gives back ${about}`, 'rest: Inference Response JSON Object', async (server) => expectEqual('id', (await server.infer('simple', { id, ...simpleRequest() })).message['id'], id));
}
accepts('an id is a text even when none was given', 'clients: kserve InferResponse', async (server) => {
  const { id } = (await server.infer('simple', simpleRequest())).message;
  expectThat(typeof id === 'string', 'an id that is a text', id);
});
accepts('gives the output asked for and no other', 'rest: Request Output', async (server) => {
  const { outputs } = await server.infer('simple', { ...simpleRequest(), outputs: [{ name: 'OUTPUT1' }] });
  expectEqual('names', outputs.map(({ name }) => name), ['OUTPUT1']);
  expectEqual('OUTPUT1', elementsOf(outputs, 'OUTPUT1'), difference);
});
accepts('gives both outputs asked for', 'rest: Request Output', async (server) => expectSimple(await server.infer('simple', { ...simpleRequest(), outputs: [{ name: 'OUTPUT1' }, { name: 'OUTPUT0' }] })));
accepts('gives all outputs for an empty list', 'rest: Inference Request JSON Object', async (server) => expectSimple(await server.infer('simple', { ...simpleRequest(), outputs: [] })));
accepts('inputs in another order', 'rest: Inference Request JSON Object', async (server) => expectSimple(await server.infer('simple', { inputs: [...simpleRequest().inputs].reverse() })));
accepts('texts', 'rest: Tensor Data', async (server) => {
  const { outputs } = await server.infer('simple_string', { inputs: simpleRequest().inputs.map((input) => ({ ...input, datatype: 'BYTES', data: input.data.map(String) })) });
  expectEqual('OUTPUT0', elementsOf(outputs, 'OUTPUT0'), sum.map(String));
});
accepts('several rows', 'rest: Inference', async (server) => {
  const rows = [1, 2, 3];
  const tensor = (name: string, value: (row: number) => number) => ({ name, datatype: 'INT32', shape: [3, 16], data: rows.flatMap((row) => counting.map((at) => at + value(row))) });
  const { outputs } = await server.infer('simple_batch', { inputs: [tensor('INPUT0', (row) => row * 100), tensor('INPUT1', () => 0)] });
  expectEqual('shape', outputs[0]?.shape, [3, 16]);
  expectEqual('OUTPUT0', elementsOf(outputs, 'OUTPUT0'), rows.flatMap((row) => counting.map((at) => at * 2 + row * 100)));
});
accepts('rows of different widths at once', 'rest: Inference', async (server) => {
  const widths = [1, 2, 3, 5, 8, 2, 1, 3];
  const answers = await Promise.all(widths.map((width, row) => server.infer('row_max', identityRequest('FP32', [1, width], Array.from({ length: width }, (_, at) => row * 10 + at)))));
  expectEqual('largest', answers.map(({ outputs }) => elementsOf(outputs, 'OUTPUT0')[0]), widths.map((width, row) => row * 10 + width - 1));
});
accepts('an empty batch, or refuses it properly', 'rest: Tensor Data', async (server) => {
  const reply = await server.inferReply('identity_fp32', identityRequest('FP32', [0, 3], []));
  if (reply.status === 200) expectEqual('shape', answerOf(reply).outputs[0]?.shape, [0, 3]);
  else expectRefusal(reply);
});
accepts('unknown parameters', 'parameters: Parameters', async (server) => expectSimple(await server.infer('simple', { parameters: { note: 'x', number: 7, flag: true }, ...simpleRequest() })), { needs: 'parameters' });
accepts('a generous timeout and a priority', 'schedule_policy: priority, timeout', async (server) => expectSimple(await server.infer('simple', { parameters: { timeout: 10_000_000, priority: 1 }, ...simpleRequest() })), { needs: 'schedule_policy' });

const [first, second] = simpleRequest().inputs;
const refused: readonly (readonly [string, string, unknown])[] = [
  ['an input that the model does not have', 'simple', { inputs: [first, second, { ...second, name: 'INPUT2' }] }],
  ['an input that is missing', 'simple', { inputs: [first] }],
  ['no inputs at all', 'simple', { inputs: [] }],
  ['an input given twice', 'simple', { inputs: [first, second, second] }],
  ['an output that the model does not have', 'simple', { ...simpleRequest(), outputs: [{ name: 'OUTPUT9' }] }],
  ['an output named like something every object has', 'simple', { ...simpleRequest(), outputs: [{ name: 'constructor' }] }],
  ['an output asked for twice', 'simple', { ...simpleRequest(), outputs: [{ name: 'OUTPUT0' }, { name: 'OUTPUT0' }] }],
  ['another datatype than the model’s', 'simple', { inputs: simpleRequest().inputs.map((input) => ({ ...input, datatype: 'INT64' })) }],
  ['another size than the model’s', 'simple', { inputs: simpleRequest().inputs.map((input) => ({ ...input, shape: [1, 15], data: input.data.slice(1) })) }],
  ['more rows than the model takes', 'simple', { inputs: simpleRequest().inputs.map((input) => ({ ...input, shape: [2, 16], data: [...input.data, ...input.data] })) }],
  ['another rank than the model’s', 'simple', { inputs: simpleRequest().inputs.map((input) => ({ ...input, shape: [16] })) }],
];
for (const [about, model, message] of refused) {
  refuses(about, 'rest: Inference', async (server) => {
    expectRefusal(await server.inferReply(model, message), [400]);
    expectSimple(await server.infer('simple', simpleRequest()));
  });
}
refuses('inputs of different numbers of rows: refused, or stretched as ONNX does', 'rest: Inference', async (server) => {
  const rows = [1, 2, 3].flatMap(() => counting);
  await expectExactOrRefused(await server.inferReply('simple_batch', { inputs: [first, { ...second, shape: [3, 16], data: rows }] }), ({ outputs }) => expectEqual('OUTPUT0', elementsOf(outputs, 'OUTPUT0'), rows.map((value) => value * 2)));
});
refuses('one bad request among good ones spoils only itself', 'rest: Inference', async (server) => {
  const good = Array.from({ length: 8 }, () => server.infer('simple_batch', simpleRequest()));
  const bad = server.inferReply('simple_batch', { inputs: [first] });
  for (const answer of await Promise.all(good)) expectSimple(answer);
  expectRefusal(await bad, [400]);
});
