import { murmurHash3 } from '../inference/murmur-hash.js';

/**
 * The binary form that sketches share: tag (u8), version (u8), body, MurmurHash3 of all before it (u32); little-endian. The check
 * sum finds damage, not malice.
 */
const sealSize = 6;
const sealSeed = 0x6d696c6c;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Appends numbers and texts to a buffer that grows. */
export class BinaryWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  #room(size: number): number {
    const at = this.#at;
    if (at + size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, at + size));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#at = at + size;
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
  }

  /** Base 128, lowest first. @param value a whole number from 0 to 2^53 − 1. */
  count(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.u8((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.u8(rest);
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  /** UTF-8 after its length in bytes. Half a surrogate pair becomes U+FFFD. */
  text(value: string): void {
    const encoded = utf8.encode(value);
    this.count(encoded.length);
    this.bytes(encoded);
  }

  written(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }
}

/** Reads what BinaryWriter wrote; throws RangeError where the bytes end early or make no sense. */
export class BinaryReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(size: number): number {
    if (size > this.left) throw new RangeError('the bytes end too early');
    const at = this.#at;
    this.#at += size;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** @throws RangeError above 2^53 − 1. */
  count(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw new RangeError('a count is larger than 2^53 − 1');
  }

  /** A count that must not be larger than `max`: what follows is sized by it. */
  size(max: number): number {
    const value = this.count();
    if (value > max) throw new RangeError(`a size of ${value} is larger than ${max}`);
    return value;
  }

  finite(): number {
    const value = this.f64();
    if (!Number.isFinite(value)) throw new RangeError('a number is not finite');
    return value;
  }

  bytes(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  text(): string {
    const encoded = this.bytes(this.size(this.left));
    try {
      return fromUtf8.decode(encoded);
    } catch {
      throw new RangeError('a text is no UTF-8');
    }
  }
}

/** @param tag tells kinds of sketches apart, 0 to 255. */
export function sealed(tag: number, version: number, write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  writer.u8(tag);
  writer.u8(version);
  write(writer);
  writer.u32(murmurHash3(writer.written(), sealSeed));
  return writer.written();
}

/** @throws RangeError for another kind or version, damaged bytes, or bytes that `read` does not use up. */
export function unsealed<T>(bytes: Uint8Array, tag: number, version: number, read: (reader: BinaryReader) => T): T {
  if (bytes.length < sealSize) throw new RangeError(`${bytes.length} bytes are too few for a sketch`);
  const seal = bytes.length - 4;
  const [foundTag, foundVersion] = [bytes[0], bytes[1]];
  if (foundTag !== tag) throw new RangeError(`the bytes hold a sketch of kind ${foundTag}, not ${tag}`);
  if (foundVersion !== version) throw new RangeError(`version ${foundVersion} of this sketch is not known; ${version} is`);
  if (new BinaryReader(bytes.subarray(seal)).u32() !== murmurHash3(bytes.subarray(0, seal), sealSeed)) throw new RangeError('the bytes of the sketch are damaged: their check sum differs');
  const reader = new BinaryReader(bytes.subarray(2, seal));
  const value = read(reader);
  if (reader.left > 0) throw new RangeError(`${reader.left} bytes are left over`);
  return value;
}

/** @throws RangeError for what is not finite. */
export function assertFinite(x: number): void {
  if (!(x - x === 0)) throw new RangeError(`${x} is not finite`);
}
