import type { Tensors, TensorSpec } from '@millrace/contracts';
import type { ExpectedSignature } from './expected-signature.js';

/** Loads model files. Safe for concurrent use. */
export interface ModelRuntime {
  /**
   * @param bytes the whole model file; the caller has checked its hash.
   * @param expected when given, the file must have exactly these inputs and outputs (names and datatypes; any order).
   * @throws MillraceError MODEL_LOAD_FAILED saying what is wrong with the file and what to do.
   */
  load(bytes: Uint8Array, expected?: ExpectedSignature): Promise<LoadedModel>;
}

/** One model in memory. Calls may overlap; each gets its own answer. */
export interface LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Runs the model once and gives every output.
   * @throws MillraceError TENSOR_INVALID when the feeds do not fit `inputs` (nothing was run),
   *   MODEL_RUN_FAILED when the runtime refused them, MODEL_NOT_READY after `close`.
   */
  run(feeds: Tensors): Promise<Tensors>;
  /** Lets runs in flight finish, then frees the model's memory. May be called twice. */
  close(): Promise<void>;
}
