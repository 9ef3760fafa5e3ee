import { Tensor as OnnxTensor, type InferenceSession } from 'onnxruntime-node';
import type { Datatype, Tensor, TensorSpec } from '@millrace/contracts';

const datatypes: Readonly<Partial<Record<OnnxTensor.Type, Datatype>>> = {
  bool: 'BOOL', uint8: 'UINT8', uint16: 'UINT16', uint32: 'UINT32', uint64: 'UINT64', int8: 'INT8', int16: 'INT16',
  int32: 'INT32', int64: 'INT64', float16: 'FP16', float32: 'FP32', float64: 'FP64', string: 'BYTES',
};

// Plain errors: a worker process translates too, and must stay small; the contracts' code would be a sixth of its memory.

/** @throws Error for a sequence or map, or an element type outside the protocol. */
export function specFromOnnx(kind: 'input' | 'output', metadata: InferenceSession.ValueMetadata): TensorSpec {
  const { name } = metadata;
  if (!metadata.isTensor) {
    throw new Error(`${kind} ${name} is a sequence or a map, not a tensor. Export classifiers with zipmap switched off.`);
  }
  const datatype = datatypes[metadata.type];
  if (datatype === undefined) throw new Error(`${kind} ${name} has element type ${metadata.type}, which the inference protocol does not have`);
  return { name, datatype, shape: metadata.shape.map((dim) => (typeof dim === 'number' ? dim : -1)) };
}

// Given as 'float16', the bits would be wrapped in a Float16Array where the engine has one, and onnxruntime-node 1.30.0
// then reads zero bytes from it. Its native side takes the bits as they are.
const halfPrecision = (bits: Uint16Array, shape: readonly number[]): OnnxTensor =>
  Object.assign(new OnnxTensor('uint16', bits, shape), { type: 'float16' as const });

export function toOnnx(tensor: Tensor): OnnxTensor {
  switch (tensor.datatype) {
    case 'BOOL': return new OnnxTensor('bool', tensor.data, tensor.shape);
    case 'UINT8': return new OnnxTensor('uint8', tensor.data, tensor.shape);
    case 'UINT16': return new OnnxTensor('uint16', tensor.data, tensor.shape);
    case 'UINT32': return new OnnxTensor('uint32', tensor.data, tensor.shape);
    case 'UINT64': return new OnnxTensor('uint64', tensor.data, tensor.shape);
    case 'INT8': return new OnnxTensor('int8', tensor.data, tensor.shape);
    case 'INT16': return new OnnxTensor('int16', tensor.data, tensor.shape);
    case 'INT32': return new OnnxTensor('int32', tensor.data, tensor.shape);
    case 'INT64': return new OnnxTensor('int64', tensor.data, tensor.shape);
    case 'FP16': return halfPrecision(tensor.data, tensor.shape);
    case 'FP32': return new OnnxTensor('float32', tensor.data, tensor.shape);
    case 'FP64': return new OnnxTensor('float64', tensor.data, tensor.shape);
    case 'BYTES': return new OnnxTensor('string', tensor.data, tensor.shape);
  }
}

/** @throws Error when the runtime gives elements of another kind than it says. */
export function fromOnnx(name: string, tensor: OnnxTensor): Tensor {
  const { data, dims: shape } = tensor;
  switch (tensor.type) {
    case 'bool': if (data instanceof Uint8Array) return { datatype: 'BOOL', shape, data }; break;
    case 'uint8': if (data instanceof Uint8Array) return { datatype: 'UINT8', shape, data }; break;
    case 'uint16': if (data instanceof Uint16Array) return { datatype: 'UINT16', shape, data }; break;
    case 'uint32': if (data instanceof Uint32Array) return { datatype: 'UINT32', shape, data }; break;
    case 'uint64': if (data instanceof BigUint64Array) return { datatype: 'UINT64', shape, data }; break;
    case 'int8': if (data instanceof Int8Array) return { datatype: 'INT8', shape, data }; break;
    case 'int16': if (data instanceof Int16Array) return { datatype: 'INT16', shape, data }; break;
    case 'int32': if (data instanceof Int32Array) return { datatype: 'INT32', shape, data }; break;
    case 'int64': if (data instanceof BigInt64Array) return { datatype: 'INT64', shape, data }; break;
    // The newer JavaScript engines have a Float16Array; older ones give the bits. Ours are always the bits.
    case 'float16': if (ArrayBuffer.isView(data)) return { datatype: 'FP16', shape, data: new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) }; break;
    case 'float32': if (data instanceof Float32Array) return { datatype: 'FP32', shape, data }; break;
    case 'float64': if (data instanceof Float64Array) return { datatype: 'FP64', shape, data }; break;
    case 'string': if (Array.isArray(data)) return { datatype: 'BYTES', shape, data }; break;
  }
  throw new Error(`the runtime gave output ${name} as ${tensor.type} with elements of another kind`);
}
