/**
 * Goal: a model file is explained in terms of its own features, and what is said adds up to what the serving runtime answers.
 * Method: models trained and explained in Python (libs/core/fixtures/tree-shap.py, shap 0.51) through ONNX Runtime; logistic
 * models written byte by byte, whose Shapley values are weight · (value − background); random trees written so, whose scores
 * are ONNX Runtime's own; the command itself on files.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError, type ModelSignature, type TensorSpec } from '@millrace/contracts';
import { openExplainer, type Explanation } from '@millrace/core/explanation';
import type { Features } from '@millrace/core/inference';
import { OnnxModelRuntime } from '@millrace/model-runtime';
import { logisticModel, writeOnnx, type OnnxNode } from '@millrace/model-runtime/testing';
import { addExplainRowCommand } from './explain-row.js';
import { printedBy } from './printed.fixture.js';

interface Frozen {
  readonly name: string;
  readonly onnx: string;
  readonly signature: ModelSignature;
  readonly rows: readonly Features[];
  readonly values: readonly (readonly (readonly number[])[])[];
  readonly base: readonly number[];
  readonly background?: readonly (readonly number[])[];
  /** Of each column, where features become several columns. */
  readonly features?: readonly string[];
}

const frozen = (JSON.parse(readFileSync(join(import.meta.dirname, '../../../../libs/core/fixtures/tree-shap.json'), 'utf8')) as { models: Frozen[] }).models;
const runtime = new OnnxModelRuntime();
const total = ({ base, contributions }: Explanation): number => contributions.reduce((sum, { contribution }) => sum + contribution, base);
const namedRow = ({ signature }: Frozen, row: readonly number[]): Features => Object.fromEntries(row.map((value, index) => [`${signature.inputs[0]?.name}_${index}`, value]));
const column = (name: string, datatype: string): ModelSignature['inputs'][number] => ({ name, datatype, shape: [-1, 1] });
const folder = mkdtempSync(join(tmpdir(), 'millrace-explain-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whose columns shap's are: the features themselves where the file takes all in one tensor. */
const featureOfColumn = ({ features, signature }: Frozen, index: number): string => features?.[index] ?? `${signature.inputs[0]?.name}_${index}`;

describe('trees, through the serving runtime', () => {
  it.each(frozen)('$name', async (model) => {
    const background = model.background?.map((row) => namedRow(model, row));
    const explainer = await openExplainer(Buffer.from(model.onnx, 'base64'), runtime, model.signature, background === undefined ? {} : { background });
    expect(explainer.method).toBe(background === undefined ? 'tree-path-dependent' : 'tree-interventional');
    expect(explainer.because).toBeNull();
    for (const [score, expectedRows] of model.values.entries()) {
      const target = model.values.length === 1 ? undefined : model.signature.classes[score];
      const explanations = await explainer.explain(model.rows, target);
      for (const [row, explanation] of explanations.entries()) {
        const expected = new Map<string, number>();
        expectedRows[row]?.forEach((value, index) => expected.set(featureOfColumn(model, index), (expected.get(featureOfColumn(model, index)) ?? 0) + value));
        expect(explanation.contributions.map(({ feature }) => feature).sort()).toEqual([...expected.keys()].sort());
        for (const { feature, contribution } of explanation.contributions) expect(Math.abs(contribution - (expected.get(feature) ?? NaN))).toBeLessThanOrEqual(1e-6);
        expect(Math.abs(explanation.base - (model.base[score] ?? NaN))).toBeLessThanOrEqual(1e-5);
        expect(Math.abs(total(explanation) - explanation.output)).toBeLessThanOrEqual(1e-9);
        expect(explanation.runtimeDifference).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(explanation.output)));
      }
    }
    await explainer.close();
  });

  it('says what the sum is measured in, and of which class', async () => {
    const units = new Map<string, string>();
    for (const model of frozen) {
      const background = model.background?.map((row) => namedRow(model, row));
      const explainer = await openExplainer(Buffer.from(model.onnx, 'base64'), runtime, model.signature, background === undefined ? {} : { background });
      const [explanation] = await explainer.explain(model.rows.slice(0, 1));
      units.set(model.name, `${explanation?.unit}${explanation?.class === undefined ? '' : ` of ${explanation.class}`}`);
      await explainer.close();
    }
    expect(units.get('trainer binary')).toBe('log-odds of true');
    expect(units.get('trainer multiclass')).toMatch(/^score of (low|middle|high)$/u);
    expect(units.get('trainer regression')).toBe('value');
    expect(units.get('pipeline with imputation, scaling and one-hot')).toBe('probability of 1');
    expect(units.get('forest of two classes')).toBe('probability of 1');
    expect(units.get('lightgbm through its converter, interventional')).toBe('log-odds of 1');
    expect(units.get('xgboost through its converter, interventional')).toBe('log-odds of 1');
  });

  it('explains the model’s own answer: the logistic function of the output is the probability that it serves', async () => {
    for (const name of ['trainer binary', 'lightgbm through its converter, interventional', 'xgboost through its converter, interventional']) {
      const model = frozen.find((each) => each.name === name);
      if (model === undefined) throw new Error(`no model ${name}`);
      const bytes = Buffer.from(model.onnx, 'base64');
      const background = model.background?.map((row) => namedRow(model, row));
      const explainer = await openExplainer(bytes, runtime, model.signature, background === undefined ? {} : { background });
      const loaded = await runtime.load(bytes);
      const explanations = await explainer.explain(model.rows);
      const { probabilities } = await loaded.run(feedsOf(model.signature, model.rows));
      explanations.forEach(({ output }, row) => expect(1 / (1 + Math.exp(-output))).toBeCloseTo(Number(probabilities?.data[2 * row + 1]), 6));
      await Promise.all([explainer.close(), loaded.close()]);
    }
  });

  it('refuses to guess what a row is compared with', async () => {
    const [trained, forest] = ['trainer binary', 'forest of three classes, interventional'].map((name) => frozen.find((each) => each.name === name));
    if (trained === undefined || forest === undefined) throw new Error('no such models');
    const explainer = await openExplainer(Buffer.from(trained.onnx, 'base64'), runtime, trained.signature, { method: 'tree-interventional' });
    expect(explainer).toMatchObject({ method: 'tree-interventional', against: 'one row in which every feature is unknown (null)' });
    await explainer.close();
    await expect(openExplainer(Buffer.from(forest.onnx, 'base64'), runtime, forest.signature)).rejects.toMatchObject({ code: 'EXPLANATION_UNAVAILABLE', message: expect.stringContaining('background') });
  });

  it('agrees between methods: coalitions of features run through the model and exact trees play the same game when one-hot columns are replaced together', async () => {
    const trained = frozen.find(({ name }) => name === 'trainer binary');
    if (trained === undefined) throw new Error('no such model');
    const [bytes, background] = [Buffer.from(trained.onnx, 'base64'), trained.rows.slice(3)];
    const exact = await openExplainer(bytes, runtime, trained.signature, { background, method: 'tree-interventional', columns: 'joint' });
    const sampled = await openExplainer(bytes, runtime, trained.signature, { background, method: 'permutation' });
    const [expected, found] = [await exact.explain(trained.rows.slice(0, 3)), await sampled.explain(trained.rows.slice(0, 3))];
    found.forEach(({ base, contributions }, row) => {
      expect(Math.abs(base - (expected[row]?.base ?? NaN))).toBeLessThan(1e-5);
      contributions.forEach(({ contribution, standardError }, index) => {
        expect(Math.abs(contribution - (expected[row]?.contributions[index]?.contribution ?? NaN))).toBeLessThan(1e-5);
        expect(standardError).toBe(0); // three features: all coalitions were run
      });
    });
    await Promise.all([exact.close(), sampled.close()]);
  });
});

