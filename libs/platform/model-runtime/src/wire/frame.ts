/**
 * What a host and its worker say to each other over one stream, both ways. All numbers little-endian, everything padded
 * with zeros to a multiple of 8 bytes, so that elements can be read where they lie. Host and worker are one build on one
 * machine: there is no version and no other byte order.
 *
 *   frame  = u32 length of the whole frame | u32 exchange (the answer repeats it) | u32 slot (which model of the worker)
 *            | u16 kind | u16 number of tensors | f64 first | f64 second | f64 third | tensor… or UTF-8 JSON
 *   tensor = u16 index of the datatype | u16 rank | u32 0 | f64 bytes of the elements | f64 dimension… | elements
 *
 * Elements lie row-major. Texts are joined by NUL, which no text of a model can contain (its strings end there).
 * Kinds, and what first, second and third mean:
 *   load     JSON LoadOrder                          → loaded   JSON LoadReport        | failed JSON {reason}
 *   run      first: deadline, ms of the machine's    → ran      first, second, third: ms for reading the inputs,
 *            monotonic clock (Infinity: none)                   running, and writing the outputs
 *                                                    | expired  the deadline had passed; nothing was run
 *                                                    | failed   JSON {reason}
 *   unload   –                                       → unloaded
 */
import type { Datatype, Tensor } from '@millrace/contracts';

export const frameKinds = { load: 1, run: 2, unload: 3, loaded: 4, ran: 5, expired: 6, failed: 7, unloaded: 8 } as const;
export const headBytes = 40;
const tensorHeadBytes = 16;

/** Most bytes of one frame. What needs more is refused before it is sent. */
export const frameBytesMax = 1 << 30;

const datatypes: readonly Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];
const datatypeIndex: ReadonlyMap<Datatype, number> = new Map(datatypes.map((datatype, index) => [datatype, index]));

export interface LoadOrder {
  readonly path: string;
  readonly threads: number;
}

export interface LoadReport {
  readonly inputs: readonly { readonly name: string; readonly datatype: Datatype; readonly shape: readonly number[] }[];
  readonly outputs: LoadReport['inputs'];
  /** What loading added to the worker's resident memory; never negative. */
  readonly addedBytes: number;
}

export interface FrameHead {
  readonly exchange: number;
  readonly slot: number;
  readonly kind: number;
  readonly first?: number;
  readonly second?: number;
  readonly third?: number;
}

/** A whole frame, and the same memory as numbers. `bytes.byteOffset` is a multiple of 8. */
export class Frame {
  private constructor(readonly bytes: Uint8Array, private readonly view: DataView) {}

