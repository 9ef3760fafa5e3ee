import { emptyName } from '../rules/empty-name.js';
import { machinePath } from '../rules/machine-path.js';
import { registryHost } from '../rules/registry-host.js';
import { unfinishedMark } from '../rules/unfinished-mark.js';
import { glue, type Trial } from '../trial.fixture.js';

export const textTrials: readonly Trial[] = [
  {
    rule: emptyName,
    broken: [
      {
        about: 'as a folder, as a file, as part of a name',
        files: { 'libs/shared/src/a.ts': '', 'apps/x/src/date-utils.ts': '', 'apps/x/src/ModelManager.ts': '', 'apps/x/src/run.manager.ts': '', 'apps/x/src/data.ts': '', 'trainers/helpers.py': '' },
        finds: [['apps/x/src/ModelManager.ts:1', 'manager'], ['apps/x/src/data.ts:1', 'data'], ['apps/x/src/date-utils.ts:1', 'utils'], ['apps/x/src/run.manager.ts:1', 'manager'], ['libs/shared/src/a.ts:1', 'shared'], ['trainers/helpers.py:1', 'helpers']],
      },
    ],
    clean: [{ about: 'names from the field', files: { 'libs/core/src/data-quality/fix.ts': '', 'apps/data-validation/README.md': '', 'libs/core/src/sharedness.ts': '' } }],
  },
  {
    rule: registryHost,
    broken: [
      {
        about: 'in code, settings and notes',
        files: { 'tools/x.mjs': ['', `fetch('https://${glue('registry.npm', 'js.org')}/kafkajs')`], 'pip.conf': `index-url = https://${glue('pypi', '.org')}/simple`, 'docs/a.md': `see ${glue('repo1.maven', '.org')}` },
        finds: [['docs/a.md:1', 'maven'], ['pip.conf:1', 'pypi'], ['tools/x.mjs:2', 'npmjs']],
      },
    ],
    clean: [{ about: 'the tools by name', files: { 'docs/a.md': 'Installed from PyPI, npm and Debian; see nodejs.org.' } }],
  },
  {
    rule: machinePath,
    broken: [
      {
        about: 'folders of one machine',
        files: { 'a.sh': ['set -u', `cd ${glue('/wo', 'rk/main')}`], 'b.md': `(${glue('/ro', 'ot/.npm')}) and ${glue('/ho', 'me/ada/x')}` },
        finds: [['a.sh:2', glue('/wo', 'rk/')], ['b.md:1', glue('/ro', 'ot/')], ['b.md:1', glue('/ho', 'me/ada/')]],
      },
    ],
    clean: [{ about: 'parts of relative paths, addresses and templates', files: { 'a.ts': ['`${folder}/work/jobs`', "'./work/jobs'", "'apps/work/a.ts'", "'http://127.0.0.1/root'", "'/homework/x/'"] } }],
  },
  {
    rule: unfinishedMark,
    broken: [{ about: 'in any file', files: { 'a.ts': ['', `// ${glue('TO', 'DO')}: later`], 'b.py': `# ${glue('FIX', 'ME')}`, 'c.md': glue('XX', 'X') }, finds: [['a.ts:2', 'unfinished'], ['b.py:1', 'unfinished'], ['c.md:1', 'unfinished']] }],
    clean: [{ about: 'inside other words, and in the lock file', files: { 'a.ts': `const ${glue('TO', 'DO')}S = 1;`, 'package-lock.json': `"sha512-${glue('XX', 'X')}/"` } }],
  },
];
