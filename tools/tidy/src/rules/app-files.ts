import { posix } from 'node:path';
import type { Repository, Workspace } from '../repository.js';
import type { Breach, Rule } from '../rule.js';

const readmeLinesMax = 80;

/** Whoever knows one service knows all. A command (a package with `bin`) is no service: it has no module, settings or metrics. */
export const appFiles: Rule = {
  name: 'app-files',
  habit: `Each service has README.md (at most ${readmeLinesMax} lines), src/main.ts, <app>.module.ts, <app>.config.ts and <app>.metrics.ts.`,
  judge: (repository) => repository.workspaces.filter(({ folder }) => folder.startsWith('apps/')).flatMap((app) => [...missingFiles(repository, app), ...longReadme(repository, app)]),
};

function missingFiles(repository: Repository, { folder, manifest }: Workspace): Breach[] {
  const app = posix.basename(folder);
  const roles = manifest.hasCommand ? [] : ['module', 'config', 'metrics'];
  return ['README.md', 'src/main.ts', ...roles.map((role) => `src/${app}.${role}.ts`)]
    .filter((file) => !repository.has(`${folder}/${file}`))
    .map((file) => ({ file: `${folder}/${file}`, line: 1, message: 'every app has this file; it is missing' }));
}

function longReadme(repository: Repository, { folder }: Workspace): Breach[] {
  const file = `${folder}/README.md`;
  if (!repository.has(file)) return [];
  const lines = repository.text(file).trimEnd().split('\n').length;
  return lines <= readmeLinesMax ? [] : [{ file, line: readmeLinesMax + 1, message: `the README has ${lines} lines; one screen is ${readmeLinesMax}` }];
}
