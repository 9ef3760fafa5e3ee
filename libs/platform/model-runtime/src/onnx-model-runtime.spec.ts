// Goal: the port gives exactly what a model computes, for every datatype, and says clearly what is wrong otherwise.
// Method: models written byte by byte from the ONNX schema (src/testing), so that nothing here was made by the runtime
// itself; expected values come from the closed form of each model (identity, sums, the logistic function).
import { describe, expect, it } from '@jest/globals';
import { OnnxModelRuntime, type Datatype, type Tensor, type Tensors } from './index.js';
import { batchSumModel, identityModel, logisticModel, sumAndDifferenceModel, writeOnnx } from './testing/index.js';

const runtime = new OnnxModelRuntime();
const logistic = (z: number): number => 1 / (1 + Math.exp(-z));
const lateness = logisticModel({
  numbers: { distance: { weight: 2, impute: 0.5 } },
  categories: { carrier: { AA: 1, UA: -1 } },
  intercept: 0.1,
});
const features = (distance: number[], carrier: string[]): Tensors => ({
  distance: { datatype: 'FP32', shape: [distance.length, 1], data: Float32Array.from(distance) },
  carrier: { datatype: 'BYTES', shape: [carrier.length, 1], data: carrier },
});

const extremes: { readonly [D in Datatype]: Extract<Tensor, { datatype: D }>['data'] } = {
  BOOL: Uint8Array.of(0, 1, 1),
  UINT8: Uint8Array.of(0, 1, 255),
  UINT16: Uint16Array.of(0, 1, 65_535),
  UINT32: Uint32Array.of(0, 1, 4_294_967_295),
  UINT64: BigUint64Array.of(0n, 9_007_199_254_740_993n, 18_446_744_073_709_551_615n),
  INT8: Int8Array.of(-128, 0, 127),
  INT16: Int16Array.of(-32_768, 0, 32_767),
  INT32: Int32Array.of(-2_147_483_648, 0, 2_147_483_647),
  INT64: BigInt64Array.of(-9_223_372_036_854_775_808n, 9_007_199_254_740_993n, 0n),
  FP16: Uint16Array.of(0x3c00, 0x7c00, 0x7e00),
  FP32: Float32Array.of(-0, Infinity, NaN),
  FP64: Float64Array.of(Number.MIN_VALUE, -Infinity, NaN),
  BYTES: ['', 'é 漢字 🛫', 'line\nbreak'],
};

describe('ONNX model runtime', () => {
  it('carries every datatype through unchanged, with its extremes', async () => {
    for (const [datatype, data] of Object.entries(extremes)) {
      const model = await runtime.load(identityModel(datatype as Datatype));
      expect(model.inputs).toEqual([{ name: 'x', datatype, shape: [-1, 1] }]);
      const x = { datatype, shape: [3, 1], data } as Tensor;
      expect(await model.run({ x })).toEqual({ y: x });
      await model.close();
    }
  });

  it('computes a logistic model with imputation and categories inside the graph', async () => {
    const model = await runtime.load(lateness);
    const { label, probabilities } = await model.run(features([0.3, NaN, -1, 0], ['AA', 'unheard of', '', 'UA']));
    const expected = [0.1 + 0.6 + 1, 0.1 + 2 * 0.5, 0.1 - 2, 0.1 - 1].map(logistic);
    expect(label?.data).toEqual(BigInt64Array.of(1n, 1n, 0n, 0n));
    expect(probabilities?.shape).toEqual([4, 2]);
    expected.forEach((p, row) => {
      expect(Number(probabilities?.data[2 * row + 1])).toBeCloseTo(p, 6);
      expect(Number(probabilities?.data[2 * row])).toBeCloseTo(1 - p, 6);
    });
    await model.close();
  });

  it('computes several inputs and outputs', async () => {
    const model = await runtime.load(sumAndDifferenceModel());
    const first = Int32Array.from({ length: 16 }, (_, index) => index);
    const ones = new Int32Array(16).fill(1);
    const outputs = await model.run({ INPUT0: { datatype: 'INT32', shape: [1, 16], data: first }, INPUT1: { datatype: 'INT32', shape: [1, 16], data: ones } });
    expect(outputs['OUTPUT0']?.data).toEqual(first.map((x) => x + 1));
    expect(outputs['OUTPUT1']?.data).toEqual(first.map((x) => x - 1));
    await model.close();
  });

  it('answers an empty batch with empty outputs', async () => {
    const model = await runtime.load(lateness);
    const { label, probabilities } = await model.run(features([], []));
    expect([label?.shape, probabilities?.shape]).toEqual([[0], [0, 2]]);
    await model.close();
  });

  it('loads the same bytes from a view that does not start at the beginning of its memory', async () => {
    const shifted = Buffer.concat([Buffer.alloc(3), batchSumModel()]).subarray(3);
    const model = await runtime.load(shifted);
    expect((await model.run({ x: { datatype: 'FP32', shape: [3, 1], data: Float32Array.of(1, 2, 4) } }))['y']?.data).toEqual(Float32Array.of(7));
    await model.close();
  });
});

