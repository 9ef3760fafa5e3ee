// Goal: the JSON codec of the Open Inference Protocol is exact for every datatype and refuses bad messages with the place.
// Method: encode∘decode = identity on random tensors; messages and negative cases from the protocol text (its own example
// with shape [3] and one element is one of them); half-precision values from the IEEE 754 tables.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { fromHalfBits, toHalfBits } from './half-precision.js';
import { decodeInferRequest, decodeInferResponse, encodeInferRequest, encodeInferResponse, modelMetadata, selectOutputs, serverMetadata, type Datatype, type Tensor } from './index.js';

const safe = { min: BigInt(Number.MIN_SAFE_INTEGER), max: BigInt(Number.MAX_SAFE_INTEGER) };
const finite = { noNaN: true, noDefaultInfinity: true } as const;
const finiteHalf = fc.integer({ min: 0, max: 0xffff }).filter((bits) => (bits & 0x7c00) !== 0x7c00);
const integers = (min: number, max: number) => fc.array(fc.integer({ min, max }));

const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  fc.array(fc.boolean()).map((v): Tensor => ({ datatype: 'BOOL', shape: [v.length], data: Uint8Array.from(v, Number) })),
  integers(0, 255).map((v): Tensor => ({ datatype: 'UINT8', shape: [v.length], data: Uint8Array.from(v) })),
  integers(0, 65_535).map((v): Tensor => ({ datatype: 'UINT16', shape: [v.length, 1], data: Uint16Array.from(v) })),
  integers(0, 4_294_967_295).map((v): Tensor => ({ datatype: 'UINT32', shape: [v.length], data: Uint32Array.from(v) })),
  fc.array(fc.bigInt({ min: 0n, max: safe.max })).map((v): Tensor => ({ datatype: 'UINT64', shape: [v.length], data: BigUint64Array.from(v) })),
  integers(-128, 127).map((v): Tensor => ({ datatype: 'INT8', shape: [1, v.length], data: Int8Array.from(v) })),
  integers(-32_768, 32_767).map((v): Tensor => ({ datatype: 'INT16', shape: [v.length], data: Int16Array.from(v) })),
  integers(-2_147_483_648, 2_147_483_647).map((v): Tensor => ({ datatype: 'INT32', shape: [v.length], data: Int32Array.from(v) })),
  fc.array(fc.bigInt(safe)).map((v): Tensor => ({ datatype: 'INT64', shape: [v.length], data: BigInt64Array.from(v) })),
  fc.array(finiteHalf).map((v): Tensor => ({ datatype: 'FP16', shape: [v.length], data: Uint16Array.from(v) })),
  fc.array(fc.float(finite)).map((v): Tensor => ({ datatype: 'FP32', shape: [v.length], data: Float32Array.from(v) })),
  fc.array(fc.double(finite)).map((v): Tensor => ({ datatype: 'FP64', shape: [v.length], data: Float64Array.from(v) })),
  fc.array(fc.string({ unit: 'binary' })).map((v): Tensor => ({ datatype: 'BYTES', shape: [v.length], data: v })),
);
const name = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', 'constructor', 'toString'));

describe('round trip', () => {
  it('of any request and response through JSON text', () => {
    fc.assert(fc.property(fc.dictionary(name, tensor, { noNullPrototype: true }), fc.option(fc.string(), { nil: undefined }), (tensors, id) => {
      const request = { ...(id === undefined ? {} : { id }), parameters: { priority: 1, note: 'x', fast: true }, inputs: tensors, outputs: ['y'] };
      expect(decodeInferRequest(JSON.parse(encodeInferRequest(request)))).toEqual(request);
      const response = { modelName: 'm', modelVersion: '3', id: id ?? '', outputs: tensors };
      expect(decodeInferResponse(JSON.parse(encodeInferResponse(response)))).toEqual(response);
    }), { numRuns: 500 });
  });

  it('never crashes on any JSON, and says TENSOR_INVALID', () => {
    const almost = fc.record({ name: fc.jsonValue(), shape: fc.jsonValue(), datatype: fc.oneof(fc.constantFrom('FP32', 'BYTES', 'BOOL', 'INT64'), fc.jsonValue()), data: fc.jsonValue() }, { requiredKeys: [] });
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.record({ id: fc.jsonValue(), inputs: fc.oneof(fc.array(almost), fc.jsonValue()), outputs: fc.jsonValue(), parameters: fc.jsonValue() }, { requiredKeys: [] })), (body) => {
      try {
        decodeInferRequest(body);
      } catch (error) {
        expect(error).toMatchObject({ name: 'MillraceError', code: 'TENSOR_INVALID' });
      }
    }), { numRuns: 2_000 });
  });
});

