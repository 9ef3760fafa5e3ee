import { deadFile } from '../rules/dead-file.js';
import { errorCodes } from '../rules/error-codes.js';
import { fileLength } from '../rules/file-length.js';
import { functionLength } from '../rules/function-length.js';
import { honestTypes } from '../rules/honest-types.js';
import { glue, manifest, root, type Trial } from '../trial.fixture.js';

/** A function of so many lines, its own two included. */
const functionOf = (lines: number, head = 'export function long(): void {'): string[] => [head, ...Array.from({ length: lines - 2 }, () => '  step();'), '}'];

export const codeTrials: readonly Trial[] = [
  {
    rule: functionLength,
    broken: [
      { about: '61 lines', files: { 'apps/x/src/a.ts': ['', ...functionOf(61)] }, finds: [['apps/x/src/a.ts:2', 'long has 61 lines']] },
      { about: 'a method, an arrow, a script', files: { 'a.ts': ['class A {', ...functionOf(70, '  handle() {'), '}'], 'b.ts': functionOf(70, 'const go = () => {'), 'c.mjs': functionOf(70, 'function run() {') }, finds: [['a.ts:2', 'handle'], ['b.ts:1', 'go'], ['c.mjs:1', 'run']] },
      { about: 'a Python function of 61 lines with a long signature', files: { 'a.py': ['import x', '', 'def fit(', '    rows,', ') -> None:', ...Array.from({ length: 58 }, () => '    step()'), '', 'def next():', '    pass'] }, finds: [['a.py:3', 'fit has 61 lines']] },
      { about: 'a long test in a spec', files: { 'a.spec.ts': functionOf(70, 'const arrange = () => {') }, finds: [['a.spec.ts:1', 'arrange']] },
    ],
    clean: [
      { about: '60 lines', files: { 'apps/x/src/a.ts': functionOf(60), 'a.py': ['def fit():', ...Array.from({ length: 59 }, () => '    step()'), '', '', '# end'] } },
      { about: 'a long chapter of short tests', files: { 'a.spec.ts': ["describe('chapter', () => {", ...Array.from({ length: 80 }, () => "  it('holds', () => {});"), '});'] } },
    ],
  },
  {
    rule: fileLength,
    broken: [{ about: '401 lines', files: { 'a.ts': Array.from({ length: 401 }, () => 'x;'), 'b.py': Array.from({ length: 500 }, () => 'x') }, finds: [['a.ts:401', '401 lines'], ['b.py:401', '500 lines']] }],
    clean: [{ about: '400 lines; documents', files: { 'a.ts': [...Array.from({ length: 400 }, () => 'x;'), ''], 'b.md': Array.from({ length: 500 }, () => 'x') } }],
  },
  {
    rule: honestTypes,
    broken: [
      {
        about: 'any in every place, casts, silenced lines',
        files: { 'a.ts': ['const a: any = 1;', 'const b = a as any;', 'const c = (x: any[]) => x as unknown as string;', `// @ts-${'ignore'}`, 'const d = 1;'] },
        finds: [['a.ts:1', 'any'], ['a.ts:2', 'any'], ['a.ts:3', 'any'], ['a.ts:3', 'unknown'], ['a.ts:4', glue('@ts-', 'ignore')]],
      },
    ],
    clean: [
      { about: 'unknown, const, the word in a text', files: { 'a.ts': ['const a: unknown = 1;', 'const b = [1] as const;', "const c = 'any'; // any", 'const d = a as string;'] } },
      { about: 'specs, fixtures and declarations of foreign packages', files: { 'a.spec.ts': 'const a = {} as any;', 'b.fixture.ts': 'const a = {} as unknown as string;', 'c.d.ts': 'export const a: any;' } },
    ],
  },
  {
    rule: errorCodes,
    broken: [
      {
        about: 'a code that only a spec and a comment know',
        files: { 'libs/contracts/src/errors.ts': ['export const errorCatalogue = {', '  USED: { http: 400 },', '  FORGOTTEN: { http: 500 },', '} as const;'], 'apps/x/src/a.ts': ["throw new MillraceError('USED', 'x'); // FORGOTTEN"], 'apps/x/src/a.spec.ts': "expect(code).toBe('FORGOTTEN');" },
        finds: [['libs/contracts/src/errors.ts:3', 'FORGOTTEN']],
      },
    ],
    clean: [{ about: 'codes thrown, and codes chosen through a table', files: { 'libs/contracts/src/errors.ts': 'export const errorCatalogue = { USED: {}, CHOSEN: {} };', 'apps/x/src/a.ts': ["throw new MillraceError('USED', 'x');", 'const status = { CHOSEN: 3 };'] } }],
  },
  {
    rule: deadFile,
    broken: [
      {
        about: 'files that nothing reaches, or only a spec, or only each other',
        files: { ...root, 'apps/x/package.json': manifest('@millrace/x', 'layer:app'), 'apps/x/src/main.ts': "import './a.js';", 'apps/x/src/a.ts': '', 'apps/x/src/b.ts': "import './c.js';", 'apps/x/src/c.ts': "import './b.js';", 'apps/x/src/d.ts': '', 'apps/x/src/d.spec.ts': "import './d.js';", 'apps/x/src/e.fixture.ts': '' },
        finds: [['apps/x/src/b.ts:1', 'nothing'], ['apps/x/src/c.ts:1', 'nothing'], ['apps/x/src/d.ts:1', 'only specs'], ['apps/x/src/e.fixture.ts:1', 'nothing']],
      },
      {
        about: 'an export of a package that no program imports',
        files: { ...root, 'libs/core/package.json': manifest('@millrace/core', 'layer:core', { './drift': './src/drift/index.ts' }), 'libs/core/src/drift/index.ts': "export * from './ks.js';", 'libs/core/src/drift/ks.ts': '' },
        finds: [['libs/core/src/drift/index.ts:1', 'nothing'], ['libs/core/src/drift/ks.ts:1', 'nothing']],
      },
    ],
    clean: [
      {
        about: 'reached through packages, commands, scripts, URLs and types',
        files: {
          ...root,
          'libs/core/package.json': manifest('@millrace/core', 'layer:core', { './drift': './src/drift/index.ts' }),
          'libs/core/src/drift/index.ts': "export * from './ks.js';",
          'libs/core/src/drift/ks.ts': "type Row = import('./row.js').Row;",
          'libs/core/src/drift/row.ts': 'export type Row = 1;',
          'apps/x/package.json': manifest('@millrace/x', 'layer:app', {}, { bin: { x: './bin/x.mjs' }, scripts: { prepare: 'node dist/prepare.js && true' } }),
          'apps/x/bin/x.mjs': "await import('../dist/command.js');",
          'apps/x/src/command.ts': ["import '@millrace/core/drift';", "new Worker(new URL('./worker.js', import.meta.url));"],
          'apps/x/src/worker.ts': '',
          'apps/x/src/prepare.ts': '',
          'apps/x/src/foreign.d.ts': '',
        },
      },
      {
        about: 'fixtures of specs, and what a package lends to the specs of others',
        files: { ...root, 'libs/platform/m/package.json': manifest('@millrace/m', 'layer:platform', { './testing': './src/testing/index.ts' }), 'libs/platform/m/src/testing/index.ts': "export * from '../memory.js';", 'libs/platform/m/src/memory.ts': '', 'apps/x/src/a.spec.ts': ["import '@millrace/m/testing';", "import './a.fixture.js';"], 'apps/x/src/a.fixture.ts': '' },
      },
    ],
  },
];