describe('what cannot be loaded or run', () => {
  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['not ONNX', Buffer.from('PK\u0003\u0004 a zip file, say')],
    ['cut short', lateness.subarray(0, lateness.length - 40)],
    ['an operator that does not exist', writeOnnx({ inputs: [], outputs: [{ name: 'y', type: 'FP32', shape: [1] }], nodes: [{ op: 'Telepathy', inputs: [], outputs: ['y'] }] })],
  ])('refuses %s', async (_case, bytes) => {
    await expect(runtime.load(bytes)).rejects.toMatchObject({ name: 'MillraceError', code: 'MODEL_LOAD_FAILED' });
  });

  it('refuses a file that does not match its signature, naming each difference', async () => {
    const signature = {
      inputs: [{ name: 'distance', datatype: 'FP64' }, { name: 'origin', datatype: 'BYTES' }],
      outputs: [{ name: 'label', datatype: 'INT64' }, { name: 'probabilities', datatype: 'FP32' }],
    };
    await expect(runtime.load(lateness, signature)).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringMatching(/distance is FP32, not FP64; input origin is not in the file; the file has an unexpected input carrier/),
    });
  });

  const good = features([1, 2], ['AA', 'UA']);
  it.each<[string, Tensors, RegExp]>([
    ['a missing input', { distance: good['distance'] as Tensor }, /input carrier is missing/],
    ['an unknown input', { ...good, weight: good['distance'] as Tensor }, /no input weight/],
    ['another datatype', { ...good, carrier: good['distance'] as Tensor }, /carrier is FP32; the model takes BYTES/],
    ['another rank', { ...good, distance: { datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) } }, /shape \[2\]; the model takes \[-1, 1\]/],
    ['another trailing dimension', { ...good, distance: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) } }, /shape \[1, 2\]/],
    ['too few elements', { ...good, distance: { datatype: 'FP32', shape: [2, 1], data: Float32Array.of(1) } }, /1 elements; shape \[2, 1\] needs 2/],
    ['a negative dimension', { ...good, distance: { datatype: 'FP32', shape: [-2, 1], data: new Float32Array() } }, /impossible shape/],
    ['a NUL in a text, which the runtime would cut', { ...good, carrier: { datatype: 'BYTES', shape: [2, 1], data: ['A\0A', 'UA'] } }, /element 0 .*NUL/],
    ['an unpaired surrogate, which it would replace', { ...good, carrier: { datatype: 'BYTES', shape: [2, 1], data: ['AA', '\ud800'] } }, /element 1 /],
  ])('refuses %s before anything runs', async (_case, feeds, message) => {
    const model = await runtime.load(lateness);
    await expect(model.run(feeds)).rejects.toMatchObject({ code: 'TENSOR_INVALID', message: expect.stringMatching(message) });
    await model.close();
  });

  it('does not take __proto__ or constructor for a given input', async () => {
    const model = await runtime.load(identityModel('FP32'));
    await expect(model.run({ constructor: { datatype: 'FP32' as const, shape: [1, 1], data: Float32Array.of(1) } })).rejects.toMatchObject({
      message: 'input x is missing; the model has no input constructor',
    });
    await model.close();
  });

  it('reports a failure inside the runtime as MODEL_RUN_FAILED', async () => {
    // Both inputs fit their declarations; only the addition finds out that 2 and 3 columns do not go together.
    const model = await runtime.load(writeOnnx({
      inputs: [{ name: 'a', type: 'FP32', shape: ['n', 'p'] }, { name: 'b', type: 'FP32', shape: ['n', 'q'] }],
      outputs: [{ name: 'y', type: 'FP32', shape: ['n', 'r'] }],
      nodes: [{ op: 'Add', inputs: ['a', 'b'], outputs: ['y'] }],
    }));
    const row = (columns: number): Tensor => ({ datatype: 'FP32', shape: [1, columns], data: new Float32Array(columns) });
    await expect(model.run({ a: row(2), b: row(3) })).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED' });
    expect((await model.run({ a: row(2), b: row(2) }))['y']?.shape).toEqual([1, 2]);
    await model.close();
  });

  it('lets runs in flight finish on close, and refuses later ones', async () => {
    const model = await runtime.load(identityModel('FP32'));
    const x: Tensor = { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(5) };
    const inFlight = model.run({ x });
    const closing = [model.close(), model.close()];
    expect((await inFlight)['y']?.data).toEqual(Float32Array.of(5));
    await Promise.all(closing);
    await expect(model.run({ x })).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });
});
