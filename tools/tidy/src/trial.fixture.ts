import type { ProjectGraph } from './project-graph.js';
import { Repository } from './repository.js';
import type { Rule } from './rule.js';

/** A repository in memory: path to text, or to lines. */
export type Files = Readonly<Record<string, string | readonly string[]>>;

export interface Case {
  readonly about: string;
  readonly files: Files;
  readonly graph?: ProjectGraph;
}

export interface BrokenCase extends Case {
  /** `file:line` and a word of the message for each breach, sorted by place. */
  readonly finds: readonly (readonly [place: string, word: string])[];
}

/** What a rule must find, and what it must let pass. */
export interface Trial {
  readonly rule: Rule;
  readonly broken: readonly BrokenCase[];
  readonly clean: readonly Case[];
}

export function repositoryOf({ files, graph }: Pick<Case, 'files' | 'graph'>): Repository {
  return new Repository(new Map(Object.entries(files).map(([path, text]) => [path, typeof text === 'string' ? text : text.join('\n')])), graph);
}

/** The root manifest as this repository has it, so that packages are found. */
export const root = { 'package.json': JSON.stringify({ name: 'house', workspaces: ['libs/contracts', 'libs/core', 'libs/testing', 'libs/platform/*', 'apps/*', 'tools/*', 'examples/*'] }) };

/** A package.json with exports from sub-path to source file. */
export function manifest(name: string, layer: string | undefined, sources: Readonly<Record<string, string>> = {}, rest: object = {}): string {
  const exports = Object.fromEntries(Object.entries(sources).map(([subPath, source]) => [subPath, { '@millrace/source': source, default: './dist/x.js' }]));
  return JSON.stringify({ name, ...(layer === undefined ? {} : { nx: { tags: [layer] } }), exports, ...rest });
}

/** A word cut in two in the source, so that the rule which looks for it does not find its own trial. */
export const glue = (...parts: readonly string[]): string => parts.join('');
