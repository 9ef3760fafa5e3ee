import type { Datatype, Tensor } from '@millrace/contracts';
import { toHalfBits } from './half-precision.js';
import { ElementMistake, show } from './v2-mistakes.js';

// JSON elements of the Open Inference Protocol, V2 → typed memory, checked and stored in one pass over the list.
//
// NaN and the infinities have no JSON number: here they are the texts "NaN", "Infinity" and "-Infinity", in requests and
// in answers (numpy, Python's float() and JavaScript's Number() read them).
//
// A JSON number reaches JavaScript as a double: integers beyond ±(2^53 - 1) may have been rounded, so that they are read
// again from the text, and only then: `NeedsDigits`.

/** The tensor holds integers that a double does not: it needs a list in which those are bigint, see `tensorFromJson`. */
export class NeedsDigits extends Error {}

/** From here on a double rounds to infinity as FP32 (2^128 - 2^103), and as FP16. */
const infiniteFrom32 = 2 ** 128 - 2 ** 103;
const infiniteFrom16 = 65_520;

type SmallIntegers = 'UINT8' | 'UINT16' | 'UINT32' | 'INT8' | 'INT16' | 'INT32';
const ranges: Readonly<Record<SmallIntegers, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
};

const notUnicode = /\p{Surrogate}/u;

/** Why a text cannot be an element, or null. A runtime that ends texts at a NUL, as ONNX Runtime does, would shorten it. */
export function textMistake(text: string): string | null {
  if (text.includes('\0')) return 'has a NUL character, which models cannot be given unchanged';
  return notUnicode.test(text) ? 'has half of a surrogate pair, which is no Unicode text' : null;
}

type Row = readonly unknown[];

function specialFloat(value: unknown, at: number, datatype: Datatype): number {
  if (value === 'NaN') return NaN;
  if (value === 'Infinity') return Infinity;
  if (value === '-Infinity') return -Infinity;
  if (typeof value === 'number') throw new ElementMistake(`element ${at} is ${value}, too large for ${datatype}`);
  throw new ElementMistake(`element ${at} is ${show(value)}, not a number (the texts "NaN", "Infinity" and "-Infinity" are)`);
}

// One loop per kind of memory: a loop over several kinds would be slow for all of them.

function fillFloat32(out: Float32Array, from: number, row: Row): void {
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    out[from + i] = typeof value === 'number' && value < infiniteFrom32 && value > -infiniteFrom32 ? value : specialFloat(value, from + i, 'FP32');
  }
}

function fillFloat64(out: Float64Array, from: number, row: Row): void {
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    out[from + i] = typeof value === 'number' && value - value === 0 ? value : specialFloat(value, from + i, 'FP64');
  }
}

function fillHalf(out: Uint16Array, from: number, row: Row): void {
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    const usable = typeof value === 'number' && value < infiniteFrom16 && value > -infiniteFrom16;
    out[from + i] = toHalfBits(usable ? value : specialFloat(value, from + i, 'FP16'));
  }
}

function fillBool(out: Uint8Array, from: number, row: Row): void {
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    if (typeof value !== 'boolean') throw new ElementMistake(`element ${from + i} is ${show(value)}, not true or false`);
    out[from + i] = value ? 1 : 0;
  }
}

function fillTexts(out: string[], from: number, row: Row): void {
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    if (typeof value !== 'string') throw new ElementMistake(`element ${from + i} is ${show(value)}, not a text`);
    const mistake = textMistake(value);
    if (mistake !== null) throw new ElementMistake(`element ${from + i} ${mistake}`);
    out[from + i] = value;
  }
}

function fillIntegers(out: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array, from: number, row: Row, datatype: SmallIntegers): void {
  const [least, most] = ranges[datatype];
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    if (typeof value !== 'number' || !(value >= least && value <= most) || Math.floor(value) !== value) throw new ElementMistake(integerMistake(value, from + i, datatype));
    out[from + i] = value;
  }
}

/** Writes 64-bit integers as two 32-bit words each, low word first: no bigint is made. @throws NeedsDigits */
function fillWords(words: Int32Array, from: number, row: Row, datatype: 'INT64' | 'UINT64'): void {
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    if (typeof value !== 'number' || Math.floor(value) !== value || (value < 0 && datatype === 'UINT64')) throw new ElementMistake(integerMistake(value, from + i, datatype));
    if (!Number.isSafeInteger(value)) throw new NeedsDigits();
    words[2 * (from + i)] = value; // modulo 2^32
    words[2 * (from + i) + 1] = Math.floor(value / 4_294_967_296);
  }
}

function fillWide(out: BigInt64Array | BigUint64Array, from: number, row: Row, datatype: 'INT64' | 'UINT64'): void {
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    const exact = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
    if (typeof exact !== 'bigint') throw new ElementMistake(integerMistake(value, from + i, datatype));
    if ((datatype === 'INT64' ? BigInt.asIntN(64, exact) : BigInt.asUintN(64, exact)) !== exact) throw new ElementMistake(`element ${from + i} is ${show(exact)}, outside ${datatype}`);
    out[from + i] = exact;
  }
}

