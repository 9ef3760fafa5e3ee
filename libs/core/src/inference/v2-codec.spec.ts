// Goal: every tensor that can be said in the protocol comes back as it was, in JSON, in binary and mixed.
// Method: encode∘decode = identity on random tensors of all 13 datatypes, compared by their bits.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeInferRequest, decodeInferResponse, encodeInferRequest, encodeInferResponse, type InferRequest, type Tensor, type Tensors } from './index.js';

/** One dimension, two or four, with the same number of elements. */
const shapeOf = (count: number): fc.Arbitrary<number[]> =>
  fc.constantFrom<number[]>([count], [1, count], [count, 1, 1], [0, 3], [2, count / 2]).filter((shape) => shape.every(Number.isInteger) && shape.reduce((product, dim) => product * dim, 1) === count);

const shaped = <T>(elements: fc.Arbitrary<T[]>, tensor: (elements: T[], shape: number[]) => Tensor): fc.Arbitrary<Tensor> =>
  elements.chain((list) => shapeOf(list.length).map((shape) => tensor(list, shape)));

const integers = (min: number, max: number) => fc.array(fc.integer({ min, max }));
// All NaN of FP16 are one in JSON.
const halfBits = fc.integer({ min: 0, max: 0xffff }).map((bits) => ((bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0 ? 0x7e00 : bits));
const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '0')).filter((value) => !/\p{Surrogate}/u.test(value));

const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  shaped(fc.array(fc.boolean()), (v, shape) => ({ datatype: 'BOOL', shape, data: Uint8Array.from(v, Number) })),
  shaped(integers(0, 255), (v, shape) => ({ datatype: 'UINT8', shape, data: Uint8Array.from(v) })),
  shaped(integers(0, 65_535), (v, shape) => ({ datatype: 'UINT16', shape, data: Uint16Array.from(v) })),
  shaped(integers(0, 4_294_967_295), (v, shape) => ({ datatype: 'UINT32', shape, data: Uint32Array.from(v) })),
  shaped(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), (v, shape) => ({ datatype: 'UINT64', shape, data: BigUint64Array.from(v) })),
  shaped(integers(-128, 127), (v, shape) => ({ datatype: 'INT8', shape, data: Int8Array.from(v) })),
  shaped(integers(-32_768, 32_767), (v, shape) => ({ datatype: 'INT16', shape, data: Int16Array.from(v) })),
  shaped(integers(-2_147_483_648, 2_147_483_647), (v, shape) => ({ datatype: 'INT32', shape, data: Int32Array.from(v) })),
  shaped(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), (v, shape) => ({ datatype: 'INT64', shape, data: BigInt64Array.from(v) })),
  shaped(fc.array(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n })), (v, shape) => ({ datatype: 'INT64', shape, data: BigInt64Array.from(v) })),
  shaped(fc.array(halfBits), (v, shape) => ({ datatype: 'FP16', shape, data: Uint16Array.from(v) })),
  shaped(fc.array(fc.float()), (v, shape) => ({ datatype: 'FP32', shape, data: Float32Array.from(v) })),
  shaped(fc.array(fc.double()), (v, shape) => ({ datatype: 'FP64', shape, data: Float64Array.from(v) })),
  shaped(fc.array(text), (v, shape) => ({ datatype: 'BYTES', shape, data: v })),
);
const name = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', 'constructor', 'toString', 'ä"\n'));
const tensors = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 4 }).map((entries): Tensors => Object.fromEntries(entries));

