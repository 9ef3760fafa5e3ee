// Goal: what git would commit is judged, and nothing else.
// Method: a real repository in a temporary folder with a tracked, a new, an ignored, a deleted and a binary file.
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCheckout } from './checkout.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-tidy-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function git(...parameters: string[]): void {
  const { status, stderr } = spawnSync('git', parameters, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

it('reads tracked and new text files', () => {
  git('init', '--quiet');
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, '.gitignore'), 'dist\n');
  writeFileSync(join(folder, 'src', 'größe.ts'), 'tracked');
  writeFileSync(join(folder, 'gone.ts'), 'deleted after it was added');
  git('add', '.');
  rmSync(join(folder, 'gone.ts'));
  writeFileSync(join(folder, 'src', 'new.ts'), 'not yet tracked');
  writeFileSync(join(folder, 'dist'), 'ignored');
  writeFileSync(join(folder, 'model.onnx'), Buffer.from([8, 0, 1]));
  expect(Object.fromEntries(readCheckout(folder))).toEqual({ '.gitignore': 'dist\n', 'src/größe.ts': 'tracked', 'src/new.ts': 'not yet tracked' });
});

it('says so when there is no repository', () => {
  expect(() => readCheckout(folder)).toThrow('git ls-files failed');
});
