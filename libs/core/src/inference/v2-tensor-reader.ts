import type { Datatype, Tensor, TensorSpec } from '@millrace/contracts';
import { rawShape, rawText, tensorFromBytes } from './v2-binary-elements.js';
import { NeedsDigits, tensorFromJson } from './v2-json-elements.js';
import { exactObjectOf, isObject, type JsonObject } from './v2-json-text.js';
import { ElementMistake, Mistakes, pointerPart, show } from './v2-mistakes.js';
import type { V2Parameters } from './v2-messages.js';

const datatypes: ReadonlySet<unknown> = new Set<Datatype>([
  'BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES',
]);
const isDatatype = (value: unknown): value is Datatype => datatypes.has(value);

const rankMax = 32;
const noParameters: V2Parameters = Object.freeze({});

/** A property of its own, whatever the name: `__proto__` would otherwise set the prototype. */
export function setOwn<T>(target: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

/** Reads the tensors of one message: the lists of its JSON part and, in the order of the tensors, the bytes after it. */
export class TensorReader {
  readonly mistakes = new Mistakes();
  /** Members were seen that nobody reads: how deep they are is still to be checked. */
  sawUnknown = false;
  private count = 0;

  /**
   * @param kind the member that holds the tensors
   * @param at where the bytes of the next binary tensor begin; the length of the body when it is JSON alone
   */
  constructor(
    private readonly kind: 'inputs' | 'outputs',
    private readonly what: string,
    private readonly text: string,
    private readonly body: Uint8Array,
    private at: number,
  ) {}

  tensors(value: unknown): Record<string, Tensor> {
    const tensors: Record<string, Tensor> = {};
    if (!Array.isArray(value)) {
      this.mistakes.add(`/${this.kind}`, 'must be a list of tensors');
      return tensors;
    }
    const list: readonly unknown[] = value;
    for (let index = 0; index < list.length; index += 1) {
      const item = list[index];
      if (!isObject(item)) {
        this.mistakes.add(`/${this.kind}/${index}`, 'must be an object with name, shape, datatype and data');
        continue;
      }
      const { name } = item;
      const tensor = this.tensor(item, index);
      if (typeof name !== 'string' || name === '') this.mistakes.add(`/${this.kind}/${index}/name`, 'must be a text');
      else if (Object.hasOwn(tensors, name)) this.mistakes.add(`/${this.kind}/${index}/name`, `${show(name)} is given twice`);
      else if (tensor !== null) setOwn(tensors, name, tensor);
    }
    return tensors;
  }

  /** Call after all tensors were read: nothing may be left over. @throws MillraceError TENSOR_INVALID with every mistake found. */
  finish(): void {
    this.mistakes.check(this.what);
    const left = this.body.length - this.at;
    if (left > 0) this.mistakes.add(`/${this.kind}`, `${left} bytes are left over after the binary tensors`);
    this.mistakes.check(this.what);
  }

  private tensor(item: JsonObject, index: number): Tensor | null {
    const { datatype, data } = item;
    const shape = this.shape(item['shape']);
    if (shape === null) this.mistakes.add(`/${this.kind}/${index}/shape`, `must be a list of at most ${rankMax} integers >= 0 whose product is within 2^53`);
    if (!isDatatype(datatype)) {
      this.mistakes.add(`/${this.kind}/${index}/datatype`, `must be one of ${[...datatypes].join(', ')}`);
      return null;
    }
    const parameters = item['parameters'];
    if (Object.keys(item).length > (parameters === undefined ? 3 : 4) + (data === undefined ? 0 : 1)) this.sawUnknown = true;
    const size = parameters === undefined ? undefined : this.binarySize(parameters, index);
    if (shape === null || size === null) return null;
    try {
      if (size !== undefined) return this.binary(datatype, shape, data, size);
      return this.listed(datatype, shape, data, index);
    } catch (error) {
      if (!(error instanceof ElementMistake)) throw error;
      this.mistakes.add(`/${this.kind}/${index}`, `${show(item['name'])}: ${error.message}`);
      return null;
    }
  }

  /** Also sets `count`, the product. */
  private shape(value: unknown): readonly number[] | null {
    if (!Array.isArray(value) || value.length > rankMax) return null;
    const dims: readonly unknown[] = value;
    let count = 1;
    let size = 1;
    for (let axis = 0; axis < dims.length; axis += 1) {
      const dim = dims[axis];
      if (typeof dim !== 'number' || !Number.isSafeInteger(dim) || dim < 0) return null;
      count *= dim;
      if (dim > 0) size *= dim; // a zero must not hide the others
    }
    this.count = count;
    return Number.isSafeInteger(size) ? value : null;
  }

  /** Undefined: not binary. Null: wrong. */
  private binarySize(value: unknown, index: number): number | undefined | null {
    const parameters = readParameters(value, `/${this.kind}/${index}/parameters`, this.mistakes);
    const size = parameters['binary_data_size'];
    if (parameters['shared_memory_region'] !== undefined) {
      this.mistakes.add(`/${this.kind}/${index}/parameters/shared_memory_region`, 'shared memory is not supported here; send the data');
      return null;
    }
    if (size === undefined) return undefined;
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
    this.mistakes.add(`/${this.kind}/${index}/parameters/binary_data_size`, 'must be a number of bytes >= 0');
    return null;
  }

  private binary(datatype: Datatype, shape: readonly number[], data: unknown, size: number): Tensor {
    if (data !== undefined) throw new ElementMistake('has both data and binary_data_size');
    const from = this.at;
    const left = this.body.length - from;
    if (size > left) {
      const hint = left === 0 ? ' (binary tensors need the header Inference-Header-Content-Length)' : '';
      throw new ElementMistake(`binary_data_size is ${size}; ${left} bytes are left${hint}`);
    }
    this.at = from + size;
    return tensorFromBytes(datatype, shape, this.count, this.body, from, size);
  }

  private listed(datatype: Datatype, shape: readonly number[], data: unknown, index: number): Tensor {
    if (!Array.isArray(data)) throw new ElementMistake(data === undefined ? 'has neither data nor binary_data_size' : 'data must be a list');
    const { count } = this;
    // Each element takes a character at least: a shape can claim no more memory than that.
    if (count > this.text.length) throw new ElementMistake(`data has fewer elements than shape [${shape.join(', ')}] needs, ${count}`);
    try {
      return tensorFromJson(datatype, shape, count, data);
    } catch (error) {
      if (!(error instanceof NeedsDigits)) throw error;
    }
    const again = exactObjectOf(this.text, this.what)[this.kind];
    const item: unknown = Array.isArray(again) ? again[index] : undefined;
    const exact = isObject(item) ? item['data'] : undefined;
    return tensorFromJson(datatype, shape, count, Array.isArray(exact) ? exact : [], true);
  }
}

/** What a body of nothing but bytes says, for the one input that the model has. @throws MillraceError TENSOR_INVALID */
export function rawTensor({ name, datatype, shape }: TensorSpec, body: Uint8Array): Tensor {
  const mistakes = new Mistakes();
  try {
    const dims = rawShape(datatype, shape, body.length);
    return datatype === 'BYTES' ? rawText(body, dims) : tensorFromBytes(datatype, dims, dims.reduce((product, dim) => product * dim, 1), body, 0, body.length);
  } catch (error) {
    if (!(error instanceof ElementMistake)) throw error;
    mistakes.add('', `${name}: ${error.message}`);
    mistakes.check('raw binary request');
    throw error;
  }
}

export function readParameters(value: unknown, path: string, mistakes: Mistakes): V2Parameters {
  if (value === undefined) return noParameters;
  if (!isObject(value)) {
    mistakes.add(path, 'must be an object');
    return noParameters;
  }
  for (const name of Object.keys(value)) {
    const item = value[name];
    if (typeof item !== 'string' && typeof item !== 'number' && typeof item !== 'boolean') mistakes.add(`${path}/${pointerPart(name)}`, 'must be a text, a number or a truth value');
  }
  return value as V2Parameters;
}
