import type { Rule } from '../rule.js';

/** A folder of one person’s or one machine’s, at the start of an absolute path: not `x/work/` and not `${base}/work/`. */
const places = ['root', 'work', String.raw`home\/[A-Za-z0-9_.-]+`, String.raw`Users\/[A-Za-z0-9_.-]+`];
const pattern = new RegExp(`(?<![\\w.})*/-])\\/(?:${places.join('|')})\\/`, 'g');

export const machinePath: Rule = {
  name: 'machine-path',
  habit: 'No file names an absolute path of the machine it was written on.',
  judge: (repository) =>
    repository.paths.flatMap((file) =>
      repository.lines(file).flatMap((line, index) => [...line.matchAll(pattern)].map(([path]) => ({ file, line: index + 1, message: `names the path ${path} of one machine` }))),
    ),
};
