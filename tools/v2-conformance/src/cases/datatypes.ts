import { casesOf, expectEqual } from '../case.js';
import { datatypes, identityOf, type V2Datatype } from '../models.js';
import { expectExactOrRefused, expectRefusal, type Answer, type Server } from '../server.js';
import { binaryRequest, hexOf, textBytes } from './requests.js';

const { cases, accepts, refuses } = casesOf('datatypes');
export const datatypeCases = cases;

/** The least, the largest and some values between, written in JSON as they have to come back, and in binary. */
const samples: Readonly<Record<V2Datatype, { readonly texts: readonly string[]; readonly hex: string }>> = {
  BOOL: { texts: ['true', 'false', 'true'], hex: '010001' },
  UINT8: { texts: ['0', '7', '255'], hex: '0007ff' },
  UINT16: { texts: ['0', '258', '65535'], hex: '00000201ffff' },
  UINT32: { texts: ['0', '16909060', '4294967295'], hex: '0000000004030201ffffffff' },
  UINT64: { texts: ['0', '9007199254740993', '18446744073709551615'], hex: '00000000000000000100000000002000ffffffffffffffff' },
  INT8: { texts: ['-128', '-1', '127'], hex: '80ff7f' },
  INT16: { texts: ['-32768', '-2', '32767'], hex: '0080feffff7f' },
  INT32: { texts: ['-2147483648', '-3', '2147483647'], hex: '00000080fdffffffffffff7f' },
  INT64: { texts: ['-9223372036854775808', '9007199254740993', '9223372036854775807'], hex: '00000000000000800100000000002000ffffffffffffff7f' },
  FP16: { texts: ['-65504', '0.333251953125', '0.00000005960464477539063'], hex: 'fffb55350100' },
  FP32: { texts: ['-3.4028234663852886e38', '0.1', '16777217'], hex: 'ffff7fffcdcccc3d0000804b' },
  FP64: { texts: ['-1.7976931348623157e308', '0.1', '5e-324'], hex: 'ffffffffffffefff9a9999999999b93f0100000000000000' },
  BYTES: { texts: ['"plain"', '""', '"Ω 猫 🐈 \\"\\\\\\n"'], hex: textBytes('plain', '', 'Ω 猫 🐈 "\\\n').toString('hex') },
};

const jsonText = (datatype: V2Datatype, texts: readonly string[]): string => `{"inputs":[{"name":"INPUT0","shape":[1,${texts.length}],"datatype":"${datatype}","data":[${texts.join(',')}]}]}`;
const inBinary = (text: string): string => text.replace('{"inputs"', '{"parameters":{"binary_data_output":true},"inputs"');
const binaryOf = (datatype: V2Datatype, hex: string, output: boolean) => {
  const bytes = Buffer.from(hex, 'hex');
  return { message: { parameters: { binary_data_output: output }, ...binaryRequest(datatype, [1, 3], bytes.length) }, bytes };
};

/** The elements of the answer as they are written, since JSON.parse would round some. */
function writtenElements({ reply }: Answer): readonly string[] {
  const data = /"data"\s*:\s*\[+([^\]]*)\]/u.exec(reply.body.toString())?.[1] ?? '';
  return data.split(',').map((text) => text.trim());
}

/** What a number says as a value of the datatype: floats may be written with more or fewer digits, as long as they read back the same. */
function valueOf(datatype: V2Datatype, text: string): unknown {
  if (datatype === 'FP32') return Math.fround(Number(text));
  if (datatype === 'FP64') return Number(text);
  // The values above have at most 11 significant bits, down to steps of 2^-24.
  if (datatype === 'FP16') return Math.round(Number(text) * 2 ** 24) / 2 ** 24;
  return text;
}

