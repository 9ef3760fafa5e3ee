import { coreFolders } from '../rules/core-folders.js';
import { coreImports } from '../rules/core-imports.js';
import { corePurity } from '../rules/core-purity.js';
import type { Trial } from '../trial.fixture.js';

const impure = ['Date.now()', 'new Date()', 'Date()', 'performance.now()', 'Math.random()', 'setTimeout(go, 1)', 'process.env', 'crypto.randomUUID()', 'console.log(1)', 'fetch(url)'];

export const coreTrials: readonly Trial[] = [
  {
    rule: corePurity,
    broken: [
      {
        about: 'clock, chance, environment, timers, output',
        files: { 'libs/core/src/drift/a.ts': impure.map((expression, index) => `export const x${index} = ${expression};`) },
        finds: ['Date.now', 'new Date()', 'Date()', 'performance.now', 'Math.random', 'setTimeout()', 'process.env', 'crypto.randomUUID', 'console.log', 'fetch()'].map((word, index) => [`libs/core/src/drift/a.ts:${index + 1}`, word] as const),
      },
    ],
    clean: [
      { about: 'a time that was handed in, and other mathematics', files: { 'libs/core/src/drift/a.ts': ['export const day = (ms: number) => new Date(ms).toISOString();', 'export const e = Math.exp(1);', '// Date.now() in a comment'] } },
      { about: 'a variable of the field called performance', files: { 'libs/core/src/drift/a.ts': 'export const f = (performance: { reason: string }) => performance.reason;' } },
      { about: 'the same outside core, and in its specs', files: { 'apps/x/src/a.ts': 'Date.now();', 'libs/core/src/drift/a.spec.ts': 'Math.random();' } },
    ],
  },
  {
    rule: coreImports,
    broken: [
      {
        about: 'built-in modules, platform, other packages, in every form',
        files: { 'libs/core/src/drift/a.ts': ["import { createHash } from 'node:crypto';", "export * from '@millrace/messaging';", "const lodash = await import('lodash');", "type Client = import('pg').Client;"] },
        finds: [['libs/core/src/drift/a.ts:1', 'node:crypto'], ['libs/core/src/drift/a.ts:2', '@millrace/messaging'], ['libs/core/src/drift/a.ts:3', 'lodash'], ['libs/core/src/drift/a.ts:4', 'pg']],
      },
    ],
    clean: [
      {
        about: 'contracts, core, stdlib, typebox; specs what they like',
        files: {
          'libs/core/src/drift/a.ts': ["import { canonicalJson } from '@millrace/contracts';", "import { ks } from '@millrace/core/statistics';", "import cdf from '@stdlib/stats-base-dists-normal-cdf';", "import { Type } from '@sinclair/typebox';", "import { b } from './b.js';"],
          'libs/core/src/drift/a.spec.ts': "import fc from 'fast-check';",
        },
      },
    ],
  },
  {
    rule: coreFolders,
    broken: [
      {
        about: 'a circle of three folders',
        files: { 'libs/core/src/a/x.ts': "import '../b/x.js';", 'libs/core/src/b/x.ts': ['', "import '../c/x.js';"], 'libs/core/src/c/x.ts': "import '../a/x.js';" },
        finds: [['libs/core/src/c/x.ts:1', 'a → b → c → a']],
      },
    ],
    clean: [
      { about: 'one direction, two ways', files: { 'libs/core/src/a/x.ts': ["import '../b/x.js';", "import '../c/x.js';", "import './y.js';"], 'libs/core/src/a/y.ts': "import './x.js';", 'libs/core/src/b/x.ts': "import '../c/x.js';", 'libs/core/src/c/x.ts': '' } },
      { about: 'a spec that looks back', files: { 'libs/core/src/a/x.ts': "import '../b/x.js';", 'libs/core/src/b/x.ts': '', 'libs/core/src/b/x.spec.ts': "import '../a/x.js';" } },
    ],
  },
];
