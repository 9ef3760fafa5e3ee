import { MillraceError, type Datatype, type Tensor } from '@millrace/contracts';
import { textMistake } from './v2-json-elements.js';
import { ElementMistake } from './v2-mistakes.js';

// Binary tensor data extension: little-endian, row-major, no padding; BOOL is a byte 0 or 1; a BYTES element is its length
// (4 bytes, unsigned) and its bytes. Typed arrays are little-endian on every machine that the runtime exists for.

/** Bytes of one element; null for BYTES, whose elements vary. */
const elementBytes: Readonly<Record<Datatype, number | null>> = {
  BOOL: 1, UINT8: 1, UINT16: 2, UINT32: 4, UINT64: 8, INT8: 1, INT16: 2, INT32: 4, INT64: 8, FP16: 2, FP32: 4, FP64: 8, BYTES: null,
};

/** What the engine keeps with the array itself, in FP32: 64 bytes. */
const fewElements = 16;
const lengthBytes = 4;
const utf8 = new TextEncoder();
// A byte order mark at the start of an element belongs to it.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Up to here a loop over the bytes is faster than a call of the decoder. */
const shortTextBytes = 24;

/** Exact, or refused. */
function textAt(bytes: Uint8Array, from: number, to: number, element: number): string {
  if (to - from <= shortTextBytes) {
    let text = '';
    let at = from;
    for (; at < to; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === 0 || byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (at === to) return text;
  }
  let text: string;
  try {
    text = strictUtf8.decode(bytes.subarray(from, to));
  } catch {
    throw new ElementMistake(`element ${element} is not UTF-8, which BYTES elements have to be here`);
  }
  const mistake = textMistake(text);
  if (mistake !== null) throw new ElementMistake(`element ${element} ${mistake}`);
  return text;
}

function textsAt(bytes: Uint8Array, from: number, size: number, count: number): string[] {
  if (size < count * lengthBytes) throw new ElementMistake(`${size} bytes are too few for ${count} BYTES elements, each with its length in ${lengthBytes} bytes`);
  const texts: string[] = [];
  const end = from + size;
  let at = from;
  for (let element = 0; element < count; element += 1) {
    const start = at + lengthBytes;
    if (start > end) throw new ElementMistake(`the data ends before the length of element ${element}`);
    const length = ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
    if (start + length > end) throw new ElementMistake(`element ${element} claims ${length} bytes; ${end - start} are left`);
    texts.push(textAt(bytes, start, start + length, element));
    at = start + length;
  }
  if (at !== end) throw new ElementMistake(`${end - at} bytes are left over after ${count} elements`);
  return texts;
}

function truthAt(bytes: Uint8Array, from: number, count: number): Uint8Array {
  for (let at = 0; at < count; at += 1) {
    if ((bytes[from + at] ?? 0) > 1) throw new ElementMistake(`element ${at} is the byte ${bytes[from + at]}, neither 0 nor 1`);
  }
  return bytes.subarray(from, from + count);
}

/**
 * @param size bytes of the tensor from `from` on; the caller has checked that the body has so many.
 * @returns elements as a view of the body where the offset allows it, otherwise of a copy.
 * @throws ElementMistake
 */
export function tensorFromBytes(datatype: Datatype, shape: readonly number[], count: number, body: Uint8Array, from: number, size: number): Tensor {
  const width = elementBytes[datatype];
  if (width === null) return { datatype: 'BYTES', shape, data: textsAt(body, from, size, count) };
  if (size !== count * width) throw new ElementMistake(`binary_data_size is ${size}; ${datatype} of shape [${shape.join(', ')}] has ${count * width} bytes`);
  if (datatype === 'BOOL') return { datatype, shape, data: truthAt(body, from, count) };
  // A view must begin at a multiple of the element's size; what follows a JSON part seldom does.
  const isAligned = (body.byteOffset + from) % width === 0;
  if (datatype === 'FP32' && !isAligned && count <= fewElements) return { datatype, shape, data: floatsAt(body, from, count) };
  const buffer = isAligned ? body.buffer : copyOf(body, from, size);
  const offset = isAligned ? body.byteOffset + from : 0;
  switch (datatype) {
    case 'FP32': return { datatype, shape, data: new Float32Array(buffer, offset, count) };
    case 'FP64': return { datatype, shape, data: new Float64Array(buffer, offset, count) };
    case 'INT64': return { datatype, shape, data: new BigInt64Array(buffer, offset, count) };
    case 'UINT64': return { datatype, shape, data: new BigUint64Array(buffer, offset, count) };
    case 'INT32': return { datatype, shape, data: new Int32Array(buffer, offset, count) };
    case 'UINT32': return { datatype, shape, data: new Uint32Array(buffer, offset, count) };
    case 'FP16': case 'UINT16': return { datatype, shape, data: new Uint16Array(buffer, offset, count) };
    case 'INT16': return { datatype, shape, data: new Int16Array(buffer, offset, count) };
    case 'UINT8': return { datatype, shape, data: new Uint8Array(buffer, offset, count) };
    case 'INT8': return { datatype, shape, data: new Int8Array(buffer, offset, count) };
    case 'BYTES': return { datatype, shape, data: textsAt(body, from, size, count) };
  }
}

/** One by one: so few need no memory outside of the heap, which costs more than reading them. */
function floatsAt(body: Uint8Array, from: number, count: number): Float32Array {
  const view = new DataView(body.buffer, body.byteOffset + from, count * 4);
  const data = new Float32Array(count);
  for (let at = 0; at < count; at += 1) data[at] = view.getFloat32(at * 4, true);
  return data;
}

function copyOf(body: Uint8Array, from: number, size: number): ArrayBuffer {
  const copy = new Uint8Array(size);
  copy.set(body.subarray(from, from + size));
  return copy.buffer;
}

/** The form that one request of raw bytes means: one BYTES element, or as many elements as the bytes hold. @throws ElementMistake */
export function rawShape(datatype: Datatype, shape: readonly number[], size: number): number[] {
  const width = elementBytes[datatype];
  const known = shape.reduce((product, dim) => (dim < 0 ? product : product * dim), 1);
  const elements = width === null ? 1 : size / width;
  const free = shape.flatMap((dim, axis) => (dim < 0 ? [axis] : []));
  // Of two free dimensions the first is the batch, and one request is one row.
  const open = free.length === 2 && free[0] === 0 ? free[1] : free[0];
  const openSize = known === 0 ? 0 : elements / known;
  if (free.length > 2 || (free.length === 2 && free[0] !== 0)) throw new ElementMistake(`the sizes of shape [${shape.join(', ')}] do not follow from the number of bytes`);
  if (!Number.isInteger(openSize) || (open === undefined && elements !== known)) throw new ElementMistake(`${size} bytes of ${datatype} do not fill shape [${shape.join(', ')}]`);
  return shape.map((dim, axis) => (dim >= 0 ? dim : axis === open ? openSize : 1));
}

/** The binary form of a tensor's elements; numbers are a view of them. @throws MillraceError TENSOR_INVALID for a text that UTF-8 does not have. */
export function bytesOf(name: string, tensor: Tensor): Uint8Array {
  if (tensor.datatype !== 'BYTES') return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const texts = tensor.data.map((text, at) => {
    const mistake = textMistake(text);
    if (mistake !== null) throw new MillraceError('TENSOR_INVALID', `${name}: element ${at} ${mistake}`);
    return utf8.encode(text);
  });
  const bytes = new Uint8Array(texts.reduce((size, text) => size + lengthBytes + text.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + lengthBytes);
    at += lengthBytes + text.length;
  }
  return bytes;
}

/** A raw request's BYTES tensor is one element without its length. @throws ElementMistake */
export const rawText = (body: Uint8Array, shape: readonly number[]): Tensor => ({ datatype: 'BYTES', shape, data: [textAt(body, 0, body.length, 0)] });
