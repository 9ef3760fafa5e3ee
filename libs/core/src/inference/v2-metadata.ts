// Metadata objects of the Open Inference Protocol, V2.

export interface V2TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  /** -1 is a variable dimension. */
  readonly shape: readonly number[];
}

export interface V2Signature {
  readonly inputs: readonly V2TensorMetadata[];
  readonly outputs: readonly V2TensorMetadata[];
}

export interface V2ModelMetadata extends V2Signature {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
}

export interface V2ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export const serverMetadata = (name: string, version: string, extensions: readonly string[]): V2ServerMetadata => ({ name, version, extensions });

/** ONNX models answer with the platform `onnx_onnxv1`. */
export function modelMetadata(name: string, versions: readonly string[], signature: V2Signature): V2ModelMetadata {
  const plain = ({ name: tensor, datatype, shape }: V2TensorMetadata): V2TensorMetadata => ({ name: tensor, datatype, shape });
  return { name, versions, platform: 'onnx_onnxv1', inputs: signature.inputs.map(plain), outputs: signature.outputs.map(plain) };
}
