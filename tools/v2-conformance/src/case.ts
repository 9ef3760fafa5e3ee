import { isDeepStrictEqual } from 'node:util';
import type { Server } from './server.js';

export type Group = 'health' | 'metadata' | 'infer JSON' | 'infer binary' | 'datatypes' | 'compression' | 'headers' | 'errors' | 'repository' | 'statistics' | 'config' | 'versions' | 'limits';

/** Where a rule comes from. `rest` is inference_rest.md of the Open Inference Protocol; the others extensions of Triton's protocol folder. */
export type Section = `rest: ${string}` | `binary_data: ${string}` | `statistics: ${string}` | `model_repository: ${string}` | `model_configuration: ${string}` | `parameters: ${string}` | `schedule_policy: ${string}` | `clients: ${string}` | `HTTP: ${string}`;

export interface Case {
  readonly group: Group;
  readonly name: string;
  readonly section: Section;
  /** The server has to refuse what is sent, or at least not to break. */
  readonly isNegative: boolean;
  /** Skipped when the server's metadata does not claim this extension. */
  readonly needs?: string;
  /** @throws Mismatch when the server does something else; anything else thrown counts as a failure too. */
  run(server: Server): Promise<void>;
}

/** What was expected and what came. */
export class Mismatch extends Error {
  constructor(
    readonly expected: string,
    readonly came: string,
  ) {
    super(`expected ${expected}; came ${came}`);
  }
}

const textMax = 200;
export const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item)) ?? String(value));
  return text.length > textMax ? `${text.slice(0, textMax)}…` : text;
};

export function expectEqual(what: string, came: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(came, expected)) throw new Mismatch(`${what} = ${shown(expected)}`, shown(came));
}

export function expectThat(isSo: boolean, expected: string, came: unknown): asserts isSo {
  if (!isSo) throw new Mismatch(expected, shown(came));
}

type Work = (server: Server) => Promise<void>;
interface Options {
  readonly needs?: string;
}

/** Cases of one group: `accepts` for what has to work, `refuses` for what has to be refused or survived. */
export function casesOf(group: Group): { readonly cases: Case[]; accepts(name: string, section: Section, run: Work, options?: Options): void; refuses(name: string, section: Section, run: Work, options?: Options): void } {
  const cases: Case[] = [];
  return {
    cases,
    accepts: (name, section, run, options = {}) => void cases.push({ group, name, section, isNegative: false, run, ...options }),
    refuses: (name, section, run, options = {}) => void cases.push({ group, name, section, isNegative: true, run, ...options }),
  };
}
