// Goal: sharing a run is invisible but for speed: every request gets the answer it would have got alone, and nobody else's fault.
// Method: real workers; random mixes of requests against the same model run in this process without batching
// (BATCH_MIXES=100000 for the nightly run), and the cases that spoil batches in other servers.
import { afterAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Tensor, Tensors } from '@millrace/contracts';
import { OnnxModelRuntime } from '../onnx-model-runtime.js';
import { batchSumModel, identityModel, integerDivisionModel, logisticModel, loopModel, writeOnnx } from '../testing/index.js';
import { column, outcomeOf, texts, turns, until, wholes } from './feeds.fixture.js';
import { ModelHost } from './model-host.js';

const host = new ModelHost();
const mixes = Number(process.env['BATCH_MIXES'] ?? 2000);
afterAll(() => host.close());

const logistic = logisticModel({ numbers: { a: { weight: 1.5, impute: 2 } }, categories: { b: { p: 1, q: -2 } }, intercept: -0.3 });
const row = fc.tuple(fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 }), fc.constant(NaN)), fc.constantFrom('p', 'q', 'r', '', 'é\n'));

describe('batched ≡ unbatched', () => {
  it(`for ${mixes} random mixes of requests, sizes and values`, async () => {
    const [alone, served] = [await new OnnxModelRuntime().load(logistic), await host.load({ bytes: logistic })];
    await fc.assert(fc.asyncProperty(fc.array(fc.array(row, { maxLength: 7 }), { minLength: 1, maxLength: 20 }), async (mix) => {
      const feeds = mix.map((rows): Tensors => ({ a: column(rows.map(([a]) => a)), b: texts(rows.map(([, b]) => b)) }));
      const together = await Promise.all(feeds.map((feed) => served.run(feed)));
      for (const [index, feed] of feeds.entries()) {
        const expected = await alone.run(feed);
        expect(together[index]?.['label']).toEqual(expected['label']);
        const [p, q] = [together[index]?.['probabilities'], expected['probabilities']];
        expect(p?.shape).toEqual(q?.shape);
        q?.data.forEach((value, at) => expect(Math.abs(Number(p?.data[at]) - Number(value))).toBeLessThanOrEqual(1e-6 * Math.abs(Number(value))));
      }
    }), { numRuns: mixes });
    const { inferenceCount, executionCount, queuedRows } = served.statistics;
    expect(inferenceCount).toBeGreaterThan(executionCount); // or nothing was joined and nothing shown
    expect(queuedRows).toBe(0);
    await Promise.all([alone.close(), served.close()]);
  }, 3_600_000);

  it.each(['FP32', 'INT64', 'BYTES', 'BOOL', 'FP16', 'UINT8'] as const)('keeps equal trailing dimensions of %s apart', async (datatype) => {
    const served = await host.load({ bytes: identityModel(datatype, ['n', 'm']) });
    const make = (rows: number, columns: number, from: number): Tensor => {
      const [shape, count] = [[rows, columns], rows * columns];
      const values = Array.from({ length: count }, (_, index) => (from + index) % 2);
      if (datatype === 'BYTES') return { datatype, shape, data: values.map((value) => `${from}:${value}`) };
      if (datatype === 'INT64') return { datatype, shape, data: BigInt64Array.from(values, (value) => BigInt(value) + 2n ** 60n) };
      if (datatype === 'FP32') return { datatype, shape, data: Float32Array.from(values, (value) => value + from) };
      if (datatype === 'FP16') return { datatype, shape, data: Uint16Array.from(values, (value) => value + 0x3c00 + from) };
      return { datatype, shape, data: Uint8Array.from(values) };
    };
    const requests = [make(1, 2, 1), make(2, 3, 2), make(0, 2, 3), make(4, 2, 4), make(3, 3, 5), make(1, 0, 6)];
    const answers = await Promise.all(requests.map((x) => served.run({ x })));
    expect(answers.map(({ y }) => y)).toEqual(requests);
    // Widths 2, 3 and 0; on a busy machine, runs that seem slow share fewer rows.
    expect(served.statistics.executionCount).toBeGreaterThanOrEqual(3);
    await served.close();
  });

  it('never joins rows for a model that declares another number of rows than it is given', async () => {
    const served = await host.load({ bytes: batchSumModel() });
    const answers = await Promise.all([[1, 2], [10], [100, 200]].map((values) => served.run({ x: column(values) })));
    expect(answers.map(({ y }) => y?.data[0])).toEqual([3, 10, 300]);
    await served.close();
  });

  it('stops joining for a model that gives another number of rows than it declares', async () => {
    const served = await host.load({ bytes: placesModel() });
    const ask = (): Promise<Tensors[]> => Promise.all([[1, 2, 0], [0, 7], [5]].map((values) => served.run({ x: column(values) })));
    const places = [[0n, 0n, 1n, 0n], [1n, 0n], [0n, 0n]].map((data) => BigInt64Array.from(data));
    expect((await ask()).map(({ y }) => y?.data)).toEqual(places);
    expect(served.statistics).toMatchObject({ executionCount: 3, success: { count: 3 } });
    expect((await ask()).map(({ y }) => y?.data)).toEqual(places);
    await served.close();
  });
});

