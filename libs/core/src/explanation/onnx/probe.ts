import { fieldsOf, concatBytes, textOf, writeBytes, writeInteger, writeText } from './wire.js';
import type { OnnxNode } from './graph.js';

// A message that is written twice is merged by every reader (Protocol Buffers encoding, “last one wins” and “repeated fields
// are concatenated”): what is appended as a second `graph` adds to the first, and the file itself need not be written anew.

/** NodeProto: output 2, name 3, attribute 5 (AttributeProto: name 1, s 4, type 20 with STRING = 3). */
export function withoutPostTransform(node: OnnxNode, outputs: readonly string[]): Uint8Array {
  const kept: Uint8Array[] = [];
  for (const field of fieldsOf(node.bytes)) {
    if (field.number === 2 || field.number === 3) continue;
    if (field.number === 5 && attributeName(field.bytes) === 'post_transform') continue;
    if (Number.isNaN(field.integer)) kept.push(writeBytes(field.number, field.bytes));
  }
  const transform = writeBytes(5, concatBytes([writeText(1, 'post_transform'), writeBytes(4, new TextEncoder().encode('NONE')), writeInteger(20, 3)]));
  return concatBytes([...kept, ...outputs.map((output) => writeText(2, output)), transform]);
}

function attributeName(bytes: Uint8Array): string {
  for (const field of fieldsOf(bytes)) if (field.number === 1) return textOf(field.bytes);
  return '';
}

/** A node that gives a tensor, whatever it is, a name of its own. */
export const renamed = (tensor: string, name: string): Uint8Array => concatBytes([writeText(1, tensor), writeText(2, name), writeText(4, 'Identity')]);

/**
 * The same model with more nodes (NodeProto bytes) and more of its tensors among its outputs; their types are left to the runtime.
 * ModelProto graph 7; GraphProto node 1, output 12; ValueInfoProto name 1.
 */
export function withProbes(model: Uint8Array, nodes: readonly Uint8Array[], outputs: readonly string[]): Uint8Array {
  const additions = [...nodes.map((node) => writeBytes(1, node)), ...outputs.map((name) => writeBytes(12, writeText(1, name)))];
  return concatBytes([model, writeBytes(7, concatBytes(additions))]);
}
