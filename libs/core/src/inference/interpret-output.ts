import { MillraceError } from '@millrace/contracts';
import type { Tensor, Tensors } from '@millrace/contracts';

/** What the reader of an answer must know. `classes` are in the order of the probability columns; empty for a regression. */
export interface OutputMeaning {
  readonly task: 'binary' | 'multiclass' | 'regression';
  readonly classes: readonly string[];
  /** Index of the positive class of a binary model. */
  readonly positiveIndex: number | null;
}

export interface Prediction {
  label?: boolean | number | string;
  probability?: number;
  probabilities?: Record<string, number>;
  value?: number;
}

const oneColumn = [1];

type FloatTensor = Extract<Tensor, { datatype: 'FP32' | 'FP64' }>;

const roundingMax = 1e-4; // float32 sums of a softmax or a voting ensemble leave [0, 1] by less

const fail = (message: string): MillraceError => new MillraceError('MODEL_RUN_FAILED', message);

function fits(tensor: Tensor | undefined, rows: number, columns: readonly number[]): tensor is FloatTensor {
  if (tensor?.datatype !== 'FP32' && tensor?.datatype !== 'FP64') return false;
  for (const count of columns) if (tensor.data.length === rows * count) return true;
  return false;
}

/** The named output where there is one, otherwise the only floating-point output with `columns` elements per row. */
function findFloats(outputs: Tensors, name: string, rows: number, columns: readonly number[]): { data: FloatTensor['data']; columns: number } {
  const isNamed = Object.hasOwn(outputs, name);
  const candidates: FloatTensor[] = [];
  for (const each in outputs) {
    const tensor = outputs[each];
    if ((!isNamed || each === name) && fits(tensor, rows, columns)) candidates.push(tensor);
  }
  const [found, another] = candidates;
  if (found === undefined || another !== undefined) {
    throw fail(`the model gave ${candidates.length} outputs that could be ${name} of ${rows} rows (${columns.join(' or ')} per row); name one ${name}`);
  }
  return { data: found.data, columns: rows === 0 ? (columns[0] ?? 1) : found.data.length / rows };
}

/** @throws MillraceError MODEL_RUN_FAILED for anything that is no probability, up to float32 rounding. */
function asProbability(value: number | undefined, row: number): number {
  if (value === undefined || !(value >= -roundingMax && value <= 1 + roundingMax)) throw fail(`the model gave ${value} as a probability in row ${row}`);
  return Math.min(1, Math.max(0, value));
}

/** Classes named true and false are truth values in the labels that records carry; every other class is its text. */
const labelOf = (name: string, classes: readonly string[]): boolean | string =>
  classes.every((other) => other === 'true' || other === 'false') ? name === 'true' : name;

function readClasses(outputs: Tensors, { task, classes, positiveIndex }: OutputMeaning, rows: number): Prediction[] {
  const isBinary = task === 'binary';
  if (isBinary && (classes.length !== 2 || positiveIndex === null)) throw fail('a binary model has two classes, one of them positive');
  const { data, columns } = findFloats(outputs, 'probabilities', rows, isBinary ? [2, 1] : [classes.length]);
  return Array.from({ length: rows }, (_, row): Prediction => {
    let probabilities: number[];
    if (isBinary && columns === 1) {
      const positive = asProbability(data[row], row);
      probabilities = positiveIndex === 0 ? [positive, 1 - positive] : [1 - positive, positive];
    } else probabilities = classes.map((_name, column) => asProbability(data[row * columns + column], row));
    const best = probabilities.indexOf(Math.max(...probabilities)); // a tie goes to the lower index, as ONNX ArgMax does
    const label = labelOf(classes[best] ?? '', classes);
    if (isBinary) return { label, probability: probabilities[positiveIndex ?? 1] ?? NaN };
    return { label, probabilities: Object.fromEntries(classes.map((name, column) => [name, probabilities[column] ?? NaN])) };
  });
}

/**
 * What a model's outputs say about each of `rows` rows. Binary: label and P(positive). Multi-class: the most probable
 * label and all probabilities. Regression: value. Classification reads `probabilities` FP32|FP64 [n, k] (binary also
 * [n] or [n, 1] = P(positive)), regression `prediction` [n] or [n, 1]; a differently named output is taken if it is the
 * only one that fits.
 * @throws MillraceError MODEL_RUN_FAILED when no output fits, a probability is outside [0, 1] or a value is not finite.
 */
export function interpretOutput(outputs: Tensors, meaning: OutputMeaning, rows: number): Prediction[] {
  if (meaning.task !== 'regression') return readClasses(outputs, meaning, rows);
  const { data } = findFloats(outputs, 'prediction', rows, oneColumn);
  const predictions: Prediction[] = [];
  for (let row = 0; row < rows; row += 1) {
    const value = data[row];
    if (value === undefined || !Number.isFinite(value)) throw fail(`the model gave ${value} as the value of row ${row}`);
    predictions.push({ value });
  }
  return predictions;
}
