// Goal: .ci/run adds up what happened, calls nothing a success that is none, and leaves no process behind, however often it is interrupted.
// Method: the real script in small checkouts whose npm scripts only pretend; the expected sums are counted by hand. The
// stages are prometheus, setup, typecheck, lint, tidy, generated, tests, conformance, then the story and the story under fire: ten.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@millrace/testing';

const script = fileURLToPath(new URL('../../../.ci/run', import.meta.url));
const limitMs = 240_000;
const good = { typecheck: 'true', lint: 'true', tidy: 'true', generate: 'true', test: 'echo 5 passed, 0 failed, 2 skipped', 'conformance:ci': 'echo 30 passed, 0 failed, 0 skipped', start: 'echo the story', 'under-fire': 'echo under fire' };
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-ci-run-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
  chmodSync(join(folder, path), mode);
}

/** A committed checkout with these npm scripts; nothing is ever installed, since promtool seems to be there. */
function checkoutWith(scripts: Readonly<Record<string, string>>, setup = "console.log('set up');"): void {
  for (const program of ['promtool', 'prometheus']) write(`programs/${program}`, '#!/bin/sh\n', 0o755);
  write('checkout/package.json', JSON.stringify({ name: 'pretended', private: true, scripts }));
  write('checkout/.gitignore', '.millrace/\n');
  write('checkout/tools/bootstrap/bootstrap.mjs', setup);
  write('checkout/.ci/run', '');
  copyFileSync(script, join(folder, 'checkout/.ci/run'));
  chmodSync(join(folder, 'checkout/.ci/run'), 0o755);
  const git = (...parameters: string[]) => spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...parameters], { cwd: join(folder, 'checkout') });
  for (const parameters of [['init', '-q'], ['add', '.'], ['commit', '-qm', 'all']]) git(...parameters);
}

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${join(folder, 'programs')}:${process.env['PATH']}`, TMPDIR: folder, NODE_OPTIONS: '' });

function run(more: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; sum: string | undefined } {
  const { status, stdout } = spawnSync(join(folder, 'checkout/.ci/run'), { encoding: 'utf8', env: { ...environment(), ...more }, timeout: limitMs });
  return { status, stdout, sum: stdout.trimEnd().split('\n').at(-1) };
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('.ci/run', () => {
  it('adds one per stage to what the tests counted', () => {
    checkoutWith(good);
    const { status, sum, stdout } = run();
    expect(stdout).toContain('the story');
    expect([status, sum]).toEqual([0, '45 passed, 0 failed, 2 skipped']);
  });

  it('goes on after a failure, shows the end of its log, and fails', () => {
    checkoutWith({ ...good, lint: 'echo a.ts:3 is wrong; exit 1' });
    const { status, sum, stdout } = run();
    expect(stdout).toContain('a.ts:3 is wrong');
    expect([status, sum]).toEqual([1, '44 passed, 1 failed, 2 skipped']);
  });

  it('counts failed tests, and tests that did not count themselves, as failures', () => {
    checkoutWith({ ...good, test: 'echo 4 passed, 1 failed, 0 skipped; exit 1' });
    expect(run()).toMatchObject({ status: 1, sum: '43 passed, 2 failed, 0 skipped' });
    checkoutWith({ ...good, test: 'echo all is well' });
    expect(run()).toMatchObject({ status: 1, sum: '40 passed, 1 failed, 0 skipped' });
  });

  it('counts each conformance check, and says why stock clients were left out', () => {
    checkoutWith({ ...good, 'conformance:ci': 'echo 28 passed, 2 failed, 0 skipped; exit 1' });
    expect(run()).toMatchObject({ status: 1, sum: '42 passed, 3 failed, 2 skipped' });
    checkoutWith({ ...good, 'conformance:ci': 'echo stock clients: skipped, no index; echo 27 passed, 0 failed, 1 skipped' });
    expect(run()).toMatchObject({ status: 0, stdout: expect.stringContaining('stock clients: skipped, no index'), sum: '42 passed, 0 failed, 3 skipped' });
    checkoutWith({ ...good, 'conformance:ci': 'true' });
    expect(run()).toMatchObject({ status: 1, sum: '15 passed, 1 failed, 2 skipped' });
  });

  it('does not go on without a set-up', () => {
    checkoutWith(good, "console.log('Java is missing'); process.exit(1);");
    const { status, sum, stdout } = run();
    expect(stdout).toContain('Java is missing');
    expect([status, sum]).toEqual([1, '1 passed, 1 failed, 8 skipped']);
  });

  it('tells the story from what is committed', () => {
    checkoutWith({ ...good, start: `sh -c 'test ! -e unsaved.txt'` });
    write('checkout/unsaved.txt', '');
    expect(run()).toMatchObject({ status: 0, stdout: expect.stringContaining('notice: the story is told from the last commit') });
  });

  it('ends what takes longer than everything may', () => {
    checkoutWith({ ...good, typecheck: 'sleep 1000' });
    const { status, sum, stdout } = run({ MILLRACE_CI_LIMIT_S: '4' });
    expect(stdout).toContain('too slow');
    expect([status, sum]).toEqual([1, expect.stringMatching(/^\d+ passed, [1-9]\d* failed, \d+ skipped$/)]);
  });

  it('stops its children and still adds up when it is interrupted', async () => {
    const pidFile = join(folder, 'pid');
    checkoutWith({ ...good, test: `node -e "require('fs').writeFileSync('${pidFile}', String(process.pid)); console.log('testing'); setInterval(() => {}, 1000)"` });
    const child = spawn(join(folder, 'checkout/.ci/run'), { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (/^testing$/m.test(stdout)) child.kill('SIGTERM');
    });
    const [status] = (await once(child, 'close')) as [number | null];
    expect([status, stdout.trimEnd().split('\n').at(-1)]).toEqual([1, '6 passed, 1 failed, 0 skipped']);
    await eventually('the test process is gone', () => !lives(Number(readFileSync(pidFile, 'utf8'))));
  });
});
