import { MillraceError, type ErrorCode, type Mistake } from '@millrace/contracts';
import type { Tensor, Tensors, TensorSpec } from '@millrace/contracts';
import { setOwn } from './v2-tensor-reader.js';

/** One feature as the model takes it. `nullable` (default true): null is allowed and the model imputes it. */
export interface Feature {
  readonly name: string;
  readonly type: 'number' | 'category';
  readonly nullable?: boolean;
}

export type Features = Readonly<Record<string, unknown>>;

/** One thing wrong with one instance. `path` is the feature's name, as a JSON pointer under the instance's features. */
export interface FeatureMistake extends Mistake {
  readonly code: Extract<ErrorCode, `FEATURE_${string}`>;
}

// What people write for a number that is none; parsed numbers outside float32 become infinite too.
const notFiniteText = /^[+-]?(nan|inf|infinity)$/i;
// The serving runtime keeps texts NUL-terminated in UTF-8: these would reach the model changed.
const unsafeText = /[\0\p{Surrogate}]/u;

const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function judgeNumber(value: unknown): readonly [FeatureMistake['code'], string] | null {
  if (typeof value === 'number') {
    return Number.isFinite(Math.fround(value)) ? null : ['FEATURE_NOT_FINITE', `${value} is not finite in 32 bits; send null for an unknown value`];
  }
  if (typeof value === 'string' && notFiniteText.test(value)) return ['FEATURE_NOT_FINITE', `${JSON.stringify(value)} is not finite; send null for an unknown value`];
  return ['FEATURE_TYPE', `must be a number or null, not ${kindOf(value)}`];
}

function judgeCategory(value: unknown): readonly [FeatureMistake['code'], string] | null {
  if (typeof value !== 'string') return ['FEATURE_TYPE', `must be a text or null, not ${kindOf(value)}`];
  return unsafeText.test(value) ? ['FEATURE_TYPE', 'holds a NUL or an unpaired surrogate, which cannot reach the model unchanged'] : null;
}

/**
 * Everything that is wrong with one instance's features; empty when nothing is.
 * An absent feature is a mistake, a null one is an unknown value that the model imputes.
 * @param isKnown whether a name that is not among `features` is all the same allowed (say, another routed version has it).
 */
export function judgeFeatures(features: readonly Feature[], values: Features, isKnown: (name: string) => boolean = () => false): FeatureMistake[] {
  const mistakes: FeatureMistake[] = [];
  let present = 0;
  for (const { name, type, nullable } of features) {
    if (!Object.hasOwn(values, name) || values[name] === undefined) {
      mistakes.push({ code: 'FEATURE_MISSING', path: pointer(name), message: 'is missing; send null for an unknown value' });
      continue;
    }
    present += 1;
    const value = values[name];
    if (value === null) {
      if (nullable === false) mistakes.push({ code: 'FEATURE_TYPE', path: pointer(name), message: 'must not be null' });
      continue;
    }
    const mistake = type === 'number' ? judgeNumber(value) : judgeCategory(value);
    if (mistake !== null) mistakes.push({ code: mistake[0], path: pointer(name), message: mistake[1] });
  }
  const names = Object.keys(values);
  if (names.length === present) return mistakes;
  const own = new Set(features.map(({ name }) => name));
  for (const name of names) {
    if (!own.has(name) && !isKnown(name)) mistakes.push({ code: 'FEATURE_UNKNOWN', path: pointer(name), message: 'is no feature of this model' });
  }
  return mistakes;
}

/**
 * Instances, judged before, as the columns that a tabular model takes: FP32 [n, 1] with NaN for null, BYTES [n, 1] with
 * '' for null. Features that the model does not have are passed over.
 */
export function toFeeds(features: readonly Feature[], rows: readonly Features[]): Tensors {
  const shape = [rows.length, 1];
  const feeds: Record<string, Tensor> = {};
  for (const { name, type } of features) setOwn(feeds, name, type === 'category' ? { datatype: 'BYTES', shape, data: textsOf(rows, name) } : { datatype: 'FP32', shape, data: numbersOf(rows, name) });
  return feeds;
}

function textsOf(rows: readonly Features[], name: string): string[] {
  return rows.map((row) => {
    const value = row[name];
    return typeof value === 'string' ? value : '';
  });
}

function numbersOf(rows: readonly Features[], name: string): Float32Array {
  const numbers = new Float32Array(rows.length);
  for (let index = 0; index < rows.length; index += 1) {
    const value = rows[index]?.[name];
    numbers[index] = typeof value === 'number' ? value : NaN;
  }
  return numbers;
}

export interface FeatureRows {
  /** One row per accepted instance, in their order. */
  readonly feeds: Tensors;
  /** Indexes of the instances that the rows of `feeds` stand for. */
  readonly accepted: readonly number[];
  readonly refused: readonly { readonly index: number; readonly id: string; readonly mistakes: readonly FeatureMistake[] }[];
}

/** Judges every instance by itself: one bad instance does not spoil the others. */
export function toFeatureRows(
  features: readonly Feature[],
  instances: readonly { readonly id: string; readonly features: Features }[],
  isKnown?: (name: string) => boolean,
): FeatureRows {
  const accepted: number[] = [];
  const refused: FeatureRows['refused'][number][] = [];
  const rows: Features[] = [];
  instances.forEach(({ id, features: values }, index) => {
    const mistakes = judgeFeatures(features, values, isKnown);
    if (mistakes.length > 0) {
      refused.push({ index, id, mistakes });
      return;
    }
    accepted.push(index);
    rows.push(values);
  });
  return { feeds: toFeeds(features, rows), accepted, refused };
}

/**
 * The features behind a tabular model's inputs: FP32 [-1, 1] is a number, BYTES [-1, 1] a category.
 * @throws MillraceError TENSOR_INVALID for any other input: such a model can be asked with tensors only.
 */
export function featuresOf(inputs: readonly (Omit<TensorSpec, 'datatype'> & { readonly datatype: string })[]): Feature[] {
  return inputs.map(({ name, datatype, shape }) => {
    const isColumn = shape.length === 2 && shape[0] === -1 && shape[1] === 1;
    if (isColumn && datatype === 'FP32') return { name, type: 'number' };
    if (isColumn && datatype === 'BYTES') return { name, type: 'category' };
    throw new MillraceError('TENSOR_INVALID', `input ${name} is ${datatype} [${shape.join(', ')}], not one column of a feature; ask this model through the inference protocol`);
  });
}