function feedsOf({ inputs }: ModelSignature, rows: readonly Features[]): Parameters<Awaited<ReturnType<OnnxModelRuntime['load']>>['run']>[0] {
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1) {
    return { [only.name]: { datatype: 'FP32', shape: [rows.length, only.shape[1] ?? 0], data: Float32Array.from(rows.flatMap((row) => Object.values(row).map(Number))) } };
  }
  return Object.fromEntries(inputs.map(({ name, datatype }) => [name, datatype === 'BYTES'
    ? { datatype: 'BYTES' as const, shape: [rows.length, 1], data: rows.map((row) => String(row[name] ?? '')) }
    : { datatype: 'FP32' as const, shape: [rows.length, 1], data: Float32Array.from(rows, (row) => (typeof row[name] === 'number' ? row[name] : NaN)) }]));
}

describe('other models, by sampled orders', () => {
  const weights = { distance: { weight: 2, impute: 0.5 }, load: { weight: -1, impute: 0.25 } };
  const bytes = logisticModel({ numbers: weights, categories: { carrier: { AA: 1, UA: -1 } }, intercept: 0.1 });
  const signature: ModelSignature = {
    inputs: [column('distance', 'FP32'), column('load', 'FP32'), column('carrier', 'BYTES')],
    outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }, { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
    task: 'binary', classes: ['false', 'true'], positiveIndex: 1,
  };
  const background: Features[] = [{ distance: 1, load: 0, carrier: 'AA' }, { distance: 3, load: 1, carrier: 'UA' }, { distance: -1, load: 2, carrier: 'AA' }];

  it('a logistic regression: weight · (value − mean of the background) in log-odds, without error', async () => {
    const explainer = await openExplainer(bytes, runtime, signature, { background });
    const [explanation] = await explainer.explain([{ distance: 2, load: null, carrier: 'UA' }]);
    expect(explainer).toMatchObject({ method: 'permutation', unit: 'log-odds', against: '3 background rows', because: 'the model has no trees' });
    const parts = explanation?.contributions.map(({ contribution }) => contribution) ?? [];
    [2 * (2 - 1), -1 * (0.25 - 1), -1 - 1 / 3].forEach((value, index) => expect(parts[index]).toBeCloseTo(value, 5));
    expect(explanation?.base).toBeCloseTo(0.1 + 2 * 1 - 1 + 1 / 3, 5);
    expect(explanation?.output).toBeCloseTo(0.1 + 4 - 0.25 - 1, 5);
    for (const { standardError } of explanation?.contributions ?? []) expect(standardError).toBeLessThan(1e-6);
    await explainer.close();
  });

  it('without background: against unknown values, which the model imputes', async () => {
    const explainer = await openExplainer(bytes, runtime, signature);
    expect(explainer.against).toBe('one row in which every feature is unknown (null)');
    const [explanation] = await explainer.explain([{ distance: 2, load: 1, carrier: 'AA' }]);
    const parts = explanation?.contributions.map(({ contribution }) => contribution) ?? [];
    [3, -0.75, 1].forEach((value, index) => expect(parts[index]).toBeCloseTo(value, 5));
    await explainer.close();
  });

  it('a product among fifteen features: the stated error covers what sampling misses, and the same question gets the same answer', async () => {
    const names = Array.from({ length: 15 }, (_, index) => `x${index}`);
    // prediction = x0 x1 + x2 + … + x14
    const sum = (left: string, right: string, output: string, op = 'Add'): OnnxNode => ({ op, inputs: [left, right], outputs: [output] });
    const nodes = [sum('x0', 'x1', 'sum1', 'Mul'), ...names.slice(2).map((name, index) => sum(`sum${index + 1}`, name, index === 12 ? 'prediction' : `sum${index + 2}`))];
    const product = writeOnnx({ inputs: names.map((name) => ({ name, type: 'FP32', shape: ['n', 1] })), outputs: [{ name: 'prediction', type: 'FP32', shape: ['n', 1] }], nodes });
    const meaning: ModelSignature = { inputs: names.map((name) => column(name, 'FP32')), outputs: [column('prediction', 'FP32')], task: 'regression', classes: [], positiveIndex: null };
    const all = (value: number): Features => Object.fromEntries(names.map((name) => [name, value]));
    const explainer = await openExplainer(product, runtime, meaning, { background: [{ ...all(0), x1: 1 }], evaluationsMax: 500 });
    const row = { ...all(0.5), x0: 2, x1: 3 };
    const [one] = await explainer.explain([row]);
    expect((await explainer.explain([row]))[0]).toEqual(one);
    // x0 and x1 from (0, 1) to (2, 3): 2 or 6 for x0, 0 or 4 for x1, each order equally likely.
    [4, 2, ...new Array<number>(13).fill(0.5)].forEach((value, index) => {
      const { contribution, standardError } = one?.contributions[index] ?? { contribution: NaN, standardError: NaN };
      expect(Math.abs(contribution - value)).toBeLessThanOrEqual(4 * (standardError ?? NaN) + 1e-5);
    });
    expect(one === undefined ? NaN : total(one)).toBeCloseTo(12.5, 5);
    await explainer.close();
  });
});

