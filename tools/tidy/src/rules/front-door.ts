import { posix } from 'node:path';
import { importsOf, isRelative, packageOf } from '../imports.js';
import type { Repository } from '../repository.js';
import type { Breach, Rule } from '../rule.js';

/** Beside project-borders, which knows projects but not by which door they are entered. */
export const frontDoor: Rule = {
  name: 'front-door',
  habit: 'A project is entered through the exports of its package.json, never by a relative path or a deep import.',
  judge: (repository) => repository.codeFiles().flatMap((file) => importsOf(repository, file).flatMap(({ specifier, line }) => judgeImport(repository, file, specifier, line))),
};

function judgeImport(repository: Repository, file: string, specifier: string, line: number): Breach[] {
  if (isRelative(specifier)) {
    const target = repository.workspaceOf(posix.join(posix.dirname(file), specifier));
    if (target === undefined || target === repository.workspaceOf(file)) return [];
    return [{ file, line, message: `${specifier} reaches into ${target.folder}; import ${target.manifest.name}` }];
  }
  const name = packageOf(specifier);
  const target = repository.workspaces.find(({ manifest }) => manifest.name === name);
  if (target === undefined || target.manifest.sources.has(`.${specifier.slice(name.length)}`)) return [];
  return [{ file, line, message: `${target.folder}/package.json does not export ${specifier}` }];
}