const input = (datatype: string, shape: unknown, data: unknown) => ({ inputs: [{ name: 'x', datatype, shape, data }] });

describe('a request', () => {
  it('may nest its data', () => {
    const nested = input('INT32', [2, 3, 1], [[[1], [2], [3]], [[4], [5], [6]]]);
    const flat = input('INT32', [2, 3, 1], [1, 2, 3, 4, 5, 6]);
    expect(decodeInferRequest(nested)).toEqual(decodeInferRequest(flat));
  });

  it('may have a scalar, an empty tensor, and no list of outputs', () => {
    expect(decodeInferRequest(input('FP64', [], [2.5]))).toEqual({ parameters: {}, inputs: { x: { datatype: 'FP64', shape: [], data: Float64Array.of(2.5) } } });
    expect(decodeInferRequest(input('BYTES', [0, 4], [])).inputs['x']).toEqual({ datatype: 'BYTES', shape: [0, 4], data: [] });
    expect(decodeInferRequest({ ...input('BOOL', [1], [true]), outputs: [] })).not.toHaveProperty('outputs');
  });

  it.each<[string, unknown, string, RegExp]>([
    ['the protocol’s own broken example', input('BOOL', [3], [true]), '/inputs/0', /x: data has 1 elements; shape \[3\] needs 3/],
    ['a ragged nest', input('FP32', [2, 2], [[1, 2], [3]]), '/inputs/0', /depth 2 has 1 elements instead of 2/],
    ['a nest of another shape', input('FP32', [3, 2], [[1, 2, 3], [4, 5, 6]]), '/inputs/0', /depth 1 has 2 elements instead of 3/],
    ['a nest too deep', input('FP32', [1, 1], [[[1]]]), '/inputs/0', /element 0 is \[1\], not a number/],
    ['a negative dimension', input('FP32', [-1], [1]), '/inputs/0/shape', /integers >= 0/],
    ['a fractional dimension', input('FP32', [1.5], [1]), '/inputs/0/shape', /integers/],
    ['a shape beyond all memory', input('FP32', [1e9, 1e9, 1e9], []), '/inputs/0/shape', /integers/],
    ['an unknown datatype', input('FP31', [1], [1]), '/inputs/0/datatype', /one of BOOL, /],
    ['no data', input('FP32', [1], undefined), '/inputs/0', /data must be a list/],
    ['no inputs', {}, '/inputs', /list of tensors/],
    ['a fraction for an integer', input('INT32', [2], [1, 1.5]), '/inputs/0', /element 1 is 1.5, not an integer/],
    ['an integer out of range', input('UINT8', [1], [256]), '/inputs/0', /256, outside UINT8/],
    ['a negative UINT64', input('UINT64', [1], [-1]), '/inputs/0', /-1, outside UINT64/],
    ['an integer beyond 2^53', input('INT64', [1], [2 ** 53]), '/inputs/0', /beyond 2\^53 - 1/],
    ['null for a number', input('FP32', [1], [null]), '/inputs/0', /null, not a number \(NaN and infinity/],
    ['a number too large for 32 bits', input('FP32', [1], [3.5e38]), '/inputs/0', /too large for FP32/],
    ['a number too large for 16 bits', input('FP16', [1], [65_520]), '/inputs/0', /too large for FP16/],
    ['1 for true', input('BOOL', [1], [1]), '/inputs/0', /not true or false/],
    ['a number for a text', input('BYTES', [1], [1]), '/inputs/0', /not a text/],
    ['an input given twice', { inputs: [...input('FP32', [1], [1]).inputs, ...input('FP32', [1], [2]).inputs] }, '/inputs/1/name', /given twice/],
    ['an output asked for twice', { ...input('FP32', [1], [1]), outputs: [{ name: 'y' }, { name: 'y' }] }, '/outputs/1/name', /twice/],
    ['a binary tensor', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } }] }, '/inputs/0', /binary/],
    ['an id that is no text', { ...input('FP32', [1], [1]), id: 7 }, '/id', /text/],
    ['a parameter that is a list', { ...input('FP32', [1], [1]), parameters: { p: [] } }, '/parameters/p', /truth value/],
  ])('is refused with %s', (_case, body, path, message) => {
    expect(() => decodeInferRequest(body)).toThrow(expect.objectContaining({
      code: 'TENSOR_INVALID',
      details: { mistakes: [{ path, message: expect.stringMatching(message) }] },
    }));
  });

  it('is told all its mistakes at once', () => {
    const body = { inputs: [{ name: '', datatype: 'FP32', shape: [1], data: [1] }, { name: 'b', datatype: 'x', shape: 'y', data: [] }] };
    expect(() => decodeInferRequest(body)).toThrow(/inputs\/0\/name.*inputs\/1\/shape.*inputs\/1\/datatype/);
  });
});

