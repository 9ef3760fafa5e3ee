import type { Tensor, Tensors, TensorSpec } from '@millrace/contracts';
import { toFeeds, type Feature, type Features } from './feature-rows.js';
import { FeatureWriter } from './feature-writer.js';
import type { ByteWriter } from './v2-byte-writer.js';

/** How named features lie in a model's input tensors. */
export interface FeatureLayout {
  readonly features: readonly Feature[];
  /** Rows, judged before by `judgeFeatures`, as the model takes them; features that it does not have are passed over. */
  feedsOf(rows: readonly Features[]): Tensors;
  /** As `feedsOf`, from whole columns by feature: numbers with NaN, texts with '' for what is unknown. One pass, no row objects. */
  feedsOfColumns(columns: Readonly<Record<string, Float32Array | readonly string[]>>, rows: number): Tensors;
  /** The inverse: the rows in tensors that fit the model. NaN, infinity and '' become null. */
  rowsOf(feeds: Tensors): Record<string, number | string | null>[];
  rowCountOf(feeds: Tensors): number;
  /** One of `rowsOf` as a JSON object, without making it; FP32 values as the shortest decimals that are the same in FP32. */
  writeRow(to: ByteWriter, feeds: Tensors, row: number): void;
  /** Given features as a JSON object: those of the model, in its order; what is no finite number and no text becomes null. */
  writeFeatures(to: ByteWriter, given: Features): void;
}

type Input = Omit<TensorSpec, 'datatype'> & { readonly datatype: string };

const plain = (value: number | bigint | string | undefined): number | string | null => {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return value === '' ? null : value;
  return value !== undefined && Number.isFinite(value) ? value : null;
};

function columnOf({ name, datatype, shape }: Input): Feature | null {
  if (shape.length !== 2 || shape[0] !== -1 || shape[1] !== 1) return null;
  if (datatype === 'FP32') return { name, type: 'number' };
  return datatype === 'BYTES' ? { name, type: 'category' } : null;
}

function columnTensor(type: Feature['type'], values: Float32Array | readonly string[] | undefined, rows: number): Tensor {
  const shape = [rows, 1];
  if (type === 'number') return { datatype: 'FP32', shape, data: values instanceof Float32Array ? values : new Float32Array(rows).fill(NaN) };
  return { datatype: 'BYTES', shape, data: values === undefined || values instanceof Float32Array ? new Array<string>(rows).fill('') : values };
}

/** One input per feature: FP32 [-1, 1] for a number, BYTES [-1, 1] for a category. */
function columns(inputs: readonly Input[]): FeatureLayout | null {
  const features = inputs.map(columnOf).filter((feature) => feature !== null);
  if (features.length !== inputs.length || features.length === 0) return null;
  const writer = new FeatureWriter(features);
  const rowCountOf = (feeds: Tensors): number => feeds[features[0]?.name ?? '']?.shape[0] ?? 0;
  return {
    features,
    rowCountOf,
    writeRow: (to, feeds, row) => writer.writeElements(to, (index) => feeds[features[index]?.name ?? ''], () => row),
    writeFeatures: (to, given) => writer.writeFeatures(to, given),
    feedsOf: (rows) => toFeeds(features, rows),
    feedsOfColumns: (given, rows) => Object.fromEntries(features.map(({ name, type }): [string, Tensor] => [name, columnTensor(type, given[name], rows)])),
    rowsOf: (feeds) =>
      Array.from({ length: rowCountOf(feeds) }, (_, row) => {
        const given: Record<string, number | string | null> = {};
        for (const { name } of features) given[name] = plain(feeds[name]?.data[row]);
        return given;
      }),
  };
}

/** All features in one tensor FP32 or FP64 [-1, k], named in the order of its columns. */
function vector(input: Input, names: readonly string[] | undefined): FeatureLayout | null {
  const { name: tensor, datatype, shape } = input;
  const width = shape[1] ?? -1;
  if ((datatype !== 'FP32' && datatype !== 'FP64') || shape.length !== 2 || shape[0] !== -1 || width < 1) return null;
  const columnNames = names ?? Array.from({ length: width }, (_, column) => `${tensor}_${column}`);
  if (columnNames.length !== width || new Set(columnNames).size !== width) return null;
  const features = columnNames.map((name): Feature => ({ name, type: 'number' }));
  const fill = (data: Float32Array | Float64Array, rows: readonly Features[]): void => {
    let at = 0;
    for (const row of rows) {
      for (const name of columnNames) {
        const value = row[name];
        data[at] = typeof value === 'number' ? value : NaN;
        at += 1;
      }
    }
  };
  const writer = new FeatureWriter(features);
  const rowCountOf = (feeds: Tensors): number => feeds[tensor]?.shape[0] ?? 0;
  return {
    features,
    rowCountOf,
    writeRow: (to, feeds, row) => writer.writeElements(to, () => feeds[tensor], (column) => row * width + column),
    writeFeatures: (to, given) => writer.writeFeatures(to, given),
    feedsOfColumns: (given, rows) => {
      const data = datatype === 'FP32' ? new Float32Array(rows * width) : new Float64Array(rows * width);
      columnNames.forEach((name, column) => {
        const values = given[name];
        for (let row = 0; row < rows; row += 1) data[row * width + column] = values instanceof Float32Array ? (values[row] ?? NaN) : NaN;
      });
      const dims = [rows, width];
      return { [tensor]: data instanceof Float32Array ? { datatype: 'FP32', shape: dims, data } : { datatype: 'FP64', shape: dims, data } };
    },
    feedsOf: (rows) => {
      const dims = [rows.length, width];
      const count = rows.length * width;
      if (datatype === 'FP32') {
        const data = new Float32Array(count);
        fill(data, rows);
        return { [tensor]: { datatype, shape: dims, data } };
      }
      const data = new Float64Array(count);
      fill(data, rows);
      return { [tensor]: { datatype, shape: dims, data } };
    },
    rowsOf: (feeds) =>
      Array.from({ length: rowCountOf(feeds) }, (_, row) => {
        const given: Record<string, number | string | null> = {};
        columnNames.forEach((name, column) => (given[name] = plain(feeds[tensor]?.data[row * width + column])));
        return given;
      }),
  };
}

/**
 * The layout behind a model's inputs, or null when they are no rows of features: such a model is asked with tensors only.
 * @param names of the columns of a single input tensor, in order; default `<input>_0`, `<input>_1`, …
 */
export function featureLayoutOf(inputs: readonly Input[], names?: readonly string[]): FeatureLayout | null {
  const [first] = inputs;
  return columns(inputs) ?? (inputs.length === 1 && first !== undefined ? vector(first, names) : null);
}
