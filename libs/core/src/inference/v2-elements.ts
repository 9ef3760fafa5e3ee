import { fromHalfBits, toHalfBits } from './half-precision.js';
import type { Datatype, Tensor } from '@millrace/contracts';

// JSON elements of the Open Inference Protocol, V2 (kserve/open-inference-protocol, inference_rest.md) ↔ typed memory.

/** Why data cannot become a tensor; the edge turns it into an error with the tensor's place. */
export class ElementMistake extends Error {}

const integerRanges: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);

function integerAt(value: unknown, at: number, datatype: Datatype): number {
  const [least, most] = integerRanges[datatype] ?? [0, 0];
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new ElementMistake(`element ${at} is ${show(value)}, not an integer`);
  if (value >= least && value <= most) return value;
  const why = datatype === 'INT64' || (datatype === 'UINT64' && value > 0) ? 'beyond 2^53 - 1, where JSON numbers are not exact' : `outside ${datatype}`;
  throw new ElementMistake(`element ${at} is ${value}, ${why}`);
}

function floatAt(value: unknown, at: number, datatype: Datatype, stored: (x: number) => number): number {
  if (typeof value !== 'number') throw new ElementMistake(`element ${at} is ${show(value)}, not a number (NaN and infinity have no JSON form)`);
  if (!Number.isFinite(stored(value))) throw new ElementMistake(`element ${at} is ${value}, too large for ${datatype}`);
  return value;
}

const halfOf = (x: number): number => fromHalfBits(toHalfBits(x));

/** @param elements flat, row-major, as JSON gives them; as many as the shape says. @throws ElementMistake */
export function elementsFromJson(datatype: Datatype, shape: readonly number[], elements: readonly unknown[]): Tensor {
  const integers = (): number[] => elements.map((value, at) => integerAt(value, at, datatype));
  const wide = (): bigint[] => integers().map(BigInt);
  const floats = (stored: (x: number) => number): number[] => elements.map((value, at) => floatAt(value, at, datatype, stored));
  switch (datatype) {
    case 'BOOL':
      return { datatype, shape, data: Uint8Array.from(elements, (value, at) => {
        if (typeof value !== 'boolean') throw new ElementMistake(`element ${at} is ${show(value)}, not true or false`);
        return value ? 1 : 0;
      }) };
    case 'UINT8': return { datatype, shape, data: Uint8Array.from(integers()) };
    case 'UINT16': return { datatype, shape, data: Uint16Array.from(integers()) };
    case 'UINT32': return { datatype, shape, data: Uint32Array.from(integers()) };
    case 'UINT64': return { datatype, shape, data: BigUint64Array.from(wide()) };
    case 'INT8': return { datatype, shape, data: Int8Array.from(integers()) };
    case 'INT16': return { datatype, shape, data: Int16Array.from(integers()) };
    case 'INT32': return { datatype, shape, data: Int32Array.from(integers()) };
    case 'INT64': return { datatype, shape, data: BigInt64Array.from(wide()) };
    case 'FP16': return { datatype, shape, data: Uint16Array.from(floats(halfOf), toHalfBits) };
    case 'FP32': return { datatype, shape, data: Float32Array.from(floats(Math.fround)) };
    case 'FP64': return { datatype, shape, data: Float64Array.from(floats((x) => x)) };
    case 'BYTES':
      return { datatype, shape, data: elements.map((value, at) => {
        if (typeof value !== 'string') throw new ElementMistake(`element ${at} is ${show(value)}, not a text`);
        return value;
      }) };
  }
}

function floatText(value: number, at: number): string {
  if (!Number.isFinite(value)) throw new ElementMistake(`element ${at} is ${value}, which has no JSON form; ask for this output in binary`);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The tensor's elements as a flat JSON list, every number exact (64-bit integers too). @throws ElementMistake for NaN and ±Infinity. */
export function elementsToJson(tensor: Tensor): string {
  const texts: string[] = [];
  switch (tensor.datatype) {
    case 'BYTES': return JSON.stringify(tensor.data);
    case 'BOOL':
      for (const value of tensor.data) texts.push(value === 0 ? 'false' : 'true');
      break;
    case 'FP16':
      tensor.data.forEach((bits, at) => texts.push(floatText(fromHalfBits(bits), at)));
      break;
    case 'FP32': case 'FP64':
      tensor.data.forEach((value, at) => texts.push(floatText(value, at)));
      break;
    default:
      for (const value of tensor.data) texts.push(String(value));
  }
  return `[${texts.join(',')}]`;
}