/** A seeded stream of uniforms (Park and Miller). */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

const modes = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'];

function randomTrees(uniform: () => number): OnnxNode {
  const lists = { treeids: [] as number[], nodeids: [] as number[], featureids: [] as number[], values: [] as number[], truenodeids: [] as number[], falsenodeids: [] as number[], missing_value_tracks_true: [] as number[], hitrates: [] as number[] };
  const names: string[] = [];
  const leaves = { treeids: [] as number[], nodeids: [] as number[], ids: [] as number[], weights: [] as number[] };
  const trees = 1 + Math.floor(uniform() * 5);
  const grow = (tree: number, next: { id: number }, depth: number, rows: number): number => {
    const id = next.id++;
    const at = lists.treeids.length;
    const isLeaf = depth === 0 || rows < 2 || uniform() < 0.2;
    lists.treeids.push(tree);
    lists.nodeids.push(id);
    lists.featureids.push(Math.floor(uniform() * 4));
    lists.values.push(Math.round(uniform() * 4) / 2 - 1 + (uniform() < 0.5 ? 0.1 : 0));
    lists.truenodeids.push(0);
    lists.falsenodeids.push(0);
    lists.missing_value_tracks_true.push(uniform() < 0.5 ? 1 : 0);
    lists.hitrates.push(rows);
    names.push(isLeaf ? 'LEAF' : (modes[Math.floor(uniform() * modes.length)] ?? 'LEAF'));
    if (isLeaf) {
      leaves.treeids.push(tree);
      leaves.nodeids.push(id);
      leaves.ids.push(0);
      leaves.weights.push(uniform() - 0.5);
      return id;
    }
    const left = Math.floor(uniform() * (rows + 1));
    lists.truenodeids[at] = grow(tree, next, depth - 1, left);
    lists.falsenodeids[at] = grow(tree, next, depth - 1, rows - left);
    return id;
  };
  for (let tree = 0; tree < trees; tree += 1) grow(tree, { id: 0 }, 5, 1_000);
  const floats = new Set(['values', 'hitrates', 'weights']);
  const listed = (prefix: string, all: Record<string, number[]>) => Object.fromEntries(Object.entries(all).map(([name, numbers]) => [`${prefix}_${name}`, floats.has(name) ? { floats: numbers } : { ints: numbers }]));
  return {
    op: 'TreeEnsembleRegressor', domain: 'ai.onnx.ml', inputs: ['columns'], outputs: ['prediction'],
    attributes: { ...listed('nodes', lists), ...listed('target', leaves), nodes_modes: { texts: names }, n_targets: { int: 1 }, base_values: { floats: [0.5] }, aggregate_function: { text: uniform() < 0.5 ? 'SUM' : 'AVERAGE' } },
  };
}

