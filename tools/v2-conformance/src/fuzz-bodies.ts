import { seeded } from '@millrace/testing';
import { datatypes as v2Datatypes, type V2Datatype } from './models.js';

/** Bodies that nobody should send: good requests with something done to them, and bytes by chance. The same seed gives the same bodies. */

export interface FuzzBody {
  readonly body: Uint8Array;
  /** The datatype of the identity model that most of it fits; null when it was made for none. */
  readonly aim: V2Datatype | null;
  /** Value of the header `Inference-Header-Content-Length`, when it is sent. */
  readonly headerLength?: number;
}

type Chance = () => number;
type Aim = V2Datatype | null;

const below = (chance: Chance, limit: number): number => Math.floor(chance() * limit);
const oneOf = <T>(chance: Chance, list: readonly [T, ...T[]]): T => list[below(chance, list.length)] ?? list[0];

const datatypes = [...v2Datatypes, 'BF16', '', 'fp32'] as const;
/** As JSON texts, since some are none. */
const values = [
  '0', '1', '-1', '0.5', '-0', '1e308', '1e999', '-1e999', '9007199254740993', '18446744073709551615', '-9223372036854775809', '255', '256', '65504', '65520', '1e-400', '01', '+1', '.5', '0x10',
  'NaN', '-Infinity', '"NaN"', '"Infinity"', 'true', 'false', 'null', '""', '"a"', '"\\u0000"', '"\\ud800"', '"Ω"', '{}', '[]', '[1]', '[[1]]', '{"a":1}', '[null]', '"\\x"',
] as const;
const names = ['INPUT0', 'INPUT1', 'x', '', '__proto__', 'constructor', 'toString', 'a/b~c', '\\u0000', 'é'] as const;
const members = ['name', 'shape', 'datatype', 'data', 'parameters', 'more', '__proto__'] as const;

const many = (chance: Chance, limit: number, make: () => string): string[] => Array.from({ length: below(chance, limit) }, make);

function anyValue(chance: Chance, depth: number): string {
  if (depth === 0 || chance() < 0.6) return oneOf(chance, values);
  if (chance() < 0.5) return `[${many(chance, 5, () => anyValue(chance, depth - 1)).join(',')}]`;
  return `{${many(chance, 4, () => `"${oneOf(chance, members)}":${anyValue(chance, depth - 1)}`).join(',')}}`;
}

function dataOf(chance: Chance, shape: readonly number[], value: () => string): string {
  const [first = 1, ...rest] = shape;
  if (shape.length === 0) return value();
  return `[${Array.from({ length: Math.max(0, Math.min(first, 40)) }, () => (rest.length === 0 ? value() : dataOf(chance, rest, value))).join(',')}]`;
}

const goodValues: Readonly<Record<string, (chance: Chance) => string>> = {
  BOOL: (chance) => (chance() < 0.5 ? 'true' : 'false'),
  BYTES: (chance) => JSON.stringify('t'.repeat(below(chance, 9))),
};

interface FuzzTensor {
  readonly json: string;
  readonly bytes: Uint8Array;
}

/** Mostly as it should be; one time in some, each part is something else. */
function tensor(chance: Chance, aim: Aim): FuzzTensor {
  const datatype = aim ?? oneOf(chance, datatypes);
  const shape = Array.from({ length: aim === null ? below(chance, 4) : 2 }, () => below(chance, 5));
  const isOdd = (): boolean => chance() < 0.06;
  const good = (): string => (isOdd() ? oneOf(chance, values) : (goodValues[datatype]?.(chance) ?? String(below(chance, 100))));
  const count = shape.reduce((product, dim) => product * dim, 1);
  const isBinary = chance() < 0.4;
  const width = aim === null ? oneOf(chance, [1, 2, 4, 8]) : Number(/8|16|32|64/u.exec(aim)?.[0] ?? '8') / 8;
  const size = Math.max(0, count * width + (isOdd() ? below(chance, 9) - 4 : 0));
  const bytes = isBinary ? Uint8Array.from({ length: Math.max(0, size + (isOdd() ? below(chance, 5) - 2 : 0)) }, () => below(chance, chance() < 0.5 ? 2 : 256)) : new Uint8Array();
  const parts = [
    `"name":${isOdd() ? anyValue(chance, 1) : `"${aim === null ? oneOf(chance, names) : names[0]}"`}`,
    `"shape":${isOdd() ? anyValue(chance, 2) : JSON.stringify(isOdd() ? [...shape, oneOf(chance, [-1, 1.5, 2 ** 31, 2 ** 53])] : shape)}`,
    `"datatype":${isOdd() ? anyValue(chance, 1) : `"${datatype}"`}`,
    isBinary ? `"parameters":{"binary_data_size":${isOdd() ? oneOf(chance, values) : size}}` : `"data":${isOdd() ? anyValue(chance, 4) : chance() < 0.5 ? dataOf(chance, shape, good) : dataOf(chance, [count], good)}`,
    ...(isOdd() ? [`"${oneOf(chance, members)}":${anyValue(chance, 3)}`] : []),
  ];
  if (isOdd()) parts.splice(below(chance, parts.length), 1);
  return { json: `{${parts.join(',')}}`, bytes };
}

