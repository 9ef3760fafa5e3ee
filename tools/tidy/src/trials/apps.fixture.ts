import { appFiles } from '../rules/app-files.js';
import { migrationName } from '../rules/migration-name.js';
import { manifest, root, type Files, type Trial } from '../trial.fixture.js';

const service: Files = { ...root, 'apps/x/package.json': manifest('@millrace/x', 'layer:app'), 'apps/x/README.md': '# x', 'apps/x/src/main.ts': '', 'apps/x/src/x.module.ts': '', 'apps/x/src/x.config.ts': '', 'apps/x/src/x.metrics.ts': '' };
const migration = (className: string, name = className): string => [`export class ${className} implements MigrationInterface {`, `  readonly name = '${name}';`, '}'].join('\n');

export const appTrials: readonly Trial[] = [
  {
    rule: appFiles,
    broken: [
      { about: 'an app of one file', files: { ...root, 'apps/x/package.json': manifest('@millrace/x', 'layer:app'), 'apps/x/src/main.ts': '' }, finds: [['apps/x/README.md:1', 'missing'], ['apps/x/src/x.config.ts:1', 'missing'], ['apps/x/src/x.metrics.ts:1', 'missing'], ['apps/x/src/x.module.ts:1', 'missing']] },
      { about: 'a README of 81 lines', files: { ...service, 'apps/x/README.md': Array.from({ length: 81 }, () => 'line') }, finds: [['apps/x/README.md:81', '81 lines']] },
    ],
    clean: [
      { about: 'a whole service with a README of 80 lines', files: { ...service, 'apps/x/README.md': [...Array.from({ length: 80 }, () => 'line'), ''] } },
      { about: 'a command', files: { ...root, 'apps/cli/package.json': manifest('@millrace/cli', 'layer:app', {}, { bin: { millrace: 'bin/millrace.mjs' } }), 'apps/cli/README.md': '# cli', 'apps/cli/src/main.ts': '' } },
    ],
  },
  {
    rule: migrationName,
    broken: [
      { about: 'no timestamp', files: { 'apps/x/src/migrations/0001-a.ts': migration('CreateTables') }, finds: [['apps/x/src/migrations/0001-a.ts:1', 'does not end']] },
      { about: 'a name of its own', files: { 'apps/x/src/migrations/0001-a.ts': migration('A1700000000000', 'B1700000000000') }, finds: [['apps/x/src/migrations/0001-a.ts:1', 'B1700000000000']] },
      { about: 'two with one timestamp', files: { 'apps/x/src/a.migration.ts': migration('A1700000000000'), 'apps/y/src/b.migration.ts': migration('B1700000000000') }, finds: [['apps/y/src/b.migration.ts:1', 'also that of A1700000000000']] },
    ],
    clean: [{ about: 'two migrations; other classes', files: { 'apps/x/src/migrations/0001-a.ts': [migration('A1700000000000'), 'class Tables {}'], 'apps/x/src/migrations/0002-b.ts': migration('B1700000000001') } }],
  },
];
