import { elementCount, type Tensor, type Tensors } from '@millrace/contracts';

/** Elements [start, end) under a shape. Numbers are a view on the same memory, not a copy. */
function slice(tensor: Tensor, shape: readonly number[], start: number, end: number): Tensor {
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

export function namedOutputs(names: readonly string[], tensors: readonly Tensor[]): Tensors {
  const outputs: Record<string, Tensor> = {};
  for (const [index, tensor] of tensors.entries()) outputs[names[index] ?? ''] = tensor;
  return outputs;
}

/**
 * Gives each call its own rows of a joined answer, in order.
 * @param tensors one per name.
 * @returns null when an output has not one row per row asked, so that nobody can say whose it is.
 */
export function splitOutputs(names: readonly string[], tensors: readonly Tensor[], calls: readonly { readonly rows: number }[]): Tensors[] | null {
  let total = 0;
  for (const { rows } of calls) total += rows;
  for (const { shape } of tensors) if (shape[0] !== total) return null;
  const answers: Record<string, Tensor>[] = calls.map(() => ({}));
  for (const [index, tensor] of tensors.entries()) {
    const name = names[index] ?? '';
    const trailing = tensor.shape.slice(1);
    const width = elementCount(trailing);
    let shape: readonly number[] = [];
    let from = 0;
    for (const [position, { rows }] of calls.entries()) {
      if (shape[0] !== rows) shape = [rows, ...trailing];
      const own = answers[position];
      if (own !== undefined) own[name] = slice(tensor, shape, from * width, (from + rows) * width);
      from += rows;
    }
  }
  return answers;
}
