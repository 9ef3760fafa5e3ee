// Goal: a request from outside is read as the protocol says, or refused with the place and a reason.
// Method: messages and negative cases from the protocol's text and its extensions (its own example with shape [3] and one
// element is one of them); bytes written by hand.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeInferRequest, selectOutputs, type Tensor, type TensorSpec } from './index.js';

const utf8 = new TextEncoder();
const input = (datatype: string, shape: unknown, data: unknown) => ({ inputs: [{ name: 'x', datatype, shape, data }] });
const decode = (message: unknown) => decodeInferRequest(utf8.encode(typeof message === 'string' ? message : JSON.stringify(message)));
const elements = (message: unknown): unknown[] => [...(decode(message).inputs['x']?.data ?? [])];

function binary(message: unknown, bytes: readonly number[], headerLength?: number) {
  const json = utf8.encode(JSON.stringify(message));
  return decodeInferRequest(Uint8Array.of(...json, ...bytes), { headerLength: headerLength ?? json.length });
}
const binaryInput = (datatype: string, shape: number[], size: unknown, more: object = {}) => ({ inputs: [{ name: 'x', datatype, shape, parameters: { binary_data_size: size }, ...more }] });

describe('a request in JSON', () => {
  it('may nest its data', () => {
    expect(decode(input('INT32', [2, 3, 1], [[[1], [2], [3]], [[4], [5], [6]]]))).toEqual(decode(input('INT32', [2, 3, 1], [1, 2, 3, 4, 5, 6])));
  });

  it('may have a scalar, an empty tensor, a byte order mark, and no list of outputs', () => {
    expect(decode(input('FP64', [], [2.5]))).toEqual({ parameters: {}, inputs: { x: { datatype: 'FP64', shape: [], data: Float64Array.of(2.5) } } });
    expect(decode(input('BYTES', [0, 4], [])).inputs['x']).toEqual({ datatype: 'BYTES', shape: [0, 4], data: [] });
    expect(elements(input('FP32', [2, 0], [[], []]))).toEqual([]);
    expect(decode({ ...input('BOOL', [1], [true]), outputs: [] })).not.toHaveProperty('outputs');
    expect(decode(`\ufeff${JSON.stringify(input('INT8', [1], [1]))}`).inputs).toHaveProperty('x');
  });

  it('has integers exactly, beyond 2^53 too, wherever else digits stand', () => {
    const text = (data: string) => `{"id":"9007199254740993","inputs":[{"name":"x","datatype":"INT64","shape":[1,3],"data":${data}}]}`;
    const wide = [9_007_199_254_740_993n, -9_223_372_036_854_775_808n, 7n];
    expect(elements(text('[9007199254740993, -9223372036854775808, 7]'))).toEqual(wide);
    expect(elements(text('[[9007199254740993, -9223372036854775808, 7]]'))).toEqual(wide);
    expect(elements('{"inputs":[{"name":"x","datatype":"UINT64","shape":[1],"data":[18446744073709551615]}]}')).toEqual([2n ** 64n - 1n]);
    expect(elements(input('INT64', [3], [1.0, 1e3, -0]))).toEqual([1n, 1000n, 0n]);
    expect(elements('{"note":"NaN\\"","inputs":[{"name":"n","datatype":"FP32","shape":[1],"data":[NaN]},{"name":"x","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}')).toEqual([9_007_199_254_740_993n]);
  });

  it('has NaN and the infinities as texts; bare, as Python writes them, they mean the same', () => {
    expect(elements(input('FP32', [4], ['NaN', 'Infinity', '-Infinity', 1]))).toEqual([NaN, Infinity, -Infinity, 1]);
    expect(elements(input('FP16', [2], ['NaN', '-Infinity']))).toEqual([0x7e00, 0xfc00]);
    expect(elements('{"id":"NaN -Infinity \\" NaN","inputs":[{"name":"x","datatype":"FP64","shape":[3],"data":[NaN,Infinity, -Infinity]}]}')).toEqual([NaN, Infinity, -Infinity]);
  });

  it('has its parameters typed, and kept as they were sent', () => {
    expect(decode({ ...input('BOOL', [1], [true]), id: '', parameters: { timeout: 1500, priority: 2, binary_data_output: true, note: 'x' }, outputs: [{ name: 'a', parameters: { binary_data: false } }, { name: '__proto__', parameters: { binary_data: true, classification: 0 } }] })).toMatchObject({
      id: '', timeoutUs: 1500, priority: 2, binaryOutput: true, outputs: ['a', '__proto__'], parameters: { timeout: 1500, priority: 2, binary_data_output: true, note: 'x' },
      binaryOutputs: Object.fromEntries([['a', false], ['__proto__', true]]),
    });
    expect(decode({ ...input('BOOL', [1], [true]), parameters: { timeout: 0 } })).not.toHaveProperty('timeoutUs');
  });

  it('may name a tensor like something that every object has', () => {
    const { inputs } = decode({ inputs: ['__proto__', 'constructor'].map((name) => ({ name, datatype: 'INT8', shape: [1], data: [1] })) });
    expect(Object.keys(inputs)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(inputs)).toBe(Object.prototype);
  });

  const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  it.each<[string, unknown, string, RegExp]>([
    ['the protocol’s own broken example', input('BOOL', [3], [true]), '/inputs/0', /"x": data has 1 elements; shape \[3\] needs 3/],
    ['a ragged nest', input('FP32', [2, 2], [[1, 2], [3]]), '/inputs/0', /depth 2 has 1 elements instead of 2/],
    ['a nest of another shape', input('FP32', [3, 2], [[1, 2, 3], [4, 5, 6]]), '/inputs/0', /depth 1 has 2 elements instead of 3/],
    ['a nest too deep', input('FP32', [1, 1], [[[1]]]), '/inputs/0', /element 0 is a list, not a number/],
    ['a nest that is flat in between', input('FP32', [2, 1], [[1], 2]), '/inputs/0', /there is 2 at depth 1 instead of a list/],
    ['a nest of 100,000 lists', `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":${deep(1e5)}}]}`, '/inputs/0', /a list, not a number|instead of/],
    ['a negative dimension', input('FP32', [-1], [1]), '/inputs/0/shape', /integers >= 0/],
    ['a fractional dimension', input('FP32', [1.5], [1]), '/inputs/0/shape', /integers/],
    ['a shape beyond all memory', input('FP32', [1e9, 1e9, 1e9], []), '/inputs/0/shape', /within 2\^53/],
    ['a shape beyond all memory behind a zero', input('FP32', [0, 1e9, 1e9], []), '/inputs/0/shape', /within 2\^53/],
    ['a shape larger than its text', input('FP32', [2, 1e9], [[1], [2]]), '/inputs/0', /fewer elements than shape/],
    ['33 dimensions', input('FP32', Array.from({ length: 33 }, () => 1), [1]), '/inputs/0/shape', /at most 32/],
    ['an unknown datatype', input('FP31', [1], [1]), '/inputs/0/datatype', /one of BOOL, /],
    ['BF16', input('BF16', [1], [1]), '/inputs/0/datatype', /one of BOOL, /],
    ['no data', input('FP32', [1], undefined), '/inputs/0', /neither data nor binary_data_size/],
    ['data that is no list', input('FP32', [1], 1), '/inputs/0', /must be a list/],
    ['no inputs', {}, '/inputs', /list of tensors/],
    ['an input that is a number', { inputs: [7] }, '/inputs/0', /must be an object/],
    ['a fraction for an integer', input('INT32', [2], [1, 1.5]), '/inputs/0', /element 1 is 1.5, not an integer/],
    ['an integer out of range', input('UINT8', [1], [256]), '/inputs/0', /256, outside UINT8/],
    ['a negative UINT64', input('UINT64', [1], [-1]), '/inputs/0', /-1, outside UINT64/],
    ['2^63 as INT64', '{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[9223372036854775808]}]}', '/inputs/0', /9223372036854775808, outside INT64/],
    ['2^64 as UINT64', '{"inputs":[{"name":"x","datatype":"UINT64","shape":[1],"data":[18446744073709551616]}]}', '/inputs/0', /outside UINT64/],
    ['a large integer that is not written out', input('INT64', [1], [2 ** 60]).inputs.length === 1 ? '{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[1e18]}]}' : '', '/inputs/0', /plain digits/],
    ['an infinite integer', '{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[1e999]}]}', '/inputs/0', /plain digits|not an integer/],
    ['null for a number', input('FP32', [1], [null]), '/inputs/0', /null, not a number/],
    ['a text for a number', input('FP32', [1], ['1']), '/inputs/0', /"1", not a number/],
    ['a number too large for 64 bits', '{"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":[1e999]}]}', '/inputs/0', /too large for FP64/],
    ['a number too large for 32 bits', input('FP32', [1], [3.5e38]), '/inputs/0', /too large for FP32/],
    ['a number too large for 16 bits', input('FP16', [1], [65_520]), '/inputs/0', /too large for FP16/],
    ['1 for true', input('BOOL', [1], [1]), '/inputs/0', /not true or false/],
    ['a number for a text', input('BYTES', [1], [1]), '/inputs/0', /not a text/],
    ['a text with a NUL', input('BYTES', [1], ['a\0b']), '/inputs/0', /NUL/],
    ['half of a surrogate pair', input('BYTES', [1], ['\ud800']), '/inputs/0', /surrogate/],
    ['an input given twice', { inputs: [...input('FP32', [1], [1]).inputs, ...input('FP32', [1], [2]).inputs] }, '/inputs/1/name', /given twice/],
    ['an output asked for twice', { ...input('FP32', [1], [1]), outputs: [{ name: 'y' }, { name: 'y' }] }, '/outputs/1/name', /twice/],
    ['outputs that are no list', { ...input('FP32', [1], [1]), outputs: {} }, '/outputs', /list/],
    ['an output without a name', { ...input('FP32', [1], [1]), outputs: [{}] }, '/outputs/0/name', /text/],
    ['the classification extension', { ...input('FP32', [1], [1]), outputs: [{ name: 'y', parameters: { classification: 3 } }] }, '/outputs/0/parameters/classification', /not supported/],
    ['shared memory', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], parameters: { shared_memory_region: 'r', shared_memory_byte_size: 4 } }] }, '/inputs/0/parameters/shared_memory_region', /not supported/],
    ['an output binary by a text', { ...input('FP32', [1], [1]), outputs: [{ name: 'y', parameters: { binary_data: 'yes' } }] }, '/outputs/0/parameters/binary_data', /true or false/],
    ['a binary tensor in a body without binary data', binaryInput('FP32', [1], 4), '/inputs/0', /Inference-Header-Content-Length/],
    ['an id that is no text', { ...input('FP32', [1], [1]), id: 7 }, '/id', /text/],
    ['a parameter that is a list', { ...input('FP32', [1], [1]), parameters: { 'p/~': [] } }, '/parameters/p~1~0', /truth value/],
    ['parameters that are a list', { ...input('FP32', [1], [1]), parameters: [] }, '/parameters', /object/],
    ['a negative timeout', { ...input('FP32', [1], [1]), parameters: { timeout: -1 } }, '/parameters/timeout', /microseconds/],
    ['a timeout in words', { ...input('FP32', [1], [1]), parameters: { timeout: 'soon' } }, '/parameters/timeout', /microseconds/],
    ['a fractional priority', { ...input('FP32', [1], [1]), parameters: { priority: 1.5 } }, '/parameters/priority', /integer/],
  ])('is refused with %s', (_case, body, path, message) => {
    expect(() => decode(body)).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID', details: { mistakes: [{ path, message: expect.stringMatching(message) }] } }));
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /no JSON/],
    ['half a message', utf8.encode('{"inputs":['), /no JSON/],
    ['half a message with a bare NaN', utf8.encode('{"inputs":[NaN'), /no JSON/],
    ['a list', utf8.encode('[]'), /must be a JSON object/],
    ['null', utf8.encode('null'), /must be a JSON object/],
    ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /not UTF-8/],
    ['a strange member of 101 levels', utf8.encode(`{"inputs":[{"name":"x","datatype":"INT8","shape":[0],"data":[]}],"more":${deep(101)}}`), /deeper than 100/],
    ['a strange member of 100,000 levels in a tensor', utf8.encode(`{"inputs":[{"name":"x","datatype":"INT8","shape":[0],"data":[],"more":${deep(1e5)}}]}`), /deeper than 100/],
    ['integers to be read again beside 100,000 levels', utf8.encode(`{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[9007199254740993]}],"more":${deep(1e5)}}`), /deeper than 100/],
  ])('is refused when it is %s', (_case, body, message) => {
    expect(() => decodeInferRequest(body)).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID', message: expect.stringMatching(message) }));
  });

  it('is told all its mistakes at once', () => {
    expect(() => decode({ inputs: [{ name: '', datatype: 'FP32', shape: [1], data: [1] }, { name: 'b', datatype: 'x', shape: 'y', data: [] }] })).toThrow(/inputs\/0\/name.*inputs\/1\/shape.*inputs\/1\/datatype/);
  });

  it('never crashes on any JSON, and says TENSOR_INVALID', () => {
    const almost = fc.record({ name: fc.jsonValue(), shape: fc.jsonValue(), datatype: fc.oneof(fc.constantFrom('FP32', 'BYTES', 'BOOL', 'INT64'), fc.jsonValue()), data: fc.jsonValue(), parameters: fc.jsonValue() }, { requiredKeys: [] });
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.record({ id: fc.jsonValue(), inputs: fc.oneof(fc.array(almost), fc.jsonValue()), outputs: fc.jsonValue(), parameters: fc.jsonValue() }, { requiredKeys: [] })), (body) => {
      try {
        decode(body);
      } catch (error) {
        expect(error).toMatchObject({ name: 'MillraceError', code: 'TENSOR_INVALID' });
      }
    }), { numRuns: 2_000 });
  });
});