describe('random trees', () => {
  it('of all comparisons, with missing values, add up to what the runtime answers', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const signature: ModelSignature = { inputs: names.map((name) => column(name, 'FP32')), outputs: [column('prediction', 'FP32')], task: 'regression', classes: [], positiveIndex: null };
    let nonZero = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const uniform = uniforms(seed * 7_919);
      const bytes = writeOnnx({
        inputs: names.map((name) => ({ name, type: 'FP32', shape: ['n', 1] })),
        outputs: [{ name: 'prediction', type: 'FP32', shape: ['n', 1] }],
        nodes: [{ op: 'Concat', inputs: names, outputs: ['columns'], attributes: { axis: { int: 1 } } }, randomTrees(uniform)],
      });
      const rows = Array.from({ length: 30 }, (): Features => Object.fromEntries(names.map((name) => [name, uniform() < 0.15 ? null : Math.round(uniform() * 4) / 2 - 1 + (uniform() < 0.5 ? 0.1 : 0)])));
      const explainer = await openExplainer(bytes, runtime, signature, { background: rows.slice(0, 10) });
      expect(explainer).toMatchObject({ because: null, unit: 'value' });
      const model = await runtime.load(bytes);
      const { prediction } = await model.run(feedsOf(signature, rows));
      (await explainer.explain(rows)).forEach((explanation, row) => {
        expect(explanation.runtimeDifference).toBeCloseTo(Math.abs(explanation.output - Number(prediction?.data[row])), 12);
        expect({ seed, row, isServed: explanation.runtimeDifference <= 5e-7 }).toEqual({ seed, row, isServed: true });
        expect(Math.abs(total(explanation) - explanation.output)).toBeLessThanOrEqual(1e-12);
        nonZero += explanation.contributions.filter(({ contribution }) => contribution !== 0).length;
      });
      await Promise.all([explainer.close(), model.close()]);
    }
    expect(nonZero).toBeGreaterThan(2_000);
  });
});