  static over(bytes: Uint8Array): Frame {
    return new Frame(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  get exchange(): number { return this.view.getUint32(4, true); }
  get slot(): number { return this.view.getUint32(8, true); }
  get kind(): number { return this.view.getUint16(12, true); }
  get first(): number { return this.view.getFloat64(16, true); }
  get second(): number { return this.view.getFloat64(24, true); }
  get third(): number { return this.view.getFloat64(32, true); }

  /** The tensors, their numbers as views on the frame's own memory. */
  tensors(): Tensor[] {
    const tensors: Tensor[] = [];
    const count = this.view.getUint16(14, true);
    let at = headBytes;
    for (let index = 0; index < count; index += 1) {
      const datatype = datatypes[this.view.getUint16(at, true)];
      if (datatype === undefined) throw new Error('the other side of the stream speaks of an unknown datatype');
      const rank = this.view.getUint16(at + 2, true);
      const byteLength = this.view.getFloat64(at + 8, true);
      at += tensorHeadBytes;
      const shape: number[] = [];
      for (let axis = 0; axis < rank; axis += 1, at += 8) shape.push(this.view.getFloat64(at, true));
      tensors.push(tensorOver(datatype, shape, this.bytes, at, byteLength));
      at += padded(byteLength);
    }
    return tensors;
  }

  json(): unknown {
    return JSON.parse(Buffer.from(this.bytes.buffer, this.bytes.byteOffset + headBytes, this.bytes.byteLength - headBytes).toString('utf8').replace(/\0+$/, ''));
  }
}

export const padded = (byteLength: number): number => Math.ceil(byteLength / 8) * 8;

/** Length of the frame that `bytes` starts with; null while fewer than 4 of its bytes are there. */
export function frameLengthIn(bytes: Uint8Array): number | null {
  const [a, b, c, d] = bytes;
  if (a === undefined || b === undefined || c === undefined || d === undefined) return null;
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

function tensorOver(datatype: Datatype, shape: number[], bytes: Uint8Array, at: number, byteLength: number): Tensor {
  const { buffer } = bytes;
  const from = bytes.byteOffset + at;
  switch (datatype) {
    case 'BOOL': case 'UINT8': return { datatype, shape, data: new Uint8Array(buffer, from, byteLength) };
    case 'UINT16': case 'FP16': return { datatype, shape, data: new Uint16Array(buffer, from, byteLength / 2) };
    case 'UINT32': return { datatype, shape, data: new Uint32Array(buffer, from, byteLength / 4) };
    case 'UINT64': return { datatype, shape, data: new BigUint64Array(buffer, from, byteLength / 8) };
    case 'INT8': return { datatype, shape, data: new Int8Array(buffer, from, byteLength) };
    case 'INT16': return { datatype, shape, data: new Int16Array(buffer, from, byteLength / 2) };
    case 'INT32': return { datatype, shape, data: new Int32Array(buffer, from, byteLength / 4) };
    case 'INT64': return { datatype, shape, data: new BigInt64Array(buffer, from, byteLength / 8) };
    case 'FP32': return { datatype, shape, data: new Float32Array(buffer, from, byteLength / 4) };
    case 'FP64': return { datatype, shape, data: new Float64Array(buffer, from, byteLength / 8) };
    case 'BYTES': return { datatype, shape, data: shape.includes(0) ? [] : Buffer.from(buffer, from, byteLength).toString('utf8').split('\0') };
  }
}

/** One tensor to be written: the elements of `parts`, one after the other, under one shape. */
export interface JoinedTensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly parts: readonly Tensor[];
}

type Room = (byteLength: number) => Uint8Array;
/** Fresh memory of its own, at a multiple of 8. */
export const freshRoom: Room = (byteLength) => Buffer.allocUnsafe(byteLength);

function writeHead(view: DataView, length: number, head: FrameHead, tensors: number): void {
  view.setUint32(0, length, true);
  view.setUint32(4, head.exchange, true);
  view.setUint32(8, head.slot, true);
  view.setUint16(12, head.kind, true);
  view.setUint16(14, tensors, true);
  view.setFloat64(16, head.first ?? 0, true);
  view.setFloat64(24, head.second ?? 0, true);
  view.setFloat64(32, head.third ?? 0, true);
}

/** A frame without tensors; `content` becomes JSON. */
export function jsonFrame(head: FrameHead, content?: object, room: Room = freshRoom): Uint8Array {
  const text = content === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(content), 'utf8');
  const length = headBytes + padded(text.length);
  const bytes = room(length);
  bytes.fill(0, headBytes, length);
  writeHead(new DataView(bytes.buffer, bytes.byteOffset, length), length, head, 0);
  bytes.set(text, headBytes);
  return bytes;
}

const textsOf = (parts: readonly Tensor[]): Buffer =>
  Buffer.from(parts.map((part) => (part.datatype === 'BYTES' ? part.data.join('\0') : '')).filter((_, index) => parts[index]?.data.length !== 0).join('\0'), 'utf8');

function bytesIn({ datatype, parts }: JoinedTensor): number | Buffer {
  if (datatype === 'BYTES') return textsOf(parts);
  let sum = 0;
  for (const { data } of parts) if (ArrayBuffer.isView(data)) sum += data.byteLength;
  return sum;
}

/**
 * A frame of tensors.
 * @param room gives memory for the frame; the worker reuses its own.
 * @throws RangeError when the frame would be longer than frameBytesMax.
 */
export function tensorFrame(head: FrameHead, tensors: readonly JoinedTensor[], room: Room = freshRoom): Uint8Array {
  const contents = tensors.map(bytesIn);
  let length = headBytes;
  for (const [index, tensor] of tensors.entries()) length += tensorHeadBytes + 8 * tensor.shape.length + padded(byteLengthOf(contents[index]));
  if (length > frameBytesMax) throw new RangeError(`${length} bytes in one run; at most ${frameBytesMax} fit`);
  const bytes = room(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  writeHead(view, length, head, tensors.length);
  let at = headBytes;
  for (const [index, { datatype, shape, parts }] of tensors.entries()) {
    const content = contents[index] ?? 0;
    const byteLength = byteLengthOf(content);
    view.setUint16(at, datatypeIndex.get(datatype) ?? 0, true);
    view.setUint16(at + 2, shape.length, true);
    view.setUint32(at + 4, 0, true);
    view.setFloat64(at + 8, byteLength, true);
    at += tensorHeadBytes;
    for (const dim of shape) {
      view.setFloat64(at, dim, true);
      at += 8;
    }
    if (datatype === 'FP32') joinFloats(new Float32Array(bytes.buffer, bytes.byteOffset + at, byteLength / 4), parts);
    else if (typeof content === 'number') copyParts(bytes, at, parts);
    else bytes.set(content, at);
    at += padded(byteLength);
  }
  return bytes;
}

const byteLengthOf = (content: number | Buffer | undefined): number => (typeof content === 'number' ? content : (content?.length ?? 0));

/** As copyParts, for what most models take: the few elements of a row have no memory of their own until somebody asks for it. */
function joinFloats(to: Float32Array, parts: readonly Tensor[]): void {
  let at = 0;
  for (const part of parts) {
    if (part.datatype !== 'FP32') continue;
    to.set(part.data, at);
    at += part.data.length;
  }
}

function copyParts(bytes: Uint8Array, from: number, parts: readonly Tensor[]): void {
  let at = from;
  for (const { data } of parts) {
    if (!ArrayBuffer.isView(data)) continue;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
}
