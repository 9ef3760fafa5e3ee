import { MillraceError } from '@millrace/contracts';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import type { ExpectedSignature, LoadedModel, ModelRuntime } from './model-runtime.js';
import { fromOnnx, specFromOnnx, toOnnx } from './onnx-tensors.js';
import type { Tensor, Tensors, TensorSpec } from '@millrace/contracts';
import { validateFeeds } from './validate-feeds.js';

// Small models: a second thread costs more in hand-over than it saves, and the processes of the ring share few cores.
const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4, // failures reach us as exceptions; the runtime need not print them too
};

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
      outputs[name] = fromOnnx(name, result);
    }
    return outputs;
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

function checkExpected(kind: 'input' | 'output', actual: readonly TensorSpec[], expected: ExpectedSignature['inputs']): string[] {
  const declared = new Map(actual.map(({ name, datatype }) => [name, datatype as string]));
  const messages: string[] = [];
  for (const { name, datatype } of expected) {
    const found = declared.get(name);
    if (found === undefined) messages.push(`${kind} ${name} is not in the file`);
    else if (found !== datatype) messages.push(`${kind} ${name} is ${found}, not ${datatype}`);
    declared.delete(name);
  }
  for (const name of declared.keys()) messages.push(`the file has an unexpected ${kind} ${name}`);
  return messages;
}

/** ONNX models, run in this process by onnxruntime on the CPU. A run holds the event loop for as long as the model takes. */
export class OnnxModelRuntime implements ModelRuntime {
  async load(bytes: Uint8Array, expected?: ExpectedSignature): Promise<LoadedModel> {
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(bytes, sessionOptions);
    } catch (cause) {
      throw loadFailed(`not an ONNX model that this runtime can load (${bytes.length} bytes): ${reasonOf(cause)}. Export it as one self-contained .onnx file with standard operators.`, cause);
    }
    try {
      const inputs = session.inputMetadata.map((item) => specFromOnnx('input', item));
      const outputs = session.outputMetadata.map((item) => specFromOnnx('output', item));
      const mistakes = expected === undefined ? [] : [
        ...checkExpected('input', inputs, expected.inputs),
        ...checkExpected('output', outputs, expected.outputs),
      ];
      if (mistakes.length > 0) throw loadFailed(`the model file does not match its signature: ${mistakes.join('; ')}. Register the file with the signature it was exported with.`);
      return new OnnxModel(inputs, outputs, session);
    } catch (error) {
      await session.release();
      throw error;
    }
  }
}
