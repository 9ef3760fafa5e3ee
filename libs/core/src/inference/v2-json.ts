import { MillraceError, type Mistake } from '@millrace/contracts';
import { elementCount, type Datatype, type Tensor, type Tensors } from '@millrace/contracts';
import { ElementMistake, elementsFromJson, elementsToJson } from './v2-elements.js';

// Inference messages of the Open Inference Protocol, V2, in JSON. The binary extension is not here.

const datatypes: ReadonlySet<string> = new Set<Datatype>([
  'BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES',
]);
const isDatatype = (value: unknown): value is Datatype => typeof value === 'string' && datatypes.has(value);

const rankMax = 32;
const mistakesMax = 50;

export type V2Parameters = Readonly<Record<string, string | number | boolean>>;

export interface InferRequest {
  readonly id?: string;
  readonly parameters: V2Parameters;
  /** By name; never through a prototype. */
  readonly inputs: Tensors;
  /** Names of the outputs asked for; absent: all. */
  readonly outputs?: readonly string[];
}

export interface InferResponse {
  readonly modelName: string;
  readonly modelVersion?: string;
  readonly id?: string;
  readonly outputs: Tensors;
}

type JsonObject = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Collects mistakes with their place, so that a caller learns of all at once. */
class Mistakes {
  readonly found: Mistake[] = [];

  add(path: string, message: string): void {
    if (this.found.length < mistakesMax) this.found.push({ path, message });
  }

