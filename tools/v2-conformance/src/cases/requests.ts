import { shown, Mismatch } from '../case.js';
import type { Output } from '../server.js';

/** 1 to 16. */
export const counting: readonly number[] = Array.from({ length: 16 }, (_, at) => at + 1);

export interface RequestTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[];
}

/** INPUT0 counts from 1 to 16 and INPUT1 is 1. */
export function simpleRequest(lay: (data: readonly unknown[]) => readonly unknown[] = (data) => data): { readonly inputs: readonly RequestTensor[] } {
  const tensor = (name: string, data: readonly number[]): RequestTensor => ({ name, shape: [1, 16], datatype: 'INT32', data: lay(data) });
  return { inputs: [tensor('INPUT0', counting), tensor('INPUT1', counting.map(() => 1))] };
}

export function identityRequest(datatype: string, shape: readonly number[], data: readonly unknown[]): { readonly inputs: readonly RequestTensor[] } {
  return { inputs: [{ name: 'INPUT0', shape, datatype, data }] };
}

/** A message whose one input is binary. */
export function binaryRequest(datatype: string, shape: readonly number[], size: unknown, more: Readonly<Record<string, unknown>> = {}): { readonly inputs: readonly object[] } {
  return { inputs: [{ name: 'INPUT0', shape, datatype, parameters: { binary_data_size: size }, ...more }] };
}

/** The bytes of binary BYTES elements: length and text each. */
export function textBytes(...texts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => {
    const bytes = Buffer.from(text as string);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  }));
}

/** Elements in JSON of the output with this name. */
export function elementsOf(outputs: readonly Output[], name: string): readonly unknown[] {
  const output = outputs.find((each) => each.name === name);
  if (output === undefined || !Array.isArray(output.data)) throw new Mismatch(`output ${name} in JSON`, shown(outputs));
  return output.data;
}

/** Bytes of the output with this name, in hexadecimal. */
export function hexOf(outputs: readonly Output[], name: string): string {
  const output = outputs.find((each) => each.name === name);
  if (output === undefined || output.bytes === null) throw new Mismatch(`output ${name} in binary`, shown(outputs));
  return output.bytes.toString('hex');
}