function integerMistake(value: unknown, at: number, datatype: Datatype): string {
  if (typeof value !== 'number' || Math.floor(value) !== value) return `element ${at} is ${show(value)}, not an integer`;
  const isExact = Number.isSafeInteger(value) || !datatype.endsWith('64');
  return isExact ? `element ${at} is ${value}, outside ${datatype}` : `element ${at} is ${value}, which must be written in plain digits to be exact`;
}

/** Calls `fill` for each innermost list, row-major. @throws ElementMistake where the nest has not this shape */
function eachRow(list: Row, shape: readonly number[], axis: number, from: number, fill: (from: number, row: Row) => void): number {
  const size = shape[axis] ?? 0;
  if (list.length !== size) throw new ElementMistake(`nested data does not have shape [${shape.join(', ')}]: a list at depth ${axis + 1} has ${list.length} elements instead of ${size}`);
  if (axis === shape.length - 1) {
    fill(from, list);
    return from + size;
  }
  let at = from;
  for (const part of list) {
    if (!Array.isArray(part)) throw new ElementMistake(`nested data does not have shape [${shape.join(', ')}]: there is ${show(part)} at depth ${axis + 1} instead of a list`);
    at = eachRow(part, shape, axis + 1, at, fill);
  }
  return at;
}

/** Flat lists are one row; nested ones have exactly the shape. */
function eachElement(list: Row, shape: readonly number[], count: number, fill: (from: number, row: Row) => void): void {
  if (shape.length >= 2 && Array.isArray(list[0])) eachRow(list, shape, 0, 0, fill);
  else if (list.length === count) fill(0, list);
  else throw new ElementMistake(`data has ${list.length} elements; shape [${shape.join(', ')}] needs ${count}`);
}

/**
 * @param count product of the shape; memory for so many elements is taken before they are counted.
 * @param list as JSON gives it, flat or nested.
 * @param exact the list has a bigint for each integer beyond ±(2^53 - 1).
 * @throws ElementMistake; NeedsDigits when an INT64 or UINT64 tensor has integers that may have been rounded.
 */
export function tensorFromJson(datatype: Datatype, shape: readonly number[], count: number, list: Row, exact = false): Tensor {
  switch (datatype) {
    case 'FP32': {
      const data = new Float32Array(count);
      // The usual request is flat, and costs no closure.
      if (list.length === count && !Array.isArray(list[0])) fillFloat32(data, 0, list);
      else eachElement(list, shape, count, (from, row) => fillFloat32(data, from, row));
      return { datatype, shape, data };
    }
    case 'FP64': {
      const data = new Float64Array(count);
      eachElement(list, shape, count, (from, row) => fillFloat64(data, from, row));
      return { datatype, shape, data };
    }
    case 'FP16': {
      const data = new Uint16Array(count);
      eachElement(list, shape, count, (from, row) => fillHalf(data, from, row));
      return { datatype, shape, data };
    }
    case 'BOOL': {
      const data = new Uint8Array(count);
      eachElement(list, shape, count, (from, row) => fillBool(data, from, row));
      return { datatype, shape, data };
    }
    case 'BYTES': {
      const data: string[] = [];
      eachElement(list, shape, count, (from, row) => fillTexts(data, from, row));
      return { datatype, shape, data };
    }
    case 'INT64': return { datatype, shape, data: wide(new BigInt64Array(count), shape, list, datatype, exact) };
    case 'UINT64': return { datatype, shape, data: wide(new BigUint64Array(count), shape, list, datatype, exact) };
    case 'UINT8': return { datatype, shape, data: small(new Uint8Array(count), shape, list, datatype) };
    case 'UINT16': return { datatype, shape, data: small(new Uint16Array(count), shape, list, datatype) };
    case 'UINT32': return { datatype, shape, data: small(new Uint32Array(count), shape, list, datatype) };
    case 'INT8': return { datatype, shape, data: small(new Int8Array(count), shape, list, datatype) };
    case 'INT16': return { datatype, shape, data: small(new Int16Array(count), shape, list, datatype) };
    case 'INT32': return { datatype, shape, data: small(new Int32Array(count), shape, list, datatype) };
  }
}

function small<T extends Parameters<typeof fillIntegers>[0]>(data: T, shape: readonly number[], list: Row, datatype: SmallIntegers): T {
  eachElement(list, shape, data.length, (from, row) => fillIntegers(data, from, row, datatype));
  return data;
}

function wide<T extends BigInt64Array | BigUint64Array>(data: T, shape: readonly number[], list: Row, datatype: 'INT64' | 'UINT64', exact: boolean): T {
  const words = new Int32Array(data.buffer);
  eachElement(list, shape, data.length, (from, row) => {
    if (exact) fillWide(data, from, row, datatype);
    else fillWords(words, from, row, datatype);
  });
  return data;
}