for (const datatype of datatypes) {
  const { texts, hex } = samples[datatype];
  const model = identityOf(datatype);
  accepts(`${datatype}: JSON comes back in JSON`, 'rest: Tensor Data Types', async (server) => {
    const answer = await server.infer(model, jsonText(datatype, texts));
    if (datatype === 'BYTES') expectEqual('data', answer.outputs[0]?.data, texts.map((text): unknown => JSON.parse(text)));
    else expectEqual('data', writtenElements(answer).map((text) => valueOf(datatype, text)), texts.map((text) => valueOf(datatype, text)));
  });
  accepts(`${datatype}: JSON comes back in binary`, 'binary_data: binary_data_output', async (server) => expectEqual('bytes', hexOf((await server.infer(model, inBinary(jsonText(datatype, texts)))).outputs, 'OUTPUT0'), hex), { needs: 'binary_tensor_data' });
  accepts(`${datatype}: binary comes back in binary`, 'binary_data: Binary Tensor Data', async (server) => expectEqual('bytes', hexOf((await server.inferBinary(model, binaryOf(datatype, hex, true))).outputs, 'OUTPUT0'), hex), { needs: 'binary_tensor_data' });
}

async function special(server: Server, datatype: V2Datatype, hex: string): Promise<void> {
  const bytes = Buffer.from(hex, 'hex');
  const answer = await server.inferBinary(identityOf(datatype), { message: { parameters: { binary_data_output: true }, ...binaryRequest(datatype, [1, 4], bytes.length) }, bytes });
  expectEqual('bytes', hexOf(answer.outputs, 'OUTPUT0'), hex);
}
accepts('FP16: NaN, infinities and -0 in binary', 'binary_data: Binary Tensor Data', (server) => special(server, 'FP16', '007e007c00fc0080'), { needs: 'binary_tensor_data' });
accepts('FP32: NaN, infinities and -0 in binary', 'binary_data: Binary Tensor Data', (server) => special(server, 'FP32', '0000c07f0000807f000080ff00000080'), { needs: 'binary_tensor_data' });
accepts('FP64: NaN, infinities and -0 in binary', 'binary_data: Binary Tensor Data', (server) => special(server, 'FP64', '000000000000f87f000000000000f07f000000000000f0ff0000000000000080'), { needs: 'binary_tensor_data' });
accepts('FP32: an answer with NaN is JSON, or refused properly', 'rest: Tensor Data', async (server) => {
  const bytes = Buffer.from('0000c07f0000803f0000807f', 'hex');
  await expectExactOrRefused(await server.binaryReply('identity_fp32', { message: binaryRequest('FP32', [1, 3], 12), bytes }), ({ outputs }) => expectEqual('the number between', (outputs[0]?.data as unknown[])[1], 1));
}, { needs: 'binary_tensor_data' });

const wrong: readonly (readonly [V2Datatype, string, string])[] = [
  ['BOOL', '2', 'a number'], ['BOOL', '"true"', 'a text'],
  ['UINT8', '256', 'a number too large'], ['UINT8', '-1', 'a negative number'], ['UINT16', '65536', 'a number too large'], ['UINT32', '4294967296', 'a number too large'],
  ['UINT64', '18446744073709551616', 'a number too large'], ['UINT64', '-1', 'a negative number'],
  ['INT8', '128', 'a number too large'], ['INT16', '-32769', 'a number too small'], ['INT32', '2147483648', 'a number too large'],
  ['INT64', '9223372036854775808', 'a number too large'], ['INT32', '1.5', 'a fraction'], ['INT64', '"1"', 'a text'], ['INT64', 'true', 'a truth value'],
  ['FP32', 'null', 'null'], ['FP32', '{}', 'an object'], ['FP64', '"one"', 'a word'], ['FP64', 'true', 'a truth value'], ['BYTES', '1', 'a number'], ['BYTES', 'null', 'null'],
];
for (const [datatype, text, about] of wrong) {
  refuses(`${datatype}: ${about} (${text})`, 'rest: Tensor Data', async (server) => void expectRefusal(await server.inferReply(identityOf(datatype), jsonText(datatype, [text])), [400]));
}
refuses('BF16, which the table of datatypes does not have', 'rest: Tensor Data Types', async (server) => void expectRefusal(await server.inferReply('identity_fp32', jsonText('BF16' as V2Datatype, ['1'])), [400]));
for (const [about, text] of [['too large for FP32', '1e39'], ['too large for any float', '1e999']] as const) {
  refuses(`FP32: a number ${about} is refused, or infinite`, 'rest: Tensor Data', async (server) =>
    expectExactOrRefused(await server.inferReply('identity_fp32', inBinary(jsonText('FP32', [text]))), ({ outputs }) => expectEqual('bytes', hexOf(outputs, 'OUTPUT0'), '0000807f')), { needs: 'binary_tensor_data' });
}
