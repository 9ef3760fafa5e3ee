import { damaged, fieldsOf, textOf, viewOf, WireReader } from './wire.js';

/** A constant of the graph. `values` is null for texts and for types that no rule here reads. */
export interface Constant {
  readonly dims: readonly number[];
  readonly values: Float64Array | null;
}

const elementsMax = 1 << 28;

/** Appends the numbers of a repeated field, packed or not. */
export class NumberList {
  private values = new Float64Array(16);
  length = 0;

  push(value: number): void {
    if (this.length >= elementsMax) throw damaged(`a list has more than ${elementsMax} numbers`);
    if (this.length === this.values.length) {
      const grown = new Float64Array(this.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length] = value;
    this.length += 1;
  }

  pushFixed(bytes: Uint8Array, size: 4 | 8): void {
    if (bytes.length % size !== 0) throw damaged(`a list of ${size}-byte numbers has ${bytes.length} bytes`);
    const view = viewOf(bytes);
    for (let at = 0; at < bytes.length; at += size) this.push(size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true));
  }

  pushVarints(integer: number, bytes: Uint8Array): void {
    if (!Number.isNaN(integer)) return this.push(integer);
    const reader = new WireReader(bytes);
    while (!reader.done) this.push(reader.varint());
  }

  /** A copy of its own length. */
  numbers(): Float64Array {
    return this.values.slice(0, this.length);
  }
}

/** TensorProto.DataType → how its `raw_data` is read, little-endian. */
const rawReaders: Readonly<Record<number, { readonly size: number; readonly read: (view: DataView, at: number) => number }>> = {
  1: { size: 4, read: (view, at) => view.getFloat32(at, true) },
  2: { size: 1, read: (view, at) => view.getUint8(at) },
  3: { size: 1, read: (view, at) => view.getInt8(at) },
  6: { size: 4, read: (view, at) => view.getInt32(at, true) },
  7: { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  9: { size: 1, read: (view, at) => view.getUint8(at) },
  11: { size: 8, read: (view, at) => view.getFloat64(at, true) },
};

function rawNumbers(type: number, bytes: Uint8Array): Float64Array | null {
  const reader = rawReaders[type];
  if (reader === undefined) return null;
  if (bytes.length % reader.size !== 0) throw damaged(`a constant of ${reader.size}-byte numbers has ${bytes.length} bytes`);
  const view = viewOf(bytes);
  return Float64Array.from({ length: bytes.length / reader.size }, (_, index) => reader.read(view, index * reader.size));
}

/** TensorProto: dims 1, data_type 2, float_data 4, int32_data 5, int64_data 7, name 8, raw_data 9, double_data 10. */
export function constantOf(bytes: Uint8Array): Constant {
  const dims = new NumberList();
  const listed = new NumberList();
  let type = 0;
  let raw: Uint8Array | null = null;
  for (const field of fieldsOf(bytes)) {
    switch (field.number) {
      case 1: dims.pushVarints(field.integer, field.bytes); break;
      case 2: type = field.integer; break;
      case 4: listed.pushFixed(field.bytes, 4); break;
      case 5: case 7: listed.pushVarints(field.integer, field.bytes); break;
      case 9: raw = field.bytes; break;
      case 10: listed.pushFixed(field.bytes, 8); break;
    }
  }
  const shape = [...dims.numbers()];
  const values = raw === null ? listed.numbers() : rawNumbers(type, raw);
  const count = shape.reduce((product, dim) => product * dim, 1);
  // Texts, and numbers that lie in another file, are not here.
  return { dims: shape, values: values?.length === count ? values : null };
}

export function nameOfTensor(bytes: Uint8Array): string {
  for (const field of fieldsOf(bytes)) if (field.number === 8) return textOf(field.bytes);
  return '';
}
