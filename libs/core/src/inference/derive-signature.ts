import type { ModelSignature, ServingFile, TensorSpec } from '@millrace/contracts';

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
export function deriveSignature(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], file: Pick<ServingFile, 'task' | 'classes' | 'positive'>): ModelSignature | null {
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
