import { isCode } from '../paths.js';
import type { Rule } from '../rule.js';

const linesMax = 400;

export const fileLength: Rule = {
  name: 'file-length',
  habit: `A file has one reason to exist: code and Python files have at most ${linesMax} lines.`,
  judge: (repository) =>
    repository.paths
      .filter((path) => isCode(path) || path.endsWith('.py'))
      .flatMap((file) => {
        const lines = repository.text(file).trimEnd().split('\n').length;
        return lines <= linesMax ? [] : [{ file, line: linesMax + 1, message: `the file has ${lines} lines, more than ${linesMax}` }];
      }),
};
