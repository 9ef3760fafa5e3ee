// Goal: batching is invisible but for speed: every call gets the answer it would have got alone, and nobody else's fault.
// Method: random mixes of calls against the same model unbatched; a recording twin of LoadedModel for what is run when.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { BatchedModel, OnnxModelRuntime, type LoadedModel, type Tensor, type Tensors } from './index.js';
import { batchSumModel, logisticModel, writeOnnx } from './testing/index.js';

const runtime = new OnnxModelRuntime();
const column = (values: readonly number[]): Tensor => ({ datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values) });
const texts = (values: readonly string[]): Tensor => ({ datatype: 'BYTES', shape: [values.length, 1], data: values });

/** y = x row by row; runs wait for `release`, a row of -1 fails the whole run, as a native failure would. */
function recordingModel(): { model: LoadedModel; runs: number[]; release: () => void; closed: () => boolean } {
  const runs: number[] = [];
  let gate = Promise.resolve();
  let release = (): void => undefined;
  let closed = false;
  gate = new Promise<void>((resolve) => (release = resolve));
  const model: LoadedModel = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, -1] }],
    run: async (feeds) => {
      const x = feeds['x'] as Extract<Tensor, { datatype: 'FP32' }>;
      runs.push(x.shape[0] ?? 0);
      await gate;
      if (x.data.includes(-1)) throw new Error('poisoned');
      return { y: x };
    },
    close: async () => void (closed = true),
  };
  return { model, runs, release: () => release(), closed: () => closed };
}

describe('batched ≡ unbatched', () => {
  it('for random mixes of calls, sizes and values', async () => {
    const loaded = await runtime.load(logisticModel({ numbers: { a: { weight: 1.5, impute: 2 } }, categories: { b: { p: 1, q: -2 } }, intercept: -0.3 }));
    const number = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 }), fc.constant(NaN));
    const row = fc.tuple(number, fc.constantFrom('p', 'q', 'r', ''));
    const calls = fc.array(fc.array(row, { maxLength: 7 }), { minLength: 1, maxLength: 20 });
    await fc.assert(fc.asyncProperty(calls, fc.integer({ min: 1, max: 30 }), async (mix, rowsMax) => {
      const batched = new BatchedModel(loaded, { rowsMax });
      const feeds = mix.map((rows): Tensors => ({ a: column(rows.map(([a]) => a)), b: texts(rows.map(([, b]) => b)) }));
      const together = await Promise.all(feeds.map((feed) => batched.run(feed)));
      for (const [index, feed] of feeds.entries()) {
        const alone = await loaded.run(feed);
        expect(together[index]?.['label']).toEqual(alone['label']);
        const [p, q] = [together[index]?.['probabilities']?.data, alone['probabilities']?.data];
        expect(p?.length).toBe(q?.length);
        q?.forEach((value, at) => expect(Math.abs(Number(p?.[at]) - Number(value))).toBeLessThanOrEqual(1e-6));
      }
      expect(batched.counts.queuedRows).toBe(0);
    }), { numRuns: 200 });
    await loaded.close();
  });

  it('never joins rows for a model whose output is not one row per row', async () => {
    const loaded = await runtime.load(batchSumModel());
    const batched = new BatchedModel(loaded);
    const answers = await Promise.all([[1, 2], [10], [100, 200]].map((values) => batched.run({ x: column(values) })));
    expect(answers.map((outputs) => outputs['y']?.data[0])).toEqual([3, 10, 300]);
    await batched.close();
  });

  it('runs calls alone when a model declares a row per row but gives something else', async () => {
    const loaded = await runtime.load(writeOnnx({
      inputs: [{ name: 'x', type: 'FP32', shape: ['n', 1] }],
      outputs: [{ name: 'y', type: 'FP32', shape: ['m', 1] }],
      nodes: [{ op: 'ReduceSum', inputs: ['x'], outputs: ['y'], attributes: { keepdims: { int: 1 } } }],
    }));
    const batched = new BatchedModel(loaded);
    const answers = await Promise.all([[1, 2], [10]].map((values) => batched.run({ x: column(values) })));
    expect(answers.map((outputs) => outputs['y']?.data[0])).toEqual([3, 10]);
    await batched.close();
  });
});

