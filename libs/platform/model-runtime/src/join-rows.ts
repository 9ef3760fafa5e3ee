import { elementCount, type Tensor, type Tensors } from '@millrace/contracts';

/** The elements of all tensors, one after the other, as raw memory. */
function joinMemory(tensors: readonly Tensor[]): ArrayBuffer {
  const parts = tensors.flatMap(({ data }) => (ArrayBuffer.isView(data) ? [data] : []));
  const joined = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of parts) {
    joined.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return joined.buffer;
}

/** Puts tensors of one datatype and equal trailing dimensions below each other along dimension 0. */
function joinTensors(tensors: readonly Tensor[]): Tensor | undefined {
  const first = tensors[0];
  if (first === undefined || tensors.length === 1) return first;
  const rows = tensors.reduce((sum, tensor) => sum + (tensor.shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  if (first.datatype === 'BYTES') {
    return { datatype: 'BYTES', shape, data: tensors.flatMap((tensor) => (tensor.datatype === 'BYTES' ? tensor.data : [])) };
  }
  const memory = joinMemory(tensors);
  switch (first.datatype) {
    case 'BOOL': case 'UINT8': return { datatype: first.datatype, shape, data: new Uint8Array(memory) };
    case 'UINT16': case 'FP16': return { datatype: first.datatype, shape, data: new Uint16Array(memory) };
    case 'UINT32': return { datatype: 'UINT32', shape, data: new Uint32Array(memory) };
    case 'UINT64': return { datatype: 'UINT64', shape, data: new BigUint64Array(memory) };
    case 'INT8': return { datatype: 'INT8', shape, data: new Int8Array(memory) };
    case 'INT16': return { datatype: 'INT16', shape, data: new Int16Array(memory) };
    case 'INT32': return { datatype: 'INT32', shape, data: new Int32Array(memory) };
    case 'INT64': return { datatype: 'INT64', shape, data: new BigInt64Array(memory) };
    case 'FP32': return { datatype: 'FP32', shape, data: new Float32Array(memory) };
    case 'FP64': return { datatype: 'FP64', shape, data: new Float64Array(memory) };
  }
}

/** Rows [from, to) of a tensor. Numbers are a view on the same memory, not a copy. */
function sliceTensor(tensor: Tensor, from: number, to: number): Tensor {
  const width = elementCount(tensor.shape.slice(1));
  const shape = [to - from, ...tensor.shape.slice(1)];
  const [start, end] = [from * width, to * width];
  switch (tensor.datatype) {
    case 'BYTES': return { datatype: 'BYTES', shape, data: tensor.data.slice(start, end) };
    case 'BOOL': case 'UINT8': return { datatype: tensor.datatype, shape, data: tensor.data.subarray(start, end) };
    case 'UINT16': case 'FP16': return { datatype: tensor.datatype, shape, data: tensor.data.subarray(start, end) };
    case 'UINT32': return { datatype: 'UINT32', shape, data: tensor.data.subarray(start, end) };
    case 'UINT64': return { datatype: 'UINT64', shape, data: tensor.data.subarray(start, end) };
    case 'INT8': return { datatype: 'INT8', shape, data: tensor.data.subarray(start, end) };
    case 'INT16': return { datatype: 'INT16', shape, data: tensor.data.subarray(start, end) };
    case 'INT32': return { datatype: 'INT32', shape, data: tensor.data.subarray(start, end) };
    case 'INT64': return { datatype: 'INT64', shape, data: tensor.data.subarray(start, end) };
    case 'FP32': return { datatype: 'FP32', shape, data: tensor.data.subarray(start, end) };
    case 'FP64': return { datatype: 'FP64', shape, data: tensor.data.subarray(start, end) };
  }
}

/** Joins the feeds of several calls, input by input. All calls have the same inputs, with equal trailing dimensions. */
export function joinRows(names: readonly string[], calls: readonly Tensors[]): Tensors {
  const joined: Record<string, Tensor> = {};
  for (const name of names) {
    const tensor = joinTensors(calls.flatMap((feeds) => feeds[name] ?? []));
    if (tensor !== undefined) joined[name] = tensor;
  }
  return joined;
}

/**
 * Gives each call its own rows of a joined answer, in order.
 * @returns null when an output has not one row per row asked, so that nobody can say whose it is.
 */
export function splitRows(outputs: Tensors, rowsPerCall: readonly number[]): Tensors[] | null {
  const total = rowsPerCall.reduce((sum, rows) => sum + rows, 0);
  const entries = Object.entries(outputs);
  if (!entries.every(([, tensor]) => tensor.shape[0] === total)) return null;
  let from = 0;
  return rowsPerCall.map((rows) => {
    const own: Record<string, Tensor> = {};
    for (const [name, tensor] of entries) own[name] = sliceTensor(tensor, from, from + rows);
    from += rows;
    return own;
  });
}
