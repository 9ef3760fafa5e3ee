import type { Tensor, Tensors } from '@millrace/contracts';
import { fromHalfBits } from './half-precision.js';
import { bytesOf } from './v2-binary-elements.js';
import { ByteWriter } from './v2-byte-writer.js';
import type { EncodedMessage, V2Parameters } from './v2-messages.js';

/** Used by one message at a time: nothing waits between its first byte and its last. */
const writer = new ByteWriter();

export function writeMember(to: ByteWriter, name: string, value: string): void {
  to.ascii(`"${name}":`);
  to.text(value);
  to.ascii(',');
}

export function writeParameters(to: ByteWriter, parameters: V2Parameters): void {
  to.ascii('"parameters":{');
  Object.entries(parameters).forEach(([name, value], index) => {
    if (index > 0) to.ascii(',');
    to.text(name);
    to.ascii(':');
    if (typeof value === 'string') to.text(value);
    else if (typeof value === 'number') to.float64(value);
    else to.ascii(String(value));
  });
  to.ascii('}');
}

/**
 * A message with its tensors at the end.
 * @param writeMembers writes the members before the tensors, each with a comma after it.
 * @throws MillraceError TENSOR_INVALID for a text that UTF-8 does not have.
 */
export function encodeMessage(writeMembers: (to: ByteWriter) => void, kind: 'inputs' | 'outputs', tensors: Tensors, isBinary: (name: string) => boolean): EncodedMessage {
  writer.clear();
  writer.ascii('{');
  writeMembers(writer);
  writer.ascii(kind === 'inputs' ? '"inputs":[' : '"outputs":[');
  let binary: Uint8Array[] | null = null;
  let binaryBytes = 0;
  let isFirst = true;
  for (const name in tensors) {
    const tensor = tensors[name];
    if (tensor === undefined || !Object.hasOwn(tensors, name)) continue;
    if (!isFirst) writer.ascii(',');
    isFirst = false;
    writeHead(name, tensor);
    if (isBinary(name)) {
      const bytes = bytesOf(name, tensor);
      binary ??= [];
      binary.push(bytes);
      binaryBytes += bytes.length;
      writer.ascii(',"parameters":{"binary_data_size":');
      writer.integer(bytes.length);
      writer.ascii('}}');
    } else {
      writer.ascii(',"data":[');
      writeElements(tensor);
      writer.ascii(']}');
    }
  }
  writer.ascii(']}');
  if (binary === null) return { body: writer.take(), headerLength: null };
  const headerLength = writer.length;
  const body = writer.take(binaryBytes);
  let at = headerLength;
  for (const bytes of binary) {
    body.set(bytes, at);
    at += bytes.length;
  }
  return { body, headerLength };
}

function writeHead(name: string, { datatype, shape }: Tensor): void {
  writer.ascii('{"name":');
  writer.text(name);
  writer.ascii(',"datatype":"');
  writer.ascii(datatype);
  writer.ascii('","shape":[');
  for (let axis = 0; axis < shape.length; axis += 1) {
    if (axis > 0) writer.ascii(',');
    writer.integer(shape[axis] ?? 0);
  }
  writer.ascii(']');
}

/** Flat, row-major. One loop per kind of memory, as in reading. */
function writeElements(tensor: Tensor): void {
  switch (tensor.datatype) {
    case 'FP32': return writeFloat32(tensor.data);
    case 'FP64': return writeFloat64(tensor.data);
    case 'INT64': case 'UINT64': return writeWide(tensor.data, tensor.datatype === 'INT64');
    case 'BYTES': return writeTexts(tensor.data);
    case 'BOOL': return writeTruth(tensor.data);
    case 'FP16': return writeHalf(tensor.data);
    default: return writeIntegers(tensor.data);
  }
}

function writeFloat32(data: Float32Array): void {
  for (let at = 0; at < data.length; at += 1) {
    if (at > 0) writer.ascii(',');
    writer.float32(data[at] ?? 0);
  }
}

function writeFloat64(data: Float64Array): void {
  for (let at = 0; at < data.length; at += 1) {
    if (at > 0) writer.ascii(',');
    writer.float64(data[at] ?? 0);
  }
}

function writeHalf(data: Uint16Array): void {
  for (let at = 0; at < data.length; at += 1) {
    if (at > 0) writer.ascii(',');
    writer.float32(fromHalfBits(data[at] ?? 0));
  }
}

/** As two words each; a bigint only where a double does not hold the value. */
function writeWide(data: BigInt64Array | BigUint64Array, isSigned: boolean): void {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  for (let at = 0; at < data.length; at += 1) {
    if (at > 0) writer.ascii(',');
    const low = words[2 * at] ?? 0;
    const high = words[2 * at + 1] ?? 0;
    const value = (isSigned ? high | 0 : high) * 4_294_967_296 + low;
    if (Number.isSafeInteger(value)) writer.integer(value);
    else writer.ascii(String(data[at]));
  }
}

function writeIntegers(data: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array): void {
  for (let at = 0; at < data.length; at += 1) {
    if (at > 0) writer.ascii(',');
    writer.integer(data[at] ?? 0);
  }
}

function writeTruth(data: Uint8Array): void {
  for (let at = 0; at < data.length; at += 1) {
    if (at > 0) writer.ascii(',');
    writer.ascii(data[at] === 0 ? 'false' : 'true');
  }
}

function writeTexts(data: readonly string[]): void {
  for (let at = 0; at < data.length; at += 1) {
    if (at > 0) writer.ascii(',');
    writer.text(data[at] ?? '');
  }
}