/** Where x is not zero, one place a row: as many rows as it finds. */
const placesModel = (): Buffer => writeOnnx({
  inputs: [{ name: 'x', type: 'FP32', shape: ['n', 1] }],
  outputs: [{ name: 'y', type: 'INT64', shape: ['k', 2] }],
  nodes: [{ op: 'NonZero', inputs: ['x'], outputs: ['columns'] }, { op: 'Transpose', inputs: ['columns'], outputs: ['y'] }],
});

describe('a batch', () => {
  it('fails nobody but the request that spoils it', async () => {
    const served = await host.load({ bytes: integerDivisionModel() });
    const settled = await Promise.all([
      outcomeOf(served.run({ a: wholes([6, 8]), b: wholes([3, 2]) })),
      outcomeOf(served.run({ a: wholes([1, 2]), b: wholes([1, 0]) })), // the runtime refuses a division by zero
      outcomeOf(served.run({ a: wholes([1]), b: texts(['1']) })),
      outcomeOf(served.run({ a: wholes([9]), b: wholes([3]) })),
    ]);
    expect(settled).toEqual(['answered', 'MODEL_RUN_FAILED', 'TENSOR_INVALID', 'answered']);
    expect(served.statistics).toMatchObject({ inferenceCount: 3, success: { count: 2 }, fail: { count: 1 }, queuedRows: 0 });
    await served.close();
  });

  it('is what came during the run before it, up to the limit, and its numbers add up', async () => {
    const served = await host.load({ bytes: identityModel('FP32') }, { limits: { rowsMax: 4 } });
    await Promise.all([3, 2, 2, 9, 1].map((rows) => served.run({ x: column(Array<number>(rows).fill(1)) })));
    const { statistics } = served;
    expect(statistics).toMatchObject({ inferenceCount: 17, success: { count: 5 }, queue: { count: 5 }, refused: 0, expired: 0, queuedRows: 0, replacements: 0 });
    // Four runs: 3, 2 + 2, 9 and 1; on a busy machine, where runs seem slow, 2 and 2 may go apart.
    expect([4, 5]).toContain(statistics.executionCount);
    expect(statistics.batches.reduce((sum, { count }) => sum + count, 0)).toBe(statistics.executionCount);
    expect(statistics.batches.filter(({ rows }) => rows > 4).map(({ rows, count }) => [rows, count])).toEqual([[16, 1]]); // 9 counts at 16
    await served.close();
  });

  it('waits for others only as long as its window says, or until a preferred size has come', async () => {
    const served = await host.load({ bytes: identityModel('FP32') }, { limits: { windowMs: 3_600_000, preferredRows: [3] } });
    const [first, second] = [served.run({ x: column([1]) }), served.run({ x: column([2]) })];
    await until(() => served.statistics.queuedRows === 2);
    const third = served.run({ x: column([3]) });
    expect((await Promise.all([first, second, third])).map(({ y }) => y?.data[0])).toEqual([1, 2, 3]);
    expect(served.statistics.executionCount).toBe(1);
    const last = served.run({ x: column([4]) });
    await Promise.all([served.close(), last]); // closing does not wait for an hour
  });

  it('ends a window by itself', async () => {
    const served = await host.load({ bytes: identityModel('FP32') }, { limits: { windowMs: 5 } });
    expect((await served.run({ x: column([7]) }))['y']?.data[0]).toBe(7);
    await served.close();
  });
});

describe('closing', () => {
  it('answers what was accepted, and refuses what comes later', async () => {
    const served = await host.load({ bytes: loopModel() });
    const accepted = [served.run(turns(100_000)), served.run(turns(1))];
    const closing = [served.close(), served.close()];
    expect(await outcomeOf(served.run(turns(1)))).toBe('MODEL_NOT_READY');
    expect(await Promise.all(accepted.map(outcomeOf))).toEqual(['answered', 'answered']);
    await Promise.all(closing);
  });
});
