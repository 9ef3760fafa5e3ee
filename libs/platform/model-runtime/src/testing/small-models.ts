import { writeOnnx, type OnnxNode, type OnnxType, type OnnxValue } from './onnx-writer.js';

const column = (name: string, type: OnnxType): OnnxValue => ({ name, type, shape: ['n', 1] });

/** `y = x`, one tensor of any datatype and shape. */
export function identityModel(type: OnnxType, shape: readonly (number | string)[] = ['n', 1]): Buffer {
  return writeOnnx({
    inputs: [{ name: 'x', type, shape }],
    outputs: [{ name: 'y', type, shape }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
}

/** OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1, each INT32 [n, 16]: the model that V2 clients' examples ask for. */
export function sumAndDifferenceModel(): Buffer {
  const tensor = (name: string): OnnxValue => ({ name, type: 'INT32', shape: ['n', 16] });
  return writeOnnx({
    inputs: [tensor('INPUT0'), tensor('INPUT1')],
    outputs: [tensor('OUTPUT0'), tensor('OUTPUT1')],
    nodes: [
      { op: 'Add', inputs: ['INPUT0', 'INPUT1'], outputs: ['OUTPUT0'] },
      { op: 'Sub', inputs: ['INPUT0', 'INPUT1'], outputs: ['OUTPUT1'] },
    ],
  });
}

/** `y = x + shift` and, each time it is asked, up to `noise` more: it differs from itself. */
export function noisyModel(noise: number, shift = 0): Buffer {
  return writeOnnx({
    inputs: [column('x', 'FP32')],
    outputs: [column('y', 'FP32')],
    nodes: [
      { op: 'RandomUniformLike', inputs: ['x'], outputs: ['noise'], attributes: { low: { float: shift }, high: { float: shift + noise } } },
      { op: 'Add', inputs: ['x', 'noise'], outputs: ['y'] },
    ],
  });
}

/** Adds up the rows of its batch, so its answer depends on who shares the batch: must never be micro-batched. */
export function batchSumModel(): Buffer {
  return writeOnnx({
    inputs: [column('x', 'FP32')],
    outputs: [{ name: 'y', type: 'FP32', shape: [1, 1] }],
    nodes: [{ op: 'ReduceSum', inputs: ['x'], outputs: ['y'], attributes: { keepdims: { int: 1 } } }],
  });
}

export interface LogisticModel {
  /** Weight per numeric feature, and the value that stands in for a missing one. */
  readonly numbers: Readonly<Record<string, { readonly weight: number; readonly impute: number }>>;
  /** Weight per category of each text feature; an unknown or missing category weighs 0. */
  readonly categories: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly intercept: number;
}

function featureNodes(model: LogisticModel): { nodes: OnnxNode[]; columns: string[]; weights: number[] } {
  const nodes: OnnxNode[] = [];
  const columns: string[] = [];
  const weights: number[] = [];
  for (const [name, { weight, impute }] of Object.entries(model.numbers)) {
    const attributes = { imputed_value_floats: { floats: [impute] }, replaced_value_float: { float: NaN } };
    nodes.push({ op: 'Imputer', domain: 'ai.onnx.ml', inputs: [name], outputs: [`${name}:filled`], attributes });
    columns.push(`${name}:filled`);
    weights.push(weight);
  }
  for (const [name, scores] of Object.entries(model.categories)) {
    const attributes = {
      keys_strings: { texts: Object.keys(scores) },
      values_floats: { floats: Object.values(scores) },
      default_float: { float: 0 },
    };
    nodes.push({ op: 'LabelEncoder', domain: 'ai.onnx.ml', inputs: [name], outputs: [`${name}:weight`], attributes });
    columns.push(`${name}:weight`);
    weights.push(1);
  }
  return { nodes, columns, weights };
}

/**
 * A logistic regression as the stock trainer lays it out: one FP32 or BYTES input [n, 1] per feature; outputs `label`
 * INT64 [n] and `probabilities` FP32 [n, 2], P(1) = 1 / (1 + exp(-(intercept + Σ weight·value))).
 */
export function logisticModel(model: LogisticModel): Buffer {
  const { nodes, columns, weights } = featureNodes(model);
  return writeOnnx({
    inputs: [
      ...Object.keys(model.numbers).map((name) => column(name, 'FP32')),
      ...Object.keys(model.categories).map((name) => column(name, 'BYTES')),
    ],
    outputs: [
      { name: 'label', type: 'INT64', shape: ['n'] },
      { name: 'probabilities', type: 'FP32', shape: ['n', 2] },
    ],
    nodes: [
      ...nodes,
      { op: 'Concat', inputs: columns, outputs: ['features'], attributes: { axis: { int: 1 } } },
      {
        op: 'LinearClassifier',
        domain: 'ai.onnx.ml',
        inputs: ['features'],
        outputs: ['label', 'probabilities'],
        attributes: {
          coefficients: { floats: [...weights.map((weight) => -weight), ...weights] },
          intercepts: { floats: [-model.intercept, model.intercept] },
          classlabels_ints: { ints: [0, 1] },
          post_transform: { text: 'LOGISTIC' },
        },
      },
    ],
  });
}
