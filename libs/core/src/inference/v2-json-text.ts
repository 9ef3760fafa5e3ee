import { MillraceError } from '@millrace/contracts';

// The JSON part of a message: bytes → values, with what JSON.parse alone does not give.

export type JsonObject = Readonly<Record<string, unknown>>;
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** No message of the protocol is deeper than its tensors' rank and a few. */
const depthMax = 100;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** The standard's own method, with what its type does not say yet: a reviver learns how a number was written. */
interface JsonWithSources {
  parse(text: string, reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown): unknown;
}
const jsonWithSources: JsonWithSources = JSON;

/** @throws MillraceError TENSOR_INVALID */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (cause) {
    throw new MillraceError('TENSOR_INVALID', `the ${what} is not UTF-8`, { cause });
  }
}

/** NaN, Infinity and -Infinity without quotes, which are no JSON, are read as the texts. @throws MillraceError TENSOR_INVALID */
export function objectOf(text: string, what: string): JsonObject {
  const value = parse(text, what);
  if (!isObject(value)) throw new MillraceError('TENSOR_INVALID', `the ${what} must be a JSON object`);
  return value;
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const quoted = quoteBareNumbers(text);
    try {
      if (quoted !== text) return JSON.parse(quoted);
    } catch {
      // The first complaint is about what was sent.
    }
    throw new MillraceError('TENSOR_INVALID', `the ${what} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Outside of strings only. Python's json module, and what builds on it, writes these. A loop, since a pattern could be made to run forever. */
function quoteBareNumbers(text: string): string {
  if (!text.includes('NaN') && !text.includes('Infinity')) return text;
  let quoted = '';
  let copied = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) inString = !inString;
    else if (code === 0x5c) at += 1;
    if (inString || (code !== 0x4e && code !== 0x49)) continue; // N and I
    const word = text.startsWith('NaN', at) ? 'NaN' : text.startsWith('Infinity', at) ? 'Infinity' : '';
    if (word === '') continue;
    const from = word === 'Infinity' && text[at - 1] === '-' ? at - 1 : at;
    quoted += `${text.slice(copied, from)}"${text.slice(from, at + word.length)}"`;
    copied = at + word.length;
    at = copied - 1;
  }
  return quoted + text.slice(copied);
}

/** The same values with a bigint for each integer beyond ±(2^53 - 1) that is written in plain digits. Several times slower than `objectOf`. */
export function exactObjectOf(text: string, what: string): JsonObject {
  checkDepth(text, what); // a reviver is called in a recursion
  const value = jsonWithSources.parse(quoteBareNumbers(text), (_key, item, context) => {
    const source = context?.source;
    return typeof item === 'number' && source !== undefined && !Number.isSafeInteger(item) && /^-?\d+$/u.test(source) ? BigInt(source) : item;
  });
  return isObject(value) ? value : {};
}

/** @throws MillraceError TENSOR_INVALID for lists or objects nested deeper than 100. */
export function checkDepth(text: string, what: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > depthMax) throw new MillraceError('TENSOR_INVALID', `the ${what} is nested deeper than ${depthMax} levels`);
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
}
