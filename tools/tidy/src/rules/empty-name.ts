import type { Rule } from '../rule.js';

const emptyWords = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'shared', 'manager', 'managers', 'misc']);
/** Says nothing by itself, yet is part of a name from the field in data-quality. */
const emptyAlone = new Set(['data']);

export const emptyName: Rule = {
  name: 'empty-name',
  habit: 'Files and folders carry names from the field; no utils, helpers, common, shared, manager, misc, data.',
  judge: (repository) => repository.paths.flatMap((file) => emptyIn(file).map((word) => ({ file, line: 1, message: `“${word}” says nothing about what is inside` }))),
};

function emptyIn(path: string): string[] {
  const segments = path.split('/');
  const alone = segments.map((segment) => segment.replace(/\.[^.]+$/, '')).filter((stem) => emptyAlone.has(stem));
  const words = segments.flatMap((segment) => segment.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase().split(/[^a-z]+/)).filter((word) => emptyWords.has(word));
  return [...new Set([...alone, ...words])];
}
