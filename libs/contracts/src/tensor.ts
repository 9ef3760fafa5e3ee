/** How each datatype of the Open Inference Protocol lies in memory: row-major; FP16 as raw half-precision bits; BOOL as 0 or 1. */
export interface TensorElements {
  BOOL: Uint8Array;
  UINT8: Uint8Array;
  UINT16: Uint16Array;
  UINT32: Uint32Array;
  UINT64: BigUint64Array;
  INT8: Int8Array;
  INT16: Int16Array;
  INT32: Int32Array;
  INT64: BigInt64Array;
  FP16: Uint16Array;
  FP32: Float32Array;
  FP64: Float64Array;
  BYTES: readonly string[];
}

export type Datatype = keyof TensorElements;

/** A tensor: product(shape) elements. */
export type Tensor = {
  [D in Datatype]: { readonly datatype: D; readonly shape: readonly number[]; readonly data: TensorElements[D] };
}[Datatype];

export type Tensors = Readonly<Record<string, Tensor>>;

/** What a model declares; -1 is a variable dimension. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** Elements in a tensor of this shape; 1 for a scalar. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);
