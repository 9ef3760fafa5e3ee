import type { TensorSpec } from '@millrace/contracts';

/** What a model file is expected to take and give. */
export interface ExpectedSignature {
  readonly inputs: readonly { readonly name: string; readonly datatype: string }[];
  readonly outputs: readonly { readonly name: string; readonly datatype: string }[];
}

function mistakesIn(kind: 'input' | 'output', actual: readonly TensorSpec[], expected: ExpectedSignature['inputs']): string[] {
  const declared = new Map(actual.map(({ name, datatype }) => [name, datatype as string]));
  const messages: string[] = [];
  for (const { name, datatype } of expected) {
    const found = declared.get(name);
    if (found === undefined) messages.push(`${kind} ${name} is not in the file`);
    else if (found !== datatype) messages.push(`${kind} ${name} is ${found}, not ${datatype}`);
    declared.delete(name);
  }
  for (const name of declared.keys()) messages.push(`the file has an unexpected ${kind} ${name}`);
  return messages;
}

/** @returns what is wrong with a file's inputs and outputs, as a sentence; null when nothing is. */
export function signatureMistake(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], expected: ExpectedSignature | undefined): string | null {
  const mistakes = expected === undefined ? [] : [...mistakesIn('input', inputs, expected.inputs), ...mistakesIn('output', outputs, expected.outputs)];
  if (mistakes.length === 0) return null;
  return `the model file does not match its signature: ${mistakes.join('; ')}. Register the file with the signature it was exported with.`;
}
