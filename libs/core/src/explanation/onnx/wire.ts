import { MillraceError } from '@millrace/contracts';

// Protocol Buffers wire format: a message is a list of (key varint = field number << 3 | wire type, value). Only what ONNX
// files use: varints (0), 64-bit (1), length-delimited (2) and 32-bit (5). Groups are refused.

export interface Field {
  readonly number: number;
  /** A varint as a signed 64-bit integer; NaN for the other wire types. */
  readonly integer: number;
  /** The value's bytes, a view; empty for a varint. */
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

export const damaged = (what: string): MillraceError =>
  new MillraceError('MODEL_LOAD_FAILED', `not a whole ONNX file: ${what}. Export the model again, or fetch the file anew.`);

/** Varints of more than 49 bits: negative numbers mostly, which take ten bytes. */
function longVarint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0n;
  for (let at = end - 1; at >= start; at -= 1) value = (value << 7n) | BigInt((bytes[at] ?? 0) & 0x7f);
  return Number(BigInt.asIntN(64, value));
}

/** Reads one message, field by field; every length is checked against what is left. */
export class WireReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** @throws MillraceError MODEL_LOAD_FAILED when the bytes end in the middle, or a varint has more than ten bytes. */
  varint(): number {
    const start = this.at;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw damaged('it ends in the middle of a number');
      this.at += 1;
      const length = this.at - start;
      if (length <= 7) value += (byte & 0x7f) * scale;
      if (byte < 0x80) return length <= 7 ? value : longVarint(this.bytes, start, this.at);
      if (length >= 10) throw damaged('it holds a number of more than ten bytes');
    }
  }

  /** @throws MillraceError MODEL_LOAD_FAILED */
  field(): Field {
    const key = this.varint();
    const number = Math.floor(key / 8);
    if (number < 1 || number > 536_870_911) throw damaged(`it holds the field number ${number}`);
    switch (key % 8) {
      case 0: return { number, integer: this.varint(), bytes: none };
      case 1: return { number, integer: NaN, bytes: this.take(8) };
      case 2: return { number, integer: NaN, bytes: this.take(this.varint()) };
      case 5: return { number, integer: NaN, bytes: this.take(4) };
      default: throw damaged(`it holds a field of the wire type ${key % 8}`);
    }
  }

  private take(length: number): Uint8Array {
    const end = this.at + length;
    if (!(length >= 0 && end <= this.bytes.length)) throw damaged(`a part says it has ${length} bytes, and ${this.bytes.length - this.at} are left`);
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}

export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const reader = new WireReader(bytes);
  while (!reader.done) yield reader.field();
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws MillraceError MODEL_LOAD_FAILED for bytes that are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw damaged('a name in it is no UTF-8 text');
  }
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A length-delimited field: a text, a message or packed numbers. */
export const writeBytes = (number: number, bytes: Uint8Array): Uint8Array => concatBytes([varintBytes(number * 8 + 2), varintBytes(bytes.length), bytes]);
export const writeText = (number: number, text: string): Uint8Array => writeBytes(number, new TextEncoder().encode(text));
/** @param value a non-negative integer. */
export const writeInteger = (number: number, value: number): Uint8Array => concatBytes([varintBytes(number * 8), varintBytes(value)]);
