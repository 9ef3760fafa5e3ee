import { importsOf, isRelative, packageOf } from '../imports.js';
import { supportsTests } from '../paths.js';
import type { Rule } from '../rule.js';

const allowed = (specifier: string): boolean =>
  isRelative(specifier) || ['@millrace/contracts', '@millrace/core'].includes(packageOf(specifier)) || specifier.startsWith('@stdlib/') || specifier.startsWith('@sinclair/');

export const coreImports: Rule = {
  name: 'core-imports',
  habit: 'libs/core imports contracts, itself, @stdlib and @sinclair, and nothing else.',
  judge: (repository) =>
    repository
      .codeFiles()
      .filter((path) => path.startsWith('libs/core/') && !supportsTests(path))
      .flatMap((file) =>
        importsOf(repository, file)
          .filter(({ specifier }) => !allowed(specifier))
          .map(({ specifier, line }) => ({ file, line, message: `core must not import ${specifier}` })),
      ),
};
