import { posix } from 'node:path';
import { importsOf, resolveImport, sourceAt } from '../imports.js';
import { isCode, isDeclaration, isSpec, isTypeScript, supportsTests } from '../paths.js';
import type { Repository } from '../repository.js';
import type { Rule } from '../rule.js';

/** Follows imports from where programs start. What only a spec reaches is dead too, unless it exists for specs. */
export const deadFile: Rule = {
  name: 'dead-file',
  habit: 'What nothing uses goes: every file under src is reached from a main.ts, a command or a script; fixtures from a spec.',
  judge: (repository) => {
    const alive = reachedFrom(repository, entries(repository));
    const tested = reachedFrom(repository, repository.paths.filter(isSpec));
    const lent = reachedFrom(repository, testingEntries(repository).filter((path) => tested.has(path)));
    return repository.paths
      .filter((path) => isTypeScript(path) && !isDeclaration(path) && path.includes('/src/') && !isSpec(path))
      .filter((path) => !alive.has(path) && !lent.has(path) && !(supportsTests(path) && tested.has(path)))
      .map((file) => ({ file, line: 1, message: tested.has(file) ? 'only specs use this file' : 'nothing uses this file' }));
  },
};

/** Mains, what package.json files name in bin, main and scripts, and plain scripts, which nothing needs to import. */
function entries(repository: Repository): string[] {
  const mains = repository.paths.filter((path) => path.endsWith('/src/main.ts'));
  const scripts = repository.codeFiles().filter((path) => !isTypeScript(path));
  const named = repository.workspaces.flatMap(({ folder, manifest }) => manifest.named.flatMap((name) => sourceAt(repository, posix.join(folder, name)) ?? []));
  return [...mains, ...scripts, ...named];
}

/** What a package lends to the specs of others, such as a twin in memory. */
function testingEntries(repository: Repository): string[] {
  return repository.workspaces.flatMap(({ folder, manifest }) => [...manifest.sources.values()].map((source) => posix.join(folder, source))).filter(supportsTests);
}

function reachedFrom(repository: Repository, starts: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const waiting = [...starts];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path) || !isCode(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(repository, path)) {
      const target = resolveImport(repository, path, specifier);
      if (target !== undefined) waiting.push(target);
    }
  }
  return reached;
}
