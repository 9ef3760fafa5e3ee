import { existsSync, readFileSync } from 'node:fs';
import { Type, type Static } from '@sinclair/typebox';
import { parse as parseYaml } from 'yaml';
import { MillraceError, parse, Serving, type ModelSignature } from '@millrace/contracts';
import type { TensorSpec } from '@millrace/model-runtime';

const closed = { additionalProperties: false } as const;

/** `model.yaml` beside a model file or beside its versions: all of it optional. */
export const ServingFile = Type.Object(
  {
    task: Type.Optional(Type.Union([Type.Literal('binary'), Type.Literal('multiclass'), Type.Literal('regression')])),
    classes: Type.Optional(Type.Array(Type.String(), { minItems: 2, description: 'in the order of the probability columns' })),
    positive: Type.Optional(Type.String({ description: 'the positive class of a binary model; default: the second' })),
    features: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'names of the columns of a single input tensor' })),
    serving: Type.Optional(Serving),
  },
  closed,
);
export type ServingFile = Static<typeof ServingFile>;

/** The first of these files that exists. @throws MillraceError SPEC_INVALID with every mistake. */
export function readServingFile(paths: readonly string[]): ServingFile {
  const path = paths.find((each) => existsSync(each));
  if (path === undefined) return parse(ServingFile, {}, 'SPEC_INVALID', 'no model.yaml');
  let document: unknown;
  try {
    document = parseYaml(readFileSync(path, 'utf8')) ?? {};
  } catch (cause) {
    throw new MillraceError('SPEC_INVALID', `${path} is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return parse(ServingFile, document, 'SPEC_INVALID', path);
}

interface Floats {
  readonly name: string;
  /** Values of one row; -1: unknown. */
  readonly columns: number;
}

function floatsOf(outputs: readonly TensorSpec[]): Floats[] {
  return outputs
    .filter(({ datatype, shape }) => (datatype === 'FP32' || datatype === 'FP64') && shape.length >= 1 && shape.length <= 2)
    .map(({ name, shape }) => ({ name, columns: shape.length === 1 ? 1 : (shape[1] ?? -1) }));
}

/**
 * What a model file’s outputs mean, from what the file declares and the `model.yaml` says: an output `probabilities` with
 * k ≥ 2 columns is a classification, a single output of one number a row a regression. Null: neither, and nobody said.
 */
export function signatureOf(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], file: ServingFile): ModelSignature | null {
  const floats = floatsOf(outputs);
  const probabilities = floats.find(({ name }) => name === 'probabilities') ?? (outputs.length > 1 ? floats.find(({ columns }) => columns >= 2) : undefined);
  const columns = file.classes?.length ?? probabilities?.columns ?? -1;
  const guessed = probabilities !== undefined && columns >= 2 ? (columns === 2 ? 'binary' : 'multiclass') : floats.length === 1 && floats[0]?.columns === 1 ? 'regression' : undefined;
  const task = file.task ?? guessed;
  if (task === undefined) return null;
  const classes = task === 'regression' ? [] : (file.classes ?? Array.from({ length: Math.max(2, columns) }, (_, index) => String(index)));
  const positive = file.positive === undefined ? 1 : classes.indexOf(file.positive);
  const plain = (spec: TensorSpec) => ({ name: spec.name, datatype: spec.datatype, shape: [...spec.shape] });
  return { inputs: inputs.map(plain), outputs: outputs.map(plain), task, classes, positiveIndex: task === 'binary' ? Math.max(0, positive) : null };
}