describe('what lies around the trees', () => {
  const names = ['a', 'b', 'c', 'd'];
  const inputs = names.map((name) => ({ name, type: 'FP32' as const, shape: ['n', 1] }));
  const outputs = [{ name: 'prediction', type: 'FP32' as const, shape: ['n', 1] }];
  const signature: ModelSignature = { inputs: names.map((name) => column(name, 'FP32')), outputs: [column('prediction', 'FP32')], task: 'regression', classes: [], positiveIndex: null };
  const concat: OnnxNode = { op: 'Concat', inputs: names, outputs: ['columns'], attributes: { axis: { int: -1 } } };
  const trees: OnnxNode = { ...randomTrees(uniforms(4_711)), outputs: ['sum'] };
  const add = (left: string, right: string, output: string): OnnxNode => ({ op: 'Add', inputs: [left, right], outputs: [output] });
  const rows: Features[] = [{ a: 0.5, b: -1, c: null, d: 1 }, { a: 0, b: 0.5, c: 1, d: -0.5 }, { a: -1, b: 1, c: 0.1, d: 0 }];

  it.each([
    { what: 'features reach the answer beside them', nodes: [concat, trees, add('sum', 'a', 'prediction')], because: /beside the trees/u },
    { what: 'a column is made from two features', nodes: [add('a', 'b', 'both'), { ...concat, inputs: ['both', 'both', 'both', 'both'] }, trees, { op: 'Identity', inputs: ['sum'], outputs: ['prediction'] }], because: /not made from one feature/u },
    { what: 'an operator is not known', nodes: [{ ...concat, outputs: ['raw'] }, { op: 'Normalizer', domain: 'ai.onnx.ml', inputs: ['raw'], outputs: ['columns'] }, trees, { op: 'Identity', inputs: ['sum'], outputs: ['prediction'] }], because: /operator between is not known/u },
    { what: 'there are two ensembles', nodes: [concat, trees, { ...trees, outputs: ['other'] }, add('sum', 'other', 'prediction')], because: /more than one ensemble/u },
    { what: 'there are none', nodes: [add('a', 'b', 'prediction')], because: /no trees/u },
  ])('$what: the model is explained as a function, and why is said', async ({ nodes, because }) => {
    const explainer = await openExplainer(writeOnnx({ inputs, outputs, nodes }), runtime, signature, { background: rows.filter(({ c }) => c !== null) });
    expect(explainer.method).toBe('permutation');
    expect(explainer.because).toMatch(because);
    for (const explanation of await explainer.explain(rows.slice(1))) expect(Math.abs(total(explanation) - explanation.output)).toBeLessThan(1e-5);
    await explainer.close();
  });

  it('a first class that has the opposite of the only score gets the opposite contributions', async () => {
    const model = frozen[0];
    if (model === undefined) throw new Error('no model');
    const explainer = await openExplainer(Buffer.from(model.onnx, 'base64'), runtime, model.signature);
    const [late, onTime] = [await explainer.explain(model.rows, 'true'), await explainer.explain(model.rows, 'false')];
    late.forEach(({ output, base, contributions }, row) => {
      expect(onTime[row]).toMatchObject({ class: 'false', output: -output, base: -base });
      expect(onTime[row]?.contributions.map(({ contribution }) => contribution)).toEqual(contributions.map(({ contribution }) => -contribution));
    });
    await explainer.close();
  });

  it('a sum that is not the model’s own answer is never given', async () => {
    const [bytes, model] = [Buffer.from(frozen[0]?.onnx ?? '', 'base64'), frozen[0]];
    if (model === undefined) throw new Error('no model');
    /** A runtime whose scores are off by a ten-thousandth. */
    const off = { load: async (file: Uint8Array) => {
      const loaded = await runtime.load(file);
      return { inputs: loaded.inputs, close: () => loaded.close(), run: async (feeds: Parameters<typeof loaded.run>[0]) => Object.fromEntries(Object.entries(await loaded.run(feeds)).map(([name, tensor]) => [name, tensor.datatype === 'FP32' ? { ...tensor, data: tensor.data.map((value) => value + 1e-4) } : tensor])) };
    } };
    const explainer = await openExplainer(bytes, off, model.signature);
    await expect(explainer.explain(model.rows)).rejects.toMatchObject({ code: 'EXPLANATION_INEXACT' });
    await explainer.close();
  });
});

