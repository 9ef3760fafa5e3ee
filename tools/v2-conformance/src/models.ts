import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeOnnx, type OnnxGraph, type OnnxNode, type OnnxType, type OnnxValue } from '@millrace/model-runtime/testing';

// The models that the cases ask for, as ONNX files. Inputs and outputs are called as in Triton's examples.

export const datatypes = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'] as const satisfies readonly OnnxType[];
export type V2Datatype = (typeof datatypes)[number];
export const identityOf = (datatype: V2Datatype): string => `identity_${datatype.toLowerCase()}`;

interface SuiteModel {
  readonly name: string;
  /** By version. */
  readonly graphs: Readonly<Record<string, OnnxGraph>>;
}

const tensor = (name: string, type: OnnxType, shape: OnnxValue['shape']): OnnxValue => ({ name, type, shape });
const cast = (input: string, output: string, to: number): OnnxNode => ({ op: 'Cast', inputs: [input], outputs: [output], attributes: { to: { int: to } } });

function identity(type: OnnxType, shape: OnnxValue['shape']): OnnxGraph {
  return { inputs: [tensor('INPUT0', type, shape)], outputs: [tensor('OUTPUT0', type, shape)], nodes: [{ op: 'Identity', inputs: ['INPUT0'], outputs: ['OUTPUT0'] }] };
}

/** OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1. */
function sumAndDifference(type: 'INT32' | 'BYTES', shape: OnnxValue['shape']): OnnxGraph {
  const isText = type === 'BYTES';
  const name = (tensorName: string): string => (isText ? `${tensorName}:number` : tensorName);
  const onnxInt32 = 6;
  const onnxString = 8;
  return {
    inputs: ['INPUT0', 'INPUT1'].map((input) => tensor(input, type, shape)),
    outputs: ['OUTPUT0', 'OUTPUT1'].map((output) => tensor(output, type, shape)),
    nodes: [
      ...(isText ? ['INPUT0', 'INPUT1'].map((input) => cast(input, name(input), onnxInt32)) : []),
      { op: 'Add', inputs: [name('INPUT0'), name('INPUT1')], outputs: [name('OUTPUT0')] },
      { op: 'Sub', inputs: [name('INPUT0'), name('INPUT1')], outputs: [name('OUTPUT1')] },
      ...(isText ? ['OUTPUT0', 'OUTPUT1'].map((output) => cast(name(output), output, onnxString)) : []),
    ],
  };
}

/** OUTPUT0 = INPUT0 + `more`: tells one version from another. */
function plus(more: number): OnnxGraph {
  return {
    inputs: [tensor('INPUT0', 'FP32', ['n', 1])],
    outputs: [tensor('OUTPUT0', 'FP32', ['n', 1])],
    constants: [{ name: 'more', shape: [1], floats: [more] }],
    nodes: [{ op: 'Add', inputs: ['INPUT0', 'more'], outputs: ['OUTPUT0'] }],
  };
}

/** OUTPUT0 = the largest of each row: requests of different widths cannot share a batch. */
const rowMax: OnnxGraph = {
  inputs: [tensor('INPUT0', 'FP32', ['n', 'k'])],
  outputs: [tensor('OUTPUT0', 'FP32', ['n', 1])],
  nodes: [{ op: 'ReduceMax', inputs: ['INPUT0'], outputs: ['OUTPUT0'], attributes: { axes: { ints: [1] }, keepdims: { int: 1 } } }],
};

export const suiteModels: readonly SuiteModel[] = [
  ...datatypes.map((datatype): SuiteModel => ({ name: identityOf(datatype), graphs: { 1: identity(datatype, ['n', 'k']) } })),
  { name: 'identity_line', graphs: { 1: identity('FP32', ['n']) } },
  { name: 'simple', graphs: { 1: sumAndDifference('INT32', [1, 16]) } },
  { name: 'simple_batch', graphs: { 1: sumAndDifference('INT32', ['n', 16]) } },
  { name: 'simple_string', graphs: { 1: sumAndDifference('BYTES', [1, 16]) } },
  { name: 'two_versions', graphs: { 1: plus(1), 2: plus(2) } },
  { name: 'row_max', graphs: { 1: rowMax } },
];

/** Writes `<folder>/<name>/<version>/model.onnx`. @returns the paths, relative to the folder */
export function writeModels(folder: string): string[] {
  return suiteModels.flatMap(({ name, graphs }) =>
    Object.entries(graphs).map(([version, graph]) => {
      mkdirSync(join(folder, name, version), { recursive: true });
      const path = join(name, version, 'model.onnx');
      writeFileSync(join(folder, path), writeOnnx(graph));
      return path;
    }),
  );
}
