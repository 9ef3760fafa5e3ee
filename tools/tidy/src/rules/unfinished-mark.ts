import { isLockFile } from '../paths.js';
import type { Rule } from '../rule.js';

/** Put together here, so that the rule does not find itself. */
const marks = [['TO', 'DO'], ['FIX', 'ME'], ['X', 'XX']].map((parts) => parts.join(''));
const pattern = new RegExp(`\\b(?:${marks.join('|')})\\b`);

export const unfinishedMark: Rule = {
  name: 'unfinished-mark',
  habit: `Nothing is left for later in a comment: no ${marks.join(', ')}; write an issue.`,
  judge: (repository) =>
    repository.paths
      .filter((path) => !isLockFile(path))
      .flatMap((file) => repository.lines(file).flatMap((line, index) => (pattern.test(line) ? [{ file, line: index + 1, message: `${pattern.exec(line)?.[0]} marks something unfinished` }] : []))),
};