function message(chance: Chance, aim: Aim): { readonly json: string; readonly bytes: readonly Uint8Array[] } {
  const tensors = Array.from({ length: aim === null ? below(chance, 4) : 1 }, () => tensor(chance, aim));
  const isOdd = (): boolean => chance() < 0.06;
  const parts = [`"inputs":${isOdd() ? anyValue(chance, 3) : `[${tensors.map(({ json }) => json).join(',')}]`}`];
  if (chance() < 0.3) parts.push(`"id":${isOdd() ? anyValue(chance, 1) : '"7"'}`);
  if (chance() < 0.3) parts.push(`"parameters":${isOdd() ? anyValue(chance, 2) : `{"${oneOf(chance, ['binary_data_output', 'timeout', 'priority', 'note'])}":${oneOf(chance, values)}}`}`);
  if (chance() < 0.3) parts.push(`"outputs":${isOdd() ? anyValue(chance, 3) : `[${many(chance, 3, () => `{"name":"${oneOf(chance, names)}","parameters":{"binary_data":${oneOf(chance, values)}}}`).join(',')}]`}`);
  if (isOdd()) parts.push(`"${oneOf(chance, members)}":${anyValue(chance, 3)}`);
  return { json: `{${parts.join(',')}}`, bytes: tensors.map(({ bytes }) => bytes) };
}

const utf8 = new TextEncoder();

/** A byte changed, taken out or put in; the body cut, doubled, or nested deeply. */
function harm(chance: Chance, body: Uint8Array): Uint8Array {
  const at = below(chance, body.length + 1);
  switch (below(chance, 6)) {
    case 0: return Uint8Array.of(...body.subarray(0, at), below(chance, 256), ...body.subarray(at));
    case 1: return Uint8Array.of(...body.subarray(0, at), ...body.subarray(at + 1));
    case 2: return body.slice(0, at);
    case 3: return Uint8Array.of(...body, ...body.subarray(at));
    case 4: {
      const deep = oneOf(chance, ['[', '{"a":', '[[1,']).repeat(below(chance, 400));
      return Uint8Array.of(...body.subarray(0, at), ...utf8.encode(deep), ...body.subarray(at));
    }
    default: {
      const changed = body.slice();
      if (at < changed.length) changed[at] = below(chance, 256);
      return changed;
    }
  }
}

/**
 * @param count of bodies, each at most some kilobytes long
 * @param aimed made for the suite's identity models, so that many of them reach one
 */
export function* fuzzBodies(seed: number, count: number, aimed = false): Generator<FuzzBody> {
  const chance = seeded(seed);
  for (let index = 0; index < count; index += 1) {
    const aim = aimed ? oneOf(chance, v2Datatypes) : null;
    if (chance() < 0.05) {
      const body = Uint8Array.from({ length: below(chance, 64) }, () => below(chance, 256));
      yield chance() < 0.5 ? { body, aim } : { body, aim, headerLength: below(chance, 70) };
      continue;
    }
    const { json, bytes } = message(chance, aim);
    const header = utf8.encode(json + ' '.repeat(below(chance, 4)));
    const whole = Uint8Array.of(...header, ...bytes.flatMap((each) => [...each]));
    const body = chance() < 0.3 ? harm(chance, whole) : whole;
    const isFramed = bytes.some((each) => each.length > 0) || chance() < 0.2;
    if (!isFramed) yield { body, aim };
    else yield { body, aim, headerLength: chance() < 0.05 ? below(chance, header.length * 2) : header.length };
  }
}