/** The bits of numbers, so that -0 is not 0 and NaN is NaN. */
const bits = ({ datatype, shape, data }: Tensor) => ({ datatype, shape, data: ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex') : data });
const bitsOf = (all: Tensors) => Object.entries(all).map(([key, value]) => [key, bits(value)]);

const request: fc.Arbitrary<InferRequest> = fc.record({
  id: fc.string(),
  parameters: fc.dictionary(fc.string().filter((key) => !['timeout', 'priority', 'binary_data_output', '__proto__'].includes(key)), fc.oneof(fc.string(), fc.maxSafeInteger(), fc.boolean()), { noNullPrototype: true }),
  inputs: tensors,
  outputs: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
  timeoutUs: fc.integer({ min: 1, max: 1e9 }),
  priority: fc.integer({ min: 0, max: 9 }),
  binaryOutput: fc.boolean(),
}, { requiredKeys: ['parameters', 'inputs'] });

describe('round trip', () => {
  it('of any request, in JSON, binary and mixed, wherever its body lies in memory', () => {
    fc.assert(fc.property(request, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.integer({ min: 0, max: 7 }), (sent, inBinary, offset) => {
      const binary = new Set(Object.keys(sent.inputs).filter((_, index) => inBinary[index]));
      const { body, headerLength } = encodeInferRequest(sent, binary);
      expect(headerLength === null).toBe(binary.size === 0);
      const memory = new Uint8Array(body.length + offset);
      memory.set(body, offset);
      const { inputs, parameters, ...rest } = decodeInferRequest(memory.subarray(offset), { headerLength: headerLength ?? undefined });
      const { inputs: sentInputs, parameters: sentParameters, ...sentRest } = sent;
      expect(bitsOf(inputs)).toEqual(bitsOf(sentInputs));
      expect(rest).toEqual(sentRest);
      expect(parameters).toMatchObject(sentParameters);
    }), { numRuns: 2_000 });
  });

  it('of any response, in the form that was asked for', () => {
    fc.assert(fc.property(tensors, fc.string(), fc.boolean(), fc.array(fc.boolean(), { maxLength: 4 }), (outputs, id, binaryOutput, single) => {
      const binaryOutputs = Object.fromEntries(Object.keys(outputs).flatMap((key, index) => (single[index] === undefined ? [] : [[key, single[index]]])));
      const { body, headerLength } = encodeInferResponse({ modelName: 'm', modelVersion: '1.0', id, outputs }, { binaryOutput, binaryOutputs });
      const back = decodeInferResponse(body, headerLength ?? undefined);
      expect({ ...back, outputs: bitsOf(back.outputs) }).toEqual({ modelName: 'm', modelVersion: '1.0', id, outputs: bitsOf(outputs) });
      const header: { outputs: { name: string; parameters?: object; data?: unknown }[] } = JSON.parse(new TextDecoder().decode(body.subarray(0, headerLength ?? body.length)));
      for (const output of header.outputs) {
        const wanted = Object.hasOwn(binaryOutputs, output.name) ? binaryOutputs[output.name] : binaryOutput;
        expect('data' in output).toBe(!wanted);
      }
    }), { numRuns: 1_000 });
  });
});

describe('an answer', () => {
  const encoded = (outputs: Tensors): string => new TextDecoder().decode(encodeInferResponse({ modelName: 'm', outputs }).body);

  it('writes 64-bit integers exactly, and always an id', () => {
    expect(encoded({ y: { datatype: 'INT64', shape: [3], data: BigInt64Array.of(9_007_199_254_740_993n, -9_223_372_036_854_775_808n, -1n) } })).toBe(
      '{"model_name":"m","id":"","outputs":[{"name":"y","datatype":"INT64","shape":[3],"data":[9007199254740993,-9223372036854775808,-1]}]}',
    );
    expect(encoded({ y: { datatype: 'UINT64', shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) } })).toContain('[18446744073709551615]');
  });

  it('writes floats short, the sign of zero, and what is no number as a text', () => {
    expect(encoded({ y: { datatype: 'FP32', shape: [4], data: Float32Array.of(0.1, -0, NaN, -Infinity) } })).toContain('"data":[0.1,-0.0,"NaN","-Infinity"]');
    expect(encoded({ y: { datatype: 'FP64', shape: [2], data: Float64Array.of(0.1, 1e300) } })).toContain('"data":[0.1,1e+300]');
    expect(encoded({ y: { datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) } })).toContain('"data":[true,false]');
  });

  it('has binary data after the JSON part, in the order of the outputs', () => {
    const { body, headerLength } = encodeInferResponse({ modelName: 'm', outputs: { a: { datatype: 'UINT16', shape: [1], data: Uint16Array.of(0x0102) }, b: { datatype: 'BYTES', shape: [1], data: ['é'] } } }, { binaryOutput: true });
    expect([...body.subarray(headerLength ?? 0)]).toEqual([2, 1, 2, 0, 0, 0, 0xc3, 0xa9]);
  });

  it('gives no half of a surrogate pair in binary, where it would become another character', () => {
    expect(() => encodeInferResponse({ modelName: 'm', outputs: { y: { datatype: 'BYTES', shape: [1], data: ['\ud800'] } } }, { binaryOutput: true })).toThrow(/y: element 0 has half of a surrogate pair/);
  });
});
