// Writes small ONNX models without Python. Only the parts of onnx.proto3 that the builders here use; field numbers are
// those of the public schema (ONNX IR version 8). Protobuf: each field is a key varint (number << 3 | wire type) and a value.

/** ONNX TensorProto.DataType numbers. */
export const onnxTypes = {
  FP32: 1, UINT8: 2, INT8: 3, UINT16: 4, INT16: 5, INT32: 6, INT64: 7, BYTES: 8, BOOL: 9, FP16: 10, FP64: 11, UINT32: 12, UINT64: 13,
} as const;
export type OnnxType = keyof typeof onnxTypes;

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** A text is a symbolic (variable) dimension. */
  readonly shape: readonly (number | string)[];
}

export type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly text: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | { readonly texts: readonly string[] }
  | { readonly graph: OnnxGraph };

export interface OnnxNode {
  readonly op: string;
  /** '' is the standard operator set; 'ai.onnx.ml' the classical one. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly constants?: readonly OnnxConstant[];
}

export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  /** The numbers, or the name of the file beside the model that holds them. */
  readonly floats: readonly number[] | string;
}

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

const int = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field: number, value: Uint8Array): Buffer => Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value, 'utf8'));
const message = (field: number, parts: readonly Uint8Array[]): Buffer => bytes(field, Buffer.concat(parts));
const floats32 = (values: readonly number[]): Buffer => {
  const packed = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => packed.writeFloatLE(value, index * 4));
  return packed;
};
const float = (field: number, value: number): Buffer => Buffer.concat([varint((field << 3) | 5), floats32([value])]);

function attribute(name: string, value: OnnxAttribute): Buffer {
  const head = text(1, name);
  if ('float' in value) return message(5, [head, float(2, value.float), int(20, 1)]);
  if ('int' in value) return message(5, [head, int(3, value.int), int(20, 2)]);
  if ('text' in value) return message(5, [head, text(4, value.text), int(20, 3)]);
  if ('floats' in value) return message(5, [head, bytes(7, floats32(value.floats)), int(20, 6)]);
  if ('graph' in value) return message(5, [head, bytes(6, graphBytes(value.graph)), int(20, 5)]);
  if ('ints' in value) return message(5, [head, bytes(8, Buffer.concat(value.ints.map(varint))), int(20, 7)]);
  return message(5, [head, ...value.texts.map((item) => text(9, item)), int(20, 8)]);
}

function node({ op, domain = '', inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return message(1, [
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    text(7, domain),
  ]);
}

function value(field: number, { name, type, shape }: OnnxValue): Buffer {
  const dims = shape.map((dim) => message(1, [typeof dim === 'number' ? int(1, dim) : text(2, dim)]));
  return message(field, [text(1, name), message(2, [message(1, [int(1, onnxTypes[type]), message(2, dims)])])]);
}

function constant({ name, shape, floats }: OnnxConstant): Buffer {
  const content = typeof floats === 'string' ? [message(13, [text(1, 'location'), text(2, floats)]), int(14, 1)] : [bytes(9, floats32(floats))];
  return message(5, [...shape.map((dim) => int(1, dim)), int(2, onnxTypes.FP32), text(8, name), ...content]);
}

function graphBytes(graph: OnnxGraph): Buffer {
  return Buffer.concat([
    ...graph.nodes.map(node),
    text(2, 'graph'),
    ...(graph.constants ?? []).map(constant),
    ...graph.inputs.map((input) => value(11, input)),
    ...graph.outputs.map((output) => value(12, output)),
  ]);
}

/** The bytes of an `.onnx` file. The same graph gives the same bytes. */
export function writeOnnx(graph: OnnxGraph, { opset = 17 } = {}): Buffer {
  const opsets = [
    message(8, [text(1, ''), int(2, opset)]),
    message(8, [text(1, 'ai.onnx.ml'), int(2, 3)]),
  ];
  return Buffer.concat([int(1, 8), text(2, 'millrace-testing'), message(7, [graphBytes(graph)]), ...opsets]);
}
