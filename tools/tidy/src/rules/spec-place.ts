import type { Rule } from '../rule.js';

/** As in jest.config.mjs: roots and testMatch. */
const roots = ['libs/', 'apps/', 'tools/', 'examples/'];
const looksLikeTest = /(\.(spec|test)\.[mc]?[jt]sx?$)|((^|\/)__tests__\/)/;

export const specPlace: Rule = {
  name: 'spec-place',
  habit: 'Every spec lies where jest finds it: *.spec.ts under a src folder of libs, apps, tools or examples.',
  judge: (repository) =>
    repository.paths
      .filter((path) => looksLikeTest.test(path))
      .filter((path) => !(path.endsWith('.spec.ts') && roots.some((root) => path.startsWith(root)) && path.includes('/src/')))
      .map((file) => ({ file, line: 1, message: 'jest does not run this; name it *.spec.ts and put it under src' })),
};