const run = (...args: string[]): Promise<string> => printedBy(addExplainRowCommand, 'explain-row', ...args);

describe('millrace explain-row', () => {
  const model = frozen[0];
  const path = join(folder, 'model.onnx');
  writeFileSync(path, Buffer.from(model?.onnx ?? '', 'base64'));
  writeFileSync(join(folder, 'model.yaml'), 'task: binary\nclasses: ["false", "true"]\n');

  it('draws one row for people, the largest part first', async () => {
    const printed = await run('--model', path, '--features', JSON.stringify(model?.rows[0]));
    const lines = printed.split('\n');
    expect(lines[1]).toBe('base: the training rows, as the trees count them');
    expect(lines.filter((line) => line.includes('│'))).toHaveLength(3);
    const lengths = lines.filter((line) => line.includes('│')).map((line) => line.split('').filter((character) => '█▒'.includes(character)).length);
    expect(lengths[0]).toBe(24);
    expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
    expect(printed).toMatch(/output .*probability 0\.\d+/u);
  });

  it('reads rows from a file, for machines', async () => {
    const rows = join(folder, 'rows.jsonl');
    writeFileSync(rows, (model?.rows ?? []).map((row) => JSON.stringify(row)).join('\n'));
    const { explanations, method } = JSON.parse(await run('--model', folder, '--in', rows, '--json')) as { method: string; explanations: Explanation[] };
    expect(method).toBe('tree-path-dependent');
    expect(explanations).toHaveLength(model?.rows.length ?? 0);
    explanations.forEach((explanation, row) => {
      expect(total(explanation)).toBeCloseTo(explanation.output, 6);
      expect(explanation.contributions.map(({ feature, value }) => [feature, value])).toEqual(Object.entries(model?.rows[row] ?? {}));
      expect(explanation.contributions[0]?.contribution).toBeCloseTo(model?.values[0]?.[row]?.[0] ?? NaN, 6);
    });
  });

  it('refuses wrong questions with a sentence', async () => {
    await expect(run('--model', path)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(run('--model', path, '--features', '{"heat": 1}')).rejects.toMatchObject({ code: 'FEATURE_MISSING' });
    await expect(run('--model', path, '--features', JSON.stringify(model?.rows[0]), '--class', 'maybe')).rejects.toThrow(/no class maybe/u);
    const broken = join(folder, 'broken.onnx');
    writeFileSync(broken, 'this is no model');
    await expect(run('--model', broken, '--features', '{}')).rejects.toBeInstanceOf(MillraceError);
  });
});

// The layout in `signature.inputs` is what the loaded file says: the specs above would otherwise explain another file.
it('the frozen signatures are those of their files', async () => {
  for (const { onnx, signature } of frozen) {
    const loaded = await runtime.load(Buffer.from(onnx, 'base64'));
    expect(loaded.inputs.map(({ name, datatype }: TensorSpec) => ({ name, datatype }))).toEqual(signature.inputs.map(({ name, datatype }) => ({ name, datatype })));
    await loaded.close();
  }
});
