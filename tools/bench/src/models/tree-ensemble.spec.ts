// Goal: the benchmark's model is what it is said to be, in both of its forms, and a real runtime runs it.
// Method: the runtime itself; 2^6 leaves a tree bound the number of different answers of a single tree.
import { afterAll, describe, expect, it } from '@jest/globals';
import { OnnxModelRuntime, type LoadedModel } from '@millrace/model-runtime';
import { busyModel, tinyModel } from './busy-model.js';
import { featureNames, featureRows, treeEnsemble } from './tree-ensemble.js';

const open: LoadedModel[] = [];
afterAll(() => Promise.all(open.map((model) => model.close())));

async function load(bytes: Uint8Array): Promise<LoadedModel> {
  const model = await new OnnxModelRuntime().load(bytes);
  open.push(model);
  return model;
}

async function scores(model: LoadedModel, rows: readonly number[][]): Promise<number[]> {
  const column = (index: number) => Float32Array.from(rows.map((row) => row[index] ?? 0));
  const feeds = model.inputs.length === 1
    ? { x: { datatype: 'FP32' as const, shape: [rows.length, 10], data: Float32Array.from(rows.flat()) } }
    : Object.fromEntries(featureNames.map((name, index) => [name, { datatype: 'FP32' as const, shape: [rows.length, 1], data: column(index) }]));
  return Array.from((await model.run(feeds))['y']?.data as Float32Array);
}

describe('treeEnsemble', () => {
  const rows = featureRows(2_000, 5);

  it('gives the same numbers in both forms', async () => {
    const options = { trees: 100, depth: 6, seed: 1 };
    const [vector, columns] = [await load(treeEnsemble({ ...options, inputs: 'vector' })), await load(treeEnsemble({ ...options, inputs: 'columns' }))];
    expect(columns.inputs.map(({ name }) => name)).toEqual(featureNames);
    expect(await scores(columns, rows)).toEqual(await scores(vector, rows));
  });

  it('reaches most leaves of a tree of depth 6, and never more than there are', async () => {
    const answers = new Set(await scores(await load(treeEnsemble({ trees: 1, depth: 6, seed: 4, inputs: 'vector' })), rows));
    expect(answers.size).toBeLessThanOrEqual(64);
    expect(answers.size).toBeGreaterThan(40);
  });
});

describe('the models of the other parts', () => {
  it('compute what they say', async () => {
    const feeds = { x: { datatype: 'FP32' as const, shape: [2, 1], data: Float32Array.of(0, 4) } };
    expect(Array.from((await (await load(tinyModel(1.5))).run(feeds))['y']?.data as Float32Array)).toEqual([0, 6]);
    // The mean of sin(0·j) is 0; that of sin(4·j) over j in [0, 1) is (1 - cos 4) / 4, up to the width of a step.
    const [zero, four] = Array.from((await (await load(busyModel(1))).run(feeds))['y']?.data as Float32Array);
    expect(zero).toBe(0);
    expect(four).toBeCloseTo((1 - Math.cos(4)) / 4, 3);
  });
});
