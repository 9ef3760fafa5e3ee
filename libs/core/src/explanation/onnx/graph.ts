import { constantOf, nameOfTensor, NumberList, type Constant } from './tensor.js';
import { damaged, fieldsOf, textOf } from './wire.js';

// Field numbers are those of the public schema onnx.proto. Fields that no rule here reads are skipped unread.

const nodesMax = 200_000;

export interface OnnxNode {
  readonly op: string;
  /** '' is the standard operator set. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** NodeProto as it stands in the file. */
  readonly bytes: Uint8Array;
  /** AttributeProto by name, unread. */
  readonly attributes: ReadonlyMap<string, Uint8Array>;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** What callers give: inputs that have no constant of the same name. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** TensorProto of each initializer, unread. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
}

/** AttributeProto: name 1, f 2, i 3, s 4, t 5, g 6, floats 7, ints 8, strings 9, graphs 11. */
export interface OnnxAttribute {
  readonly number: number | null;
  readonly text: string | null;
  readonly tensor: Constant | null;
  readonly numbers: Float64Array;
  readonly texts: readonly string[];
  readonly hasGraph: boolean;
}

const absent: OnnxAttribute = { number: null, text: null, tensor: null, numbers: new Float64Array(0), texts: [], hasGraph: false };

/** @throws MillraceError MODEL_LOAD_FAILED */
export function attributeOf(node: OnnxNode, name: string): OnnxAttribute {
  const bytes = node.attributes.get(name);
  return bytes === undefined ? absent : readAttribute(bytes);
}

function readAttribute(bytes: Uint8Array): OnnxAttribute {
  const numbers = new NumberList();
  const texts: string[] = [];
  const read: { -readonly [K in keyof OnnxAttribute]: OnnxAttribute[K] } = { ...absent, texts };
  const single = new NumberList();
  for (const field of fieldsOf(bytes)) {
    switch (field.number) {
      case 2: single.pushFixed(field.bytes, 4); break;
      case 3: single.push(field.integer); break;
      case 4: read.text = textOf(field.bytes); break;
      case 5: read.tensor = constantOf(field.bytes); break;
      case 6: case 11: read.hasGraph = true; break;
      case 7: numbers.pushFixed(field.bytes, 4); break;
      case 8: numbers.pushVarints(field.integer, field.bytes); break;
      case 9: texts.push(textOf(field.bytes)); break;
    }
  }
  return { ...read, number: single.numbers()[0] ?? 0, numbers: numbers.numbers() };
}

/** NodeProto: input 1, output 2, op_type 4, attribute 5, domain 7. */
function nodeOf(bytes: Uint8Array): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Uint8Array>();
  let [op, domain] = ['', ''];
  for (const field of fieldsOf(bytes)) {
    switch (field.number) {
      case 1: inputs.push(textOf(field.bytes)); break;
      case 2: outputs.push(textOf(field.bytes)); break;
      case 4: op = textOf(field.bytes); break;
      case 5: attributes.set(firstText(field.bytes), field.bytes); break;
      case 7: domain = textOf(field.bytes); break;
    }
  }
  return { op, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, bytes, attributes };
}

/** The name: field 1 of AttributeProto and of ValueInfoProto. */
function firstText(bytes: Uint8Array): string {
  for (const field of fieldsOf(bytes)) if (field.number === 1) return textOf(field.bytes);
  return '';
}

/**
 * Reads the graph of an ONNX file: ModelProto graph 7; GraphProto node 1, initializer 5, input 11, output 12.
 * @throws MillraceError MODEL_LOAD_FAILED for bytes that are no such file, or one without nodes.
 */
export function readOnnxGraph(bytes: Uint8Array): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const constants = new Map<string, Uint8Array>();
  for (const model of fieldsOf(bytes)) {
    if (model.number !== 7) continue;
    for (const field of fieldsOf(model.bytes)) {
      switch (field.number) {
        case 1: nodes.push(nodeOf(field.bytes)); break;
        case 5: constants.set(nameOfTensor(field.bytes), field.bytes); break;
        case 11: inputs.push(firstText(field.bytes)); break;
        case 12: outputs.push(firstText(field.bytes)); break;
      }
      if (nodes.length > nodesMax) throw damaged(`its graph has more than ${nodesMax} nodes`);
    }
  }
  if (nodes.length === 0 || outputs.length === 0) throw damaged('it has no graph with nodes and outputs');
  return { nodes, inputs: inputs.filter((name) => !constants.has(name)), outputs, constants };
}

/** Whoever writes a tensor: by its name. */
export function producersOf(graph: OnnxGraph): Map<string, OnnxNode> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((output): [string, OnnxNode] => [output, node])));
}
