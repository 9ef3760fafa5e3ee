import { isBuiltin } from 'node:module';
import { importsOf, isRelative, packageOf } from '../imports.js';
import { parseManifest } from '../manifest.js';
import { supportsTests } from '../paths.js';
import type { Repository, Workspace } from '../repository.js';
import type { Breach, Rule } from '../rule.js';

/** npm hoists: an import that nobody declared works here and fails in an image that carries only what one app names. */
export const declaredPackages: Rule = {
  name: 'declared-packages',
  habit: 'A project declares every package it imports, and imports every project of ours that it declares (specs may use ours undeclared).',
  judge: (repository) => {
    const fromRoot = repository.has('package.json') ? parseManifest(repository.text('package.json')).devDependencies : [];
    return repository.workspaces.flatMap((workspace) => judgeWorkspace(repository, workspace, fromRoot));
  },
};

/** What does not ship runs in a checkout only, where every project of ours is there. */
function ships(folder: string, file: string): boolean {
  return !supportsTests(file) && ['src', 'bin'].some((part) => file.startsWith(`${folder}/${part}/`));
}

function judgeWorkspace(repository: Repository, { folder, manifest }: Workspace, fromRoot: readonly string[]): Breach[] {
  const toRun = new Set([manifest.name, ...manifest.dependencies]);
  const toTest = new Set([...toRun, ...manifest.devDependencies, ...fromRoot]);
  const imported = new Set<string>();
  const found: Breach[] = [];
  for (const file of repository.codeFiles().filter((path) => path.startsWith(`${folder}/`))) {
    for (const { specifier, line } of importsOf(repository, file)) {
      if (isRelative(specifier) || isBuiltin(specifier)) continue;
      const name = packageOf(specifier);
      imported.add(name);
      const declared = ships(folder, file) ? toRun.has(name) : toTest.has(name) || repository.workspaces.some((other) => other.manifest.name === name);
      if (!declared) found.push({ file, line, message: `${folder}/package.json does not list ${name} among its dependencies` });
    }
  }
  const idle = [...manifest.dependencies, ...manifest.devDependencies].filter((name) => name.startsWith('@millrace/') && !imported.has(name));
  return [...found, ...idle.map((name) => ({ file: `${folder}/package.json`, line: 1, message: `nothing here imports ${name}` }))];
}