  check(what: string): void {
    if (this.found.length === 0) return;
    const list = this.found.map(({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`).join('; ');
    throw new MillraceError('TENSOR_INVALID', `the ${what} cannot be used: ${list}`, { mistakes: this.found });
  }
}

/** Flattens nested lists of exactly this shape, row-major; a list that is flat already is taken as it is. */
function flatten(value: unknown, shape: readonly number[]): readonly unknown[] {
  if (!Array.isArray(value)) throw new ElementMistake('data must be a list');
  const list: readonly unknown[] = value;
  const count = elementCount(shape);
  if (!Array.isArray(list[0]) || shape.length < 2) {
    if (list.length !== count) throw new ElementMistake(`data has ${list.length} elements; shape [${shape.join(', ')}] needs ${count}`);
    return list;
  }
  let level: readonly unknown[] = [list];
  for (const [axis, size] of shape.entries()) {
    const next: unknown[] = [];
    for (const part of level) {
      if (!Array.isArray(part) || part.length !== size) {
        throw new ElementMistake(`nested data does not have shape [${shape.join(', ')}]: a list at depth ${axis + 1} has ${Array.isArray(part) ? part.length : 'no'} elements instead of ${size}`);
      }
      for (const item of part) next.push(item);
    }
    level = next;
  }
  return level;
}

function readShape(value: unknown): readonly number[] | null {
  if (!Array.isArray(value) || value.length > rankMax) return null;
  const dims: readonly unknown[] = value;
  const shape = dims.filter((dim): dim is number => typeof dim === 'number' && Number.isSafeInteger(dim) && dim >= 0);
  return shape.length === dims.length && Number.isSafeInteger(elementCount(shape)) ? shape : null;
}

function readTensor(value: unknown, path: string, mistakes: Mistakes): readonly [string, Tensor] | null {
  if (!isObject(value)) return mistakes.add(path, 'must be an object with name, shape, datatype and data'), null;
  const { name, datatype } = value;
  const shape = readShape(value['shape']);
  const parameters = value['parameters'];
  if (typeof name !== 'string' || name === '') return mistakes.add(`${path}/name`, 'must be a text'), null;
  if (shape === null) mistakes.add(`${path}/shape`, `must be a list of at most ${rankMax} integers >= 0`);
  if (!isDatatype(datatype)) mistakes.add(`${path}/datatype`, `must be one of ${[...datatypes].join(', ')}`);
  if (isObject(parameters) && Object.hasOwn(parameters, 'binary_data_size')) mistakes.add(path, 'is binary; this endpoint reads JSON data only');
  else if (shape !== null && isDatatype(datatype)) {
    try {
      return [name, elementsFromJson(datatype, shape, flatten(value['data'], shape))];
    } catch (error) {
      if (!(error instanceof ElementMistake)) throw error;
      mistakes.add(path, `${name}: ${error.message}`);
    }
  }
  return null;
}

function readTensors(value: unknown, path: string, mistakes: Mistakes): Tensors {
  const tensors = new Map<string, Tensor>();
  if (!Array.isArray(value)) mistakes.add(path, 'must be a list of tensors');
  else {
    value.forEach((item: unknown, index) => {
      const entry = readTensor(item, `${path}/${index}`, mistakes);
      if (entry === null) return;
      if (tensors.has(entry[0])) mistakes.add(`${path}/${index}/name`, `${entry[0]} is given twice`);
      tensors.set(...entry);
    });
  }
  return Object.fromEntries(tensors);
}

function readParameters(value: unknown, path: string, mistakes: Mistakes): V2Parameters {
  if (value === undefined) return {};
  if (!isObject(value)) return mistakes.add(path, 'must be an object'), {};
  const parameters: [string, string | number | boolean][] = [];
  for (const [name, item] of Object.entries(value)) {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') parameters.push([name, item]);
    else mistakes.add(`${path}/${name}`, 'must be a text, a number or a truth value');
  }
  return Object.fromEntries(parameters);
}

function readOutputNames(value: unknown, mistakes: Mistakes): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return mistakes.add('/outputs', 'must be a list'), undefined;
  const names: string[] = [];
  value.forEach((item: unknown, index) => {
    const name = isObject(item) ? item['name'] : undefined;
    if (typeof name !== 'string') mistakes.add(`/outputs/${index}/name`, 'must be a text');
    else if (names.includes(name)) mistakes.add(`/outputs/${index}/name`, `${name} is asked for twice`);
    else names.push(name);
  });
  return names.length === 0 ? undefined : names;
}

/**
 * @param body a parsed JSON value from outside.
 * @throws MillraceError TENSOR_INVALID listing every mistake with its JSON pointer. Integers beyond ±(2^53 - 1) are
 *   refused, because a JSON parser has rounded them already.
 */
export function decodeInferRequest(body: unknown): InferRequest {
  const mistakes = new Mistakes();
  if (!isObject(body)) throw new MillraceError('TENSOR_INVALID', 'the inference request must be a JSON object');
  const { id } = body;
  if (id !== undefined && typeof id !== 'string') mistakes.add('/id', 'must be a text');
  const inputs = readTensors(body['inputs'], '/inputs', mistakes);
  const parameters = readParameters(body['parameters'], '/parameters', mistakes);
  const outputs = readOutputNames(body['outputs'], mistakes);
  mistakes.check('inference request');
  return { ...(typeof id === 'string' ? { id } : {}), parameters, inputs, ...(outputs === undefined ? {} : { outputs }) };
}

/** @throws MillraceError TENSOR_INVALID as decodeInferRequest. */
export function decodeInferResponse(body: unknown): InferResponse {
  const mistakes = new Mistakes();
  if (!isObject(body)) throw new MillraceError('TENSOR_INVALID', 'the inference response must be a JSON object');
  const { model_name: modelName, model_version: modelVersion, id } = body;
  if (typeof modelName !== 'string') mistakes.add('/model_name', 'must be a text');
  const outputs = readTensors(body['outputs'], '/outputs', mistakes);
  mistakes.check('inference response');
  return {
    modelName: String(modelName),
    ...(typeof modelVersion === 'string' ? { modelVersion } : {}),
    ...(typeof id === 'string' ? { id } : {}),
    outputs,
  };
}

function tensorsText(tensors: Tensors): string {
  const items = Object.entries(tensors).map(([name, tensor]) => {
    try {
      return `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}],"data":${elementsToJson(tensor)}}`;
    } catch (error) {
      if (!(error instanceof ElementMistake)) throw error;
      throw new MillraceError('TENSOR_INVALID', `${name}: ${error.message}`);
    }
  });
  return `[${items.join(',')}]`;
}

const member = (name: string, value: unknown): string => (value === undefined ? '' : `"${name}":${JSON.stringify(value)},`);

/** The JSON text of a request, flat data, 64-bit integers exact. @throws MillraceError TENSOR_INVALID for NaN and ±Infinity. */
export function encodeInferRequest({ id, parameters, inputs, outputs }: InferRequest): string {
  const given = Object.keys(parameters).length === 0 ? undefined : parameters;
  return `{${member('id', id)}${member('parameters', given)}${member('outputs', outputs?.map((name) => ({ name })))}"inputs":${tensorsText(inputs)}}`;
}

/** The JSON text of a response, as encodeInferRequest. `id` is always sent, since some stock clients require it. */
export function encodeInferResponse({ modelName, modelVersion, id, outputs }: InferResponse): string {
  return `{${member('model_name', modelName)}${member('model_version', modelVersion)}${member('id', id ?? '')}"outputs":${tensorsText(outputs)}}`;
}

/** The outputs asked for, in that order; all when none are named. @throws MillraceError TENSOR_INVALID for a name the model does not have. */
export function selectOutputs(outputs: Tensors, names: readonly string[] | undefined): Tensors {
  if (names === undefined) return outputs;
  const selected = names.map((name): [string, Tensor] => {
    const tensor = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    if (tensor === undefined) throw new MillraceError('TENSOR_INVALID', `the model has no output ${name}; it has ${Object.keys(outputs).join(', ')}`);
    return [name, tensor];
  });
  return Object.fromEntries(selected);
}
