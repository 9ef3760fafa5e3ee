import { findCycle } from '../cycle.js';
import { importsOf, resolveImport } from '../imports.js';
import { supportsTests } from '../paths.js';
import type { Rule } from '../rule.js';

const folderOf = (path: string): string | undefined => /^libs\/core\/src\/([^/]+)\//.exec(path)?.[1];

/** Specs may look around: what they import ships nowhere. */
export const coreFolders: Rule = {
  name: 'core-folders',
  habit: 'The folders of libs/core do not depend on each other in a circle.',
  judge: (repository) => {
    const edges = new Map<string, Set<string>>();
    const places = new Map<string, { file: string; line: number }>();
    for (const file of repository.codeFiles()) {
      const from = folderOf(file);
      if (from === undefined || supportsTests(file)) continue;
      for (const { specifier, line } of importsOf(repository, file)) {
        const to = folderOf(resolveImport(repository, file, specifier) ?? '');
        if (to === undefined || to === from) continue;
        edges.set(from, (edges.get(from) ?? new Set()).add(to));
        places.set(`${from} ${to}`, { file, line });
      }
    }
    const cycle = findCycle(edges);
    const place = places.get(`${cycle?.at(-2)} ${cycle?.at(-1)}`);
    return cycle === undefined || place === undefined ? [] : [{ ...place, message: `core’s folders form a circle: ${cycle.join(' → ')}` }];
  },
};