describe('a response', () => {
  it('writes 64-bit integers exactly, and always an id', () => {
    const outputs = { y: { datatype: 'INT64' as const, shape: [2], data: BigInt64Array.of(9_007_199_254_740_993n, -9_223_372_036_854_775_808n) } };
    expect(encodeInferResponse({ modelName: 'm', outputs })).toBe(
      '{"model_name":"m","id":"","outputs":[{"name":"y","datatype":"INT64","shape":[2],"data":[9007199254740993,-9223372036854775808]}]}',
    );
  });

  it('keeps the sign of zero, which comparing values does not see', () => {
    const outputs = { y: { datatype: 'FP64' as const, shape: [2], data: Float64Array.of(-0, 0) } };
    expect(encodeInferResponse({ modelName: 'm', outputs })).toContain('"data":[-0,0]');
  });

  it.each([NaN, Infinity, -Infinity])('cannot hold %d in JSON, and says where', (value) => {
    const outputs = { y: { datatype: 'FP32' as const, shape: [2], data: Float32Array.of(1, value) } };
    expect(() => encodeInferResponse({ modelName: 'm', outputs })).toThrow(/y: element 1 is .* no JSON form/);
  });

  it('gives the outputs asked for, in that order', () => {
    const outputs = Object.fromEntries(['a', 'b', 'c'].map((key): [string, Tensor] => [key, { datatype: 'BYTES', shape: [1], data: [key] }]));
    expect(Object.keys(selectOutputs(outputs, ['c', 'a']))).toEqual(['c', 'a']);
    expect(selectOutputs(outputs, undefined)).toBe(outputs);
    expect(() => selectOutputs(outputs, ['toString'])).toThrow(/no output toString; it has a, b, c/);
  });
});

describe('metadata', () => {
  it('has the protocol’s members and no others', () => {
    const x = { name: 'x', datatype: 'FP32' satisfies Datatype, shape: [-1, 1], extra: 'no' };
    expect(modelMetadata('m', ['1'], { inputs: [x], outputs: [] })).toEqual({ name: 'm', versions: ['1'], platform: 'onnx_onnxv1', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }], outputs: [] });
    expect(serverMetadata('millrace', '0.1.0', [])).toEqual({ name: 'millrace', version: '0.1.0', extensions: [] });
  });
});

describe('half precision', () => {
  // IEEE 754 binary16, from the standard's tables.
  it.each([
    [0x0000, 0], [0x0001, 2 ** -24], [0x03ff, 1023 * 2 ** -24], [0x0400, 2 ** -14], [0x3555, 0.333251953125],
    [0x3bff, 1 - 2 ** -11], [0x3c00, 1], [0x3c01, 1 + 2 ** -10], [0x7bff, 65_504], [0x7c00, Infinity], [0xc000, -2], [0xfc00, -Infinity],
  ])('%d ↔ %d', (bits, value) => {
    expect(fromHalfBits(bits)).toBe(value);
    expect(toHalfBits(value)).toBe(bits);
  });

  it('gives back all 65,536 bit patterns, NaN as one of them', () => {
    for (let bits = 0; bits < 65_536; bits += 1) {
      const value = fromHalfBits(bits);
      if (Number.isNaN(value)) expect(toHalfBits(value)).toBe(0x7e00);
      else if (toHalfBits(value) !== bits) throw new Error(`${bits} came back as ${toHalfBits(value)}`);
    }
  });

  it('rounds to the nearest, ties to even', () => {
    expect(toHalfBits(1 + 2 ** -11)).toBe(0x3c00);
    expect(toHalfBits(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(toHalfBits(65_519.99)).toBe(0x7bff);
    expect(toHalfBits(65_520)).toBe(0x7c00);
    expect(toHalfBits(2 ** -25)).toBe(0);
    expect(toHalfBits(2 ** -14 - 2 ** -26)).toBe(0x0400);
    fc.assert(fc.property(fc.double({ min: -65_504, max: 65_504, noNaN: true }), (x) => {
      const bits = toHalfBits(x);
      const error = Math.abs(fromHalfBits(bits) - x);
      for (const neighbour of [bits - 1, bits + 1]) expect(Math.abs(fromHalfBits(neighbour & 0xffff) - x) >= error || (neighbour & 0x7c00) === 0x7c00).toBe(true);
    }));
  });
});
