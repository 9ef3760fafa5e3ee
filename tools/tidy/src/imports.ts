import { posix } from 'node:path';
import ts from 'typescript';
import type { Repository } from './repository.js';
import { lineOf, nodesOf } from './syntax.js';

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** Every module that a file names: static, re-exported, dynamic, in types, required, mocked, or as a URL beside it. */
export function importsOf(repository: Repository, path: string): Import[] {
  const source = repository.syntax(path);
  const found: Import[] = [];
  for (const node of nodesOf(source)) {
    const specifier = specifierOf(node);
    if (specifier !== undefined) found.push({ specifier: specifier.text, line: lineOf(source, node) });
  }
  return found;
}

function specifierOf(node: ts.Node): ts.StringLiteralLike | undefined {
  const literal = (expression: ts.Node | undefined) => (expression !== undefined && ts.isStringLiteralLike(expression) ? expression : undefined);
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) return literal(node.moduleReference.expression);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal);
  if (ts.isCallExpression(node) && loadsModule(node.expression)) return literal(node.arguments[0]);
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL' && node.arguments?.[1]?.getText() === 'import.meta.url') return literal(node.arguments[0]);
  return undefined;
}

function loadsModule(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ['require', 'require.resolve', 'import.meta.resolve', 'jest.unstable_mockModule'].includes(callee.getText());
}

/** `@scope/name/sub/path` → `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

export const isRelative = (specifier: string): boolean => specifier.startsWith('./') || specifier.startsWith('../');

/** The file of the repository that an import means; undefined for packages from outside and built-in modules. */
export function resolveImport(repository: Repository, from: string, specifier: string): string | undefined {
  if (isRelative(specifier)) return sourceAt(repository, posix.join(posix.dirname(from), specifier));
  const name = packageOf(specifier);
  const workspace = repository.workspaces.find(({ manifest }) => manifest.name === name);
  const target = workspace?.manifest.sources.get(`.${specifier.slice(name.length)}`);
  return workspace === undefined || target === undefined ? undefined : sourceAt(repository, posix.join(workspace.folder, target));
}

/** The source behind a path that may name what it is built to (`x.js`, `dist/x.js`). */
export function sourceAt(repository: Repository, path: string): string | undefined {
  const written = path.replace(/\.([mc]?)js$/, '.$1ts');
  const candidates = [path, written, written.replace(/(^|\/)dist\//, '$1src/')];
  return candidates.find((candidate) => repository.has(candidate));
}
