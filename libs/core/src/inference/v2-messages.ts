import type { Tensors } from '@millrace/contracts';

// Inference messages of the Open Inference Protocol, V2 (kserve/open-inference-protocol, inference_rest.md), however they travel.

/** Parameters that the protocol leaves to servers; those that are known here have members of their own as well. */
export type V2Parameters = Readonly<Record<string, string | number | boolean>>;

/** Which outputs a client wants in binary. */
export interface AnswerForm {
  /** All outputs for which `binaryOutputs` says nothing; absent: JSON. The parameter `binary_data_output`. */
  readonly binaryOutput?: boolean;
  /** By output name, the parameter `binary_data`; never through a prototype. */
  readonly binaryOutputs?: Readonly<Record<string, boolean>>;
}

export interface InferRequest extends AnswerForm {
  readonly id?: string;
  /** As they were sent, those with members of their own included. */
  readonly parameters: V2Parameters;
  /** By name; never through a prototype. Elements may be a view of the body that was decoded. */
  readonly inputs: Tensors;
  /** Names of the outputs asked for; absent: all. */
  readonly outputs?: readonly string[];
  /** The parameter `timeout`, µs, > 0; absent: the server's own. */
  readonly timeoutUs?: number;
  /** The parameter `priority`: 1 is the highest; 0 and absent: the server's own. */
  readonly priority?: number;
}

export interface InferResponse {
  readonly modelName: string;
  readonly modelVersion?: string;
  readonly id?: string;
  /** What the server has to say of the answer as a whole. */
  readonly parameters?: V2Parameters;
  readonly outputs: Tensors;
}

/** What travels as an HTTP body. */
export interface EncodedMessage {
  readonly body: Uint8Array;
  /** Bytes of the JSON part, for the header `Inference-Header-Content-Length`; null: the body is JSON alone, without that header. */
  readonly headerLength: number | null;
}