describe('batching', () => {
  it('makes one run of the calls of one turn, and the next of what came during it', async () => {
    const { model, runs, release } = recordingModel();
    const batched = new BatchedModel(model);
    const first = [1, 2, 3].map((value) => batched.run({ x: column([value]) }));
    expect(runs).toEqual([]);
    while (runs.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const later = [4, 5].map((value) => batched.run({ x: column([value, value]) }));
    release();
    const answers = await Promise.all([...first, ...later]);
    expect(runs).toEqual([3, 4]);
    expect(answers.map((outputs) => [...(outputs['y']?.data ?? [])])).toEqual([[1], [2], [3], [4, 4], [5, 5]]);
    expect(batched.counts).toEqual({ calls: 5, rows: 7, runs: 2, refused: 0, queuedRows: 0 });
  });

  it('keeps to the limit of rows without splitting a call', async () => {
    const { model, runs, release } = recordingModel();
    release();
    const batched = new BatchedModel(model, { rowsMax: 4 });
    await Promise.all([3, 2, 2, 9, 1].map((rows) => batched.run({ x: column(Array<number>(rows).fill(1)) })));
    expect(runs).toEqual([3, 4, 9, 1]);
  });

  it('does not join calls with other trailing dimensions', async () => {
    const { model, runs, release } = recordingModel();
    release();
    const batched = new BatchedModel(model);
    const wide = (rows: number, columns: number): Tensors => ({ x: { datatype: 'FP32', shape: [rows, columns], data: new Float32Array(rows * columns) } });
    const answers = await Promise.all([wide(1, 2), wide(2, 3), wide(4, 2), wide(8, 3)].map((feeds) => batched.run(feeds)));
    expect(runs.sort((a, b) => a - b)).toEqual([5, 10]);
    expect(answers.map((outputs) => outputs['y']?.shape)).toEqual([[1, 2], [2, 3], [4, 2], [8, 3]]);
  });

  it('lets one bad call fail only itself, whether it is refused or breaks the run', async () => {
    const { model, release } = recordingModel();
    release();
    const batched = new BatchedModel(model);
    const settled = await Promise.allSettled([
      batched.run({ x: column([1]) }),
      batched.run({ x: column([-1]) }),
      batched.run({ x: texts(['1']) }),
      batched.run({ x: column([2]) }),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { message: 'poisoned' } });
    expect(settled[2]).toMatchObject({ reason: { code: 'TENSOR_INVALID' } });
    expect(batched.counts.queuedRows).toBe(0);
  });

  it('refuses at once what its queue cannot hold, and takes calls again when it has room', async () => {
    const { model, release } = recordingModel();
    const batched = new BatchedModel(model, { queuedRowsMax: 3 });
    const accepted = [batched.run({ x: column([1]) }), batched.run({ x: column([2, 3]) })];
    await expect(batched.run({ x: column([4]) })).rejects.toMatchObject({ code: 'MODEL_OVERLOADED', retryable: true });
    await expect(batched.run({ x: column([1, 2, 3, 4]) })).rejects.toMatchObject({ code: 'TENSOR_INVALID', retryable: false });
    release();
    await Promise.all(accepted);
    await expect(batched.run({ x: column([4]) })).resolves.toBeDefined();
    expect(batched.counts).toMatchObject({ calls: 3, rows: 4, refused: 1, queuedRows: 0 });
  });

  it('answers what it accepted before it closes the model', async () => {
    const { model, release, closed } = recordingModel();
    const batched = new BatchedModel(model);
    const accepted = batched.run({ x: column([7]) });
    const closing = batched.close();
    await expect(batched.run({ x: column([8]) })).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    expect(closed()).toBe(false);
    release();
    expect((await accepted)['y']?.data).toEqual(Float32Array.of(7));
    await closing;
    expect(closed()).toBe(true);
  });
});