describe('a request with binary tensors', () => {
  it('has them in the order of its inputs, beside inputs in JSON', () => {
    const message = { inputs: [
      { name: 'a', datatype: 'UINT32', shape: [2], parameters: { binary_data_size: 8 } },
      { name: 'b', datatype: 'INT8', shape: [1], data: [-3] },
      { name: 'c', datatype: 'BOOL', shape: [3], parameters: { binary_data_size: 3 } },
      { name: 'd', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: 11 } },
    ] };
    const { inputs } = binary(message, [1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 1, 3, 0, 0, 0, 0xe2, 0x82, 0xac, 0, 0, 0, 0]);
    expect(Object.values(inputs).map(({ data }) => [...data])).toEqual([[1, 4_294_967_295], [-3], [1, 0, 1], ['€', '']]);
  });

  it('keeps a byte order mark in a text', () => {
    expect(binary(binaryInput('BYTES', [1], 7), [3, 0, 0, 0, 0xef, 0xbb, 0xbf]).inputs['x']?.data).toEqual(['\ufeff']);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['too few bytes', () => binary(binaryInput('FP32', [2], 8), [0, 0, 0, 0]), /binary_data_size is 8; 4 bytes are left/],
    ['too many bytes', () => binary(binaryInput('FP32', [1], 4), [0, 0, 0, 0, 1]), /1 bytes are left over/],
    ['a size that is not the shape’s', () => binary(binaryInput('FP32', [1], 8), [0, 0, 0, 0, 0, 0, 0, 0]), /FP32 of shape \[1\] has 4 bytes/],
    ['a negative size', () => binary(binaryInput('FP32', [1], -4), []), /bytes >= 0/],
    ['a size in words', () => binary(binaryInput('FP32', [1], '4'), [0, 0, 0, 0]), /bytes >= 0/],
    ['data as well', () => binary(binaryInput('FP32', [1], 4, { data: [1] }), [0, 0, 0, 0]), /both data and binary_data_size/],
    ['a byte 2 for a truth value', () => binary(binaryInput('BOOL', [1], 1), [2]), /neither 0 nor 1/],
    ['a text that ends early', () => binary(binaryInput('BYTES', [1], 5), [9, 0, 0, 0, 65]), /claims 9 bytes; 1 are left/],
    ['a text longer than 2^31', () => binary(binaryInput('BYTES', [1], 4), [255, 255, 255, 255]), /claims 4294967295 bytes/],
    ['half a length', () => binary(binaryInput('BYTES', [2], 8), [4, 0, 0, 0, 65, 65, 65, 65]), /ends before the length of element 1/],
    ['bytes after the last text', () => binary(binaryInput('BYTES', [1], 5), [0, 0, 0, 0, 65]), /1 bytes are left over/],
    ['too few bytes for so many texts', () => binary(binaryInput('BYTES', [1e15], 4), [0, 0, 0, 0]), /too few/],
    ['a text that is no UTF-8', () => binary(binaryInput('BYTES', [1], 5), [1, 0, 0, 0, 0xff]), /not UTF-8/],
    ['a NUL in a text', () => binary(binaryInput('BYTES', [1], 7), [3, 0, 0, 0, 65, 0, 66]), /NUL/],
    ['a header beyond the body', () => binary(input('INT8', [0], []), [], 9_999), /Inference-Header-Content-Length is 9999/],
    ['a header that cuts the JSON', () => binary(input('INT8', [0], []), [], 10), /no JSON/],
  ])('is refused with %s', (_case, work, message) => {
    expect(work).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID', message: expect.stringMatching(message) }));
  });
});

