import { focusedTest } from '../rules/focused-test.js';
import { specPlace } from '../rules/spec-place.js';
import { testingPlace } from '../rules/testing-place.js';
import type { Trial } from '../trial.fixture.js';

export const testTrials: readonly Trial[] = [
  {
    rule: focusedTest,
    broken: [
      {
        about: 'every spelling, alone or with each',
        files: { 'libs/core/src/a.spec.ts': ["describe.only('a', () => {", "  it.skip('b', () => {});", "  fit('c', () => {});", "  it.skip.each([1])('d', () => {});", '});', "xdescribe('e', () => {});", 'const focus = it.only;'] },
        finds: [['libs/core/src/a.spec.ts:1', 'describe.only'], ['libs/core/src/a.spec.ts:2', 'it.skip'], ['libs/core/src/a.spec.ts:3', 'fit'], ['libs/core/src/a.spec.ts:4', 'it.skip'], ['libs/core/src/a.spec.ts:6', 'xdescribe'], ['libs/core/src/a.spec.ts:7', 'it.only']],
      },
    ],
    clean: [
      { about: 'skip chosen by what the machine has', files: { 'libs/core/src/a.spec.ts': ['const onPython = hasPython ? describe : describe.skip;', "onPython('a', () => {});"] } },
      { about: 'members of other objects, and fit as a name', files: { 'libs/core/src/a.spec.ts': ['cursor.skip(3);', 'model.fit(rows);', 'const fit = 1;', "it('says .only', () => {});"] } },
    ],
  },
  {
    rule: specPlace,
    broken: [
      {
        about: 'outside src, outside the roots, other endings',
        files: { 'libs/core/test/a.spec.ts': '', 'libs/core/src/b.test.ts': '', 'docs/src/c.spec.ts': '', 'tools/x/src/d.spec.mjs': '', 'apps/x/src/__tests__/e.ts': '' },
        finds: [['apps/x/src/__tests__/e.ts:1', 'jest'], ['docs/src/c.spec.ts:1', 'jest'], ['libs/core/src/b.test.ts:1', 'jest'], ['libs/core/test/a.spec.ts:1', 'jest'], ['tools/x/src/d.spec.mjs:1', 'jest']],
      },
    ],
    clean: [{ about: 'beside the code, at any depth', files: { 'libs/platform/messaging/src/kafka/a.spec.ts': '', 'examples/flights/src/b.spec.ts': '', 'libs/core/src/test.ts': '' } }],
  },
  {
    rule: testingPlace,
    broken: [
      {
        about: 'a service that ships the testing library',
        files: { 'apps/x/src/clock.ts': ["import { seeded } from '@millrace/testing';", "import { memoryDriver } from '@millrace/messaging/testing';"] },
        finds: [['apps/x/src/clock.ts:1', '@millrace/testing'], ['apps/x/src/clock.ts:2', '@millrace/messaging/testing']],
      },
    ],
    clean: [
      {
        about: 'specs, fixtures, testing entries and tools',
        files: Object.fromEntries(['apps/x/src/a.spec.ts', 'apps/x/src/a.fixture.ts', 'libs/platform/messaging/src/testing/index.ts', 'libs/testing/src/index.ts', 'tools/bench/src/main.ts'].map((path) => [path, "import { seeded } from '@millrace/testing';"])),
      },
    ],
  },
];
