import { MillraceError, type TensorSpec } from '@millrace/contracts';
import { checkDepth, isObject, objectOf, textOf, type JsonObject } from './v2-json-text.js';
import { show, type Mistakes } from './v2-mistakes.js';
import type { EncodedMessage, InferRequest, V2Parameters } from './v2-messages.js';
import { encodeMessage, writeMember, writeParameters } from './v2-message-writer.js';
import { rawTensor, readParameters, setOwn, TensorReader } from './v2-tensor-reader.js';

const what = 'inference request';

export interface RequestFraming {
  /** Value of the header `Inference-Header-Content-Length`, bytes; undefined when it was not sent: the body is JSON alone. */
  readonly headerLength?: number | undefined;
  /** For the raw form (length 0): the input of a model that has one. It may throw when the model has not. */
  readonly rawInput?: () => TensorSpec;
}

/**
 * @param body of an HTTP request, decompressed. Tensors may be views of it.
 * @throws MillraceError TENSOR_INVALID listing every mistake with its JSON pointer.
 */
export function decodeInferRequest(body: Uint8Array, { headerLength, rawInput }: RequestFraming = {}): InferRequest {
  if (headerLength === 0) return rawRequest(body, rawInput);
  const text = textOf(jsonPart(body, headerLength, what), what);
  const message = objectOf(text, what);
  const reader = new TensorReader('inputs', what, text, body, headerLength ?? body.length);
  const inputs = reader.tensors(message['inputs']);
  const { id } = message;
  if (id !== undefined && typeof id !== 'string') reader.mistakes.add('/id', 'must be a text');
  const request: { -readonly [K in keyof InferRequest]: InferRequest[K] } = { parameters: readParameters(message['parameters'], '/parameters', reader.mistakes), inputs };
  if (typeof id === 'string') request.id = id;
  let known = id === undefined ? 1 : 2;
  if (message['outputs'] !== undefined) {
    known += 1;
    readOutputs(message['outputs'], request, reader.mistakes);
  }
  if (message['parameters'] !== undefined) {
    known += 1;
    readKnownParameters(request.parameters, request, reader.mistakes);
  }
  reader.finish();
  if (reader.sawUnknown || Object.keys(message).length > known) checkDepth(text, what);
  return request;
}

/** @throws MillraceError TENSOR_INVALID for a length beyond the body. */
export function jsonPart(body: Uint8Array, headerLength: number | undefined, message: string): Uint8Array {
  if (headerLength === undefined || headerLength === body.length) return body;
  if (Number.isSafeInteger(headerLength) && headerLength >= 0 && headerLength <= body.length) return body.subarray(0, headerLength);
  throw new MillraceError('TENSOR_INVALID', `Inference-Header-Content-Length is ${headerLength}; the ${message} has ${body.length} bytes`);
}

function rawRequest(body: Uint8Array, rawInput: (() => TensorSpec) | undefined): InferRequest {
  if (rawInput === undefined) throw new MillraceError('TENSOR_INVALID', 'a request of raw bytes is not taken here: Inference-Header-Content-Length must be greater than 0');
  const input = rawInput();
  const inputs = {};
  setOwn(inputs, input.name, rawTensor(input, body));
  return { parameters: {}, inputs, binaryOutput: true };
}

type Writable = { -readonly [K in keyof InferRequest]: InferRequest[K] };

function readKnownParameters(parameters: V2Parameters, request: Writable, mistakes: Mistakes): void {
  const { timeout, priority, binary_data_output: binary } = parameters;
  if (timeout !== undefined) {
    if (!isCount(timeout)) mistakes.add('/parameters/timeout', 'must be a number of microseconds >= 0');
    else if (timeout > 0) request.timeoutUs = timeout;
  }
  if (priority !== undefined) {
    if (isCount(priority)) request.priority = priority;
    else mistakes.add('/parameters/priority', 'must be an integer >= 0');
  }
  if (binary !== undefined) {
    if (typeof binary === 'boolean') request.binaryOutput = binary;
    else mistakes.add('/parameters/binary_data_output', 'must be true or false');
  }
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function readOutputs(value: unknown, request: Writable, mistakes: Mistakes): void {
  if (!Array.isArray(value)) return mistakes.add('/outputs', 'must be a list');
  const list: readonly unknown[] = value;
  const names: string[] = [];
  const binary: Record<string, boolean> = {};
  const seen = new Set<string>();
  list.forEach((item, index) => {
    const name = isObject(item) ? item['name'] : undefined;
    if (!isObject(item) || typeof name !== 'string' || name === '') return mistakes.add(`/outputs/${index}/name`, 'must be a text');
    if (seen.has(name)) mistakes.add(`/outputs/${index}/name`, `${show(name)} is asked for twice`);
    seen.add(name);
    names.push(name);
    const wanted = outputParameter(item, index, mistakes);
    if (wanted !== undefined) setOwn(binary, name, wanted);
  });
  if (names.length > 0) request.outputs = names;
  if (Object.keys(binary).length > 0) request.binaryOutputs = binary;
}

function outputParameter(item: JsonObject, index: number, mistakes: Mistakes): boolean | undefined {
  const path = `/outputs/${index}/parameters`;
  const parameters = readParameters(item['parameters'], path, mistakes);
  const { binary_data: binary, classification } = parameters;
  if (classification !== undefined && classification !== 0) mistakes.add(`${path}/classification`, 'the classification extension is not supported here; ask for the output itself and take its largest elements');
  if (parameters['shared_memory_region'] !== undefined) mistakes.add(`${path}/shared_memory_region`, 'shared memory is not supported here; the answer carries the data');
  if (binary === undefined || typeof binary === 'boolean') return binary;
  mistakes.add(`${path}/binary_data`, 'must be true or false');
  return undefined;
}

/**
 * The client's half.
 * @param binaryInputs which inputs travel in binary: all, none or those named.
 * @throws MillraceError TENSOR_INVALID for a text that UTF-8 does not have.
 */
export function encodeInferRequest(request: InferRequest, binaryInputs: boolean | ReadonlySet<string> = false): EncodedMessage {
  const { id, inputs, outputs, binaryOutputs = {} } = request;
  return encodeMessage((writer) => {
    if (id !== undefined) writeMember(writer, 'id', id);
    const parameters = parametersOf(request);
    if (Object.keys(parameters).length > 0) {
      writeParameters(writer, parameters);
      writer.ascii(',');
    }
    const asked = outputs ?? Object.keys(binaryOutputs);
    if (asked.length === 0) return;
    writer.ascii('"outputs":[');
    asked.forEach((name, index) => {
      writer.ascii(index === 0 ? '{"name":' : ',{"name":');
      writer.text(name);
      if (Object.hasOwn(binaryOutputs, name)) writer.ascii(`,"parameters":{"binary_data":${String(binaryOutputs[name])}}`);
      writer.ascii('}');
    });
    writer.ascii('],');
  }, 'inputs', inputs, (name) => (typeof binaryInputs === 'boolean' ? binaryInputs : binaryInputs.has(name)));
}

function parametersOf({ parameters, timeoutUs, priority, binaryOutput }: InferRequest): V2Parameters {
  const known = { timeout: timeoutUs, priority, binary_data_output: binaryOutput };
  return Object.fromEntries([...Object.entries(parameters), ...Object.entries(known)].flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
