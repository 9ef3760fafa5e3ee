import { importsOf, packageOf } from '../imports.js';
import { supportsTests } from '../paths.js';
import type { Rule } from '../rule.js';

const isTestingEntry = (specifier: string): boolean => packageOf(specifier) === '@millrace/testing' || /^@millrace\/[^/]+\/testing$/.test(specifier);

export const testingPlace: Rule = {
  name: 'testing-place',
  habit: 'Only specs, fixtures and tools import @millrace/testing or the /testing entry of a package.',
  judge: (repository) =>
    repository
      .codeFiles()
      .filter((path) => !supportsTests(path) && !path.startsWith('tools/'))
      .flatMap((file) =>
        importsOf(repository, file)
          .filter(({ specifier }) => isTestingEntry(specifier))
          .map(({ specifier, line }) => ({ file, line, message: `${specifier} is for specs, fixtures and tools` })),
      ),
};
