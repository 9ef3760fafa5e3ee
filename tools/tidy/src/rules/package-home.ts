import { importsOf, packageOf } from '../imports.js';
import type { Rule } from '../rule.js';

/** Packages that one place wraps behind a port, so that they can be replaced there. */
const homes: ReadonlyMap<string, string> = new Map([
  ['kafkajs', 'libs/platform/messaging/'],
  ['onnxruntime-node', 'libs/platform/model-runtime/'],
]);

export const packageHome: Rule = {
  name: 'package-home',
  habit: 'kafkajs is known to libs/platform/messaging alone, onnxruntime-node to libs/platform/model-runtime alone.',
  judge: (repository) =>
    repository.codeFiles().flatMap((file) =>
      importsOf(repository, file).flatMap(({ specifier, line }) => {
        const home = homes.get(packageOf(specifier));
        return home === undefined || file.startsWith(home) ? [] : [{ file, line, message: `${specifier} is imported outside ${home}` }];
      }),
    ),
};
