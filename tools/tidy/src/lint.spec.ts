// Goal: eslint.config.mjs reports what it is there for, with types, and leaves injected classes of Nest alone.
// Method: ESLint judges snippets under the paths of real files, in a process of its own because it loads its settings as a
// module. Each snippet breaks one rule, named beside it by hand; the clean ones break none.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../..', import.meta.url));
const library = 'libs/platform/storage/src/object-key.ts';
const service = 'apps/ingestion/src/streams.controller.ts';
const program = `
  import { ESLint } from 'eslint';
  const snippets = JSON.parse(process.env.SNIPPETS);
  const eslint = new ESLint({ cwd: process.cwd() });
  const found = [];
  for (const { path, code } of snippets) {
    const [result] = await eslint.lintText(code, { filePath: path });
    found.push(result.messages.map(({ ruleId, message }) => ruleId ?? message));
  }
  process.stdout.write(JSON.stringify(found));
`;

interface Snippet {
  readonly path: string;
  readonly code: string;
  readonly rules: readonly string[];
}

const broken: readonly Snippet[] = [
  { path: library, code: 'export const a = (x: any): string => String(x);', rules: ['@typescript-eslint/no-explicit-any'] },
  { path: library, code: 'export const a = (x?: string): string => x!;', rules: ['@typescript-eslint/no-non-null-assertion'] },
  { path: library, code: 'const go = async (): Promise<void> => {};\nexport function a(): void {\n  go();\n}', rules: ['@typescript-eslint/no-floating-promises'] },
  { path: library, code: 'const go = async (): Promise<boolean> => true;\nexport const a = (): number => (go() ? 1 : 2);', rules: ['@typescript-eslint/no-misused-promises'] },
  { path: library, code: 'export async function a(): Promise<number> {\n  return await 1;\n}', rules: ['@typescript-eslint/await-thenable'] },
  { path: library, code: "import { MillraceError } from '@millrace/contracts';\nexport const a = (error: MillraceError): string => error.message;", rules: ['@typescript-eslint/consistent-type-imports'] },
  { path: library, code: 'export function a(): void {\n  const unused = 1;\n}', rules: ['@typescript-eslint/no-unused-vars'] },
  { path: library, code: 'export const a = (x: number): boolean => x == 1;', rules: ['eqeqeq'] },
  { path: library, code: "console.log('a');\nexport {};", rules: ['no-console'] },
  { path: 'tools/bootstrap/places.mjs', code: 'export const a = (x) => x == 1;', rules: ['eqeqeq'] },
];

const clean: readonly Snippet[] = [
  { path: service, code: "import { Controller } from '@nestjs/common';\nimport { FollowStreamsHandler } from './follow-streams.handler.js';\n@Controller()\nexport class A {\n  constructor(readonly streams: FollowStreamsHandler) {}\n}", rules: [] },
  { path: library, code: 'const go = async (): Promise<void> => {};\nexport function a(): void {\n  void go();\n}', rules: [] },
  { path: 'tools/stack/src/main.ts', code: "console.log('ready');\nexport {};", rules: [] },
  { path: 'apps/ingestion/src/ingestion.spec.ts', code: 'export const a: any = 1;', rules: [] },
];

// With CI=true typescript-eslint reads files from disk once and would judge those instead of the snippets.
function lint(snippets: readonly Snippet[]): readonly string[][] {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: checkout, encoding: 'utf8', timeout: 120_000, env: { ...process.env, NODE_OPTIONS: '', TSESTREE_SINGLE_RUN: 'false', SNIPPETS: JSON.stringify(snippets) } });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as string[][];
}

describe('eslint.config.mjs', () => {
  const snippets = [...broken, ...clean];
  let found: readonly string[][] = [];

  beforeAll(() => {
    found = lint(snippets);
  });

  it.each(snippets.map((snippet, index) => [snippet.rules[0] ?? 'nothing', snippet.path, index, snippet] as const))('finds %s in a snippet under %s', (_rule, _path, index, { rules }) => {
    expect(found[index]).toEqual(rules);
  });
});
