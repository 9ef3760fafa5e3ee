import type { V2Signature, V2TensorMetadata } from './v2-metadata.js';

// The model configuration extension: Triton's ModelConfig in JSON, as far as it says something of a model here. Its load
// generator reads name, platform, max_batch_size, the tensors, and which kind of scheduling there is.

export interface ConfigTensor {
  readonly name: string;
  readonly data_type: string;
  /** Without the batch, when there is one. */
  readonly dims: readonly number[];
}

export interface V2ModelConfig {
  readonly name: string;
  readonly platform: 'onnxruntime_onnx';
  readonly backend: 'onnxruntime';
  readonly version_policy: { readonly specific: { readonly versions: readonly number[] } } | { readonly all: Readonly<Record<string, never>> };
  /** 0: the model takes no batches, and dims are whole shapes. */
  readonly max_batch_size: number;
  readonly input: readonly ConfigTensor[];
  readonly output: readonly ConfigTensor[];
  readonly dynamic_batching?: { readonly preferred_batch_size: readonly number[]; readonly max_queue_delay_microseconds: number };
  readonly instance_group: readonly { readonly name: string; readonly kind: 'KIND_CPU'; readonly count: number }[];
}

export interface ConfigFacts extends V2Signature {
  /** Rows of the largest batch that the server makes; absent: it makes none. */
  readonly rowsMax?: number | undefined;
  /** How long a row may wait for others, ms; default 0. */
  readonly windowMs?: number | undefined;
  readonly preferredRows?: readonly number[] | undefined;
  /** All versions that can be asked. Those that are no plain numbers have no place in a ModelConfig. */
  readonly versions?: readonly string[] | undefined;
  /** Sessions that run at once; default 1. */
  readonly instances?: number | undefined;
}

/** BYTES is a string there; all others are called the same. */
const dataType = (datatype: string): string => `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`;

/** Whether the first dimension of every tensor is a free number of rows. */
export const takesBatches = ({ inputs, outputs }: V2Signature): boolean => [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);

export function modelConfig(name: string, facts: ConfigFacts): V2ModelConfig {
  const { rowsMax = 0, windowMs = 0, preferredRows = [], versions = [], instances = 1 } = facts;
  const isBatched = rowsMax > 0 && takesBatches(facts);
  const tensor = ({ name: own, datatype, shape }: V2TensorMetadata): ConfigTensor => ({ name: own, data_type: dataType(datatype), dims: isBatched ? shape.slice(1) : shape });
  const numbers = versions.map(Number);
  const areNumbers = numbers.length > 0 && versions.every((version) => /^\d{1,15}$/u.test(version));
  return {
    name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    version_policy: areNumbers ? { specific: { versions: numbers } } : { all: {} },
    max_batch_size: isBatched ? rowsMax : 0,
    input: facts.inputs.map(tensor),
    output: facts.outputs.map(tensor),
    ...(isBatched ? { dynamic_batching: { preferred_batch_size: preferredRows, max_queue_delay_microseconds: Math.round(windowMs * 1_000) } } : {}),
    instance_group: [{ name, kind: 'KIND_CPU', count: instances }],
  };
}