describe('a request of nothing but bytes', () => {
  const raw = (datatype: TensorSpec['datatype'], shape: number[], ...bytes: number[]) => decodeInferRequest(Uint8Array.from(bytes), { headerLength: 0, rawInput: () => ({ name: 'x', datatype, shape }) });

  it('fills the free dimension of the one input, and wants all outputs in binary', () => {
    expect(raw('UINT16', [-1, 2], 1, 0, 2, 0, 3, 0, 4, 0)).toEqual({ parameters: {}, binaryOutput: true, inputs: { x: { datatype: 'UINT16', shape: [2, 2], data: Uint16Array.of(1, 2, 3, 4) } } });
    expect(raw('UINT8', [-1, -1], 5, 6).inputs['x']?.shape).toEqual([1, 2]);
    expect(raw('BYTES', [-1], 72, 105).inputs['x']).toEqual({ datatype: 'BYTES', shape: [1], data: ['Hi'] });
  });

  it.each<[string, () => unknown]>([
    ['bytes that do not fill it', () => raw('UINT16', [-1, 2], 1, 0, 2)],
    ['more bytes than a fixed shape has', () => raw('UINT8', [2], 1, 2, 3)],
    ['several free dimensions', () => raw('UINT8', [2, -1, -1], 1, 2)],
    ['bytes that are no text', () => raw('BYTES', [-1], 0xff)],
    ['no model that takes it', () => decodeInferRequest(Uint8Array.of(1), { headerLength: 0 })],
  ])('is refused with %s', (_case, work) => {
    expect(work).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
  });
});

describe('outputs', () => {
  it('are those asked for, in that order', () => {
    const outputs = Object.fromEntries(['a', 'b', 'c'].map((key): [string, Tensor] => [key, { datatype: 'BYTES', shape: [1], data: [key] }]));
    expect(Object.keys(selectOutputs(outputs, ['c', 'a']))).toEqual(['c', 'a']);
    expect(selectOutputs(outputs, undefined)).toBe(outputs);
    expect(() => selectOutputs(outputs, ['toString'])).toThrow(/no output toString; it has a, b, c/);
  });
});
