import { posix } from 'node:path';
import ts from 'typescript';
import { parseManifest, type Manifest } from './manifest.js';
import { isCode } from './paths.js';
import { emptyGraph, type ProjectGraph } from './project-graph.js';

export interface Workspace {
  /** Folder relative to the checkout, such as `libs/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The files of a checkout at one moment. Everything lies in memory: some 600 files of 2 MB together. */
export class Repository {
  readonly paths: readonly string[];
  readonly workspaces: readonly Workspace[];
  readonly #syntax = new Map<string, ts.SourceFile>();

  constructor(
    private readonly files: ReadonlyMap<string, string>,
    readonly graph: ProjectGraph = emptyGraph,
  ) {
    this.paths = [...files.keys()].sort();
    const patterns = this.has('package.json') ? parseManifest(this.text('package.json')).workspaces.map(folderPattern) : [];
    this.workspaces = this.paths
      .filter((path) => posix.basename(path) === 'package.json' && patterns.some((pattern) => pattern.test(posix.dirname(path))))
      .map((path) => ({ folder: posix.dirname(path), manifest: parseManifest(this.text(path)) }));
  }

  has(path: string): boolean {
    return this.files.has(path);
  }

  text(path: string): string {
    const text = this.files.get(path);
    if (text === undefined) throw new Error(`${path} is not in the repository`);
    return text;
  }

  lines(path: string): string[] {
    return this.text(path).split('\n');
  }

  /** Syntax only: no types are resolved, so that a rule works on code that does not compile yet. */
  syntax(path: string): ts.SourceFile {
    const known = this.#syntax.get(path);
    if (known !== undefined) return known;
    const source = ts.createSourceFile(path, this.text(path), ts.ScriptTarget.ES2023, true);
    this.#syntax.set(path, source);
    return source;
  }

  codeFiles(): string[] {
    return this.paths.filter(isCode);
  }

  workspaceOf(path: string): Workspace | undefined {
    return this.workspaces.find(({ folder }) => path.startsWith(`${folder}/`));
  }
}

/** `apps/*` as npm reads it: one folder level per star. */
function folderPattern(glob: string): RegExp {
  const escaped = glob.replace(/\/$/, '').replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '[^/]+')}$`);
}
