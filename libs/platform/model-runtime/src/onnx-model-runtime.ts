import { MillraceError } from '@millrace/contracts';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { signatureMistake, type ExpectedSignature } from './expected-signature.js';
import type { LoadedModel, ModelRuntime } from './model-runtime.js';
import { sessionOptions } from './onnx-session-options.js';
import { fromOnnx, specFromOnnx, toOnnx } from './onnx-tensors.js';
import type { Tensor, Tensors, TensorSpec } from '@millrace/contracts';
import { validateFeeds } from './validate-feeds.js';

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

const loadFailed = (message: string, cause?: unknown): MillraceError =>
  new MillraceError('MODEL_LOAD_FAILED', message, cause === undefined ? {} : { cause });

class OnnxModel implements LoadedModel {
  #running = 0;
  #closed: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  constructor(
    readonly inputs: readonly TensorSpec[],
    readonly outputs: readonly TensorSpec[],
    private readonly session: InferenceSession,
  ) {}

  async run(feeds: Tensors): Promise<Tensors> {
    validateFeeds(this.inputs, feeds);
    if (this.#closed !== null) throw new MillraceError('MODEL_NOT_READY', 'the model was closed; ask the version that is routed now');
    this.#running += 1;
    try {
      return await this.#runSession(feeds);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  async #runSession(feeds: Tensors): Promise<Tensors> {
    const given: Record<string, OnnxTensor> = {};
    for (const { name } of this.inputs) {
      const tensor = feeds[name];
      if (tensor !== undefined) given[name] = toOnnx(tensor);
    }
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = await this.session.run(given);
    } catch (cause) {
      throw new MillraceError('MODEL_RUN_FAILED', `the runtime failed on inputs that fit the model's declaration: ${reasonOf(cause)}. Look at the model's operators and limits.`, { cause });
    }
    const outputs: Record<string, Tensor> = {};
    for (const { name } of this.outputs) {
      const result = results[name];
      if (!(result instanceof OnnxTensor)) throw new MillraceError('MODEL_RUN_FAILED', `the model gave no tensor for its output ${name}`);
      outputs[name] = this.#read(name, result);
    }
    return outputs;
  }

  #read(name: string, result: OnnxTensor): Tensor {
    try {
      return fromOnnx(name, result);
    } catch (cause) {
      throw new MillraceError('MODEL_RUN_FAILED', reasonOf(cause), { cause });
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }

  async #release(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.session.release();
  }
}

/** ONNX models, run in this process by onnxruntime on the CPU. A run holds the event loop for as long as the model takes. */
export class OnnxModelRuntime implements ModelRuntime {
  async load(bytes: Uint8Array, expected?: ExpectedSignature): Promise<LoadedModel> {
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(bytes, sessionOptions());
    } catch (cause) {
      throw loadFailed(`not an ONNX model that this runtime can load (${bytes.length} bytes): ${reasonOf(cause)}. Export it as one self-contained .onnx file with standard operators.`, cause);
    }
    try {
      const inputs = session.inputMetadata.map((item) => specFromOnnx('input', item));
      const outputs = session.outputMetadata.map((item) => specFromOnnx('output', item));
      const mistake = signatureMistake(inputs, outputs, expected);
      if (mistake !== null) throw new Error(mistake);
      return new OnnxModel(inputs, outputs, session);
    } catch (cause) {
      await session.release();
      throw loadFailed(reasonOf(cause), cause);
    }
  }
}
