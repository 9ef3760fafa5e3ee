// Goal: what the clients counted is believed, and nothing else is taken for success.
// Method: programs of a few lines in the place of Python, each with one fault.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStockClients } from './stock-clients.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-clients-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(lines: string): string {
  const path = join(folder, 'program.mjs');
  writeFileSync(path, lines);
  return path;
}

const counting = (passed: number, failed: number): string =>
  `import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[process.argv.indexOf('--counts') + 1], JSON.stringify({ passed: ${passed}, failed: ${failed}, skipped: 0 }));`;

describe('stock clients', () => {
  const run = async (lines: string, timeoutMs?: number): Promise<[object, string[]]> => {
    const said: string[] = [];
    return [await runStockClients(process.execPath, program(lines), 'http://127.0.0.1:1', folder, (line) => said.push(line), timeoutMs), said];
  };

  it('are believed when they have counted', async () => {
    expect(await run(counting(58, 0))).toEqual([{ passed: 58, failed: 0, skipped: 0 }, []]);
    expect(await run(`${counting(56, 2)} process.exit(1);`)).toEqual([{ passed: 56, failed: 2, skipped: 0 }, []]);
  });

  it.each([
    ['that ended before they had counted', 'process.exit(0);', 'the stock clients ended with status 0 before they had counted their checks', { passed: 0, failed: 1, skipped: 0 }],
    ['that failed without a failed check', `${counting(58, 0)} process.exit(3);`, 'the stock clients ended with status 3 although no check failed', { passed: 58, failed: 1, skipped: 0 }],
    ['whose counts cannot be read', `${counting(58, 0).replace('passed: 58', 'passed: "58"')}`, 'the stock clients ended with status 0 before they had counted their checks', { passed: 0, failed: 1, skipped: 0 }],
  ])('count as one failure when they are some %s', async (_what, lines, sentence, counts) => {
    expect(await run(lines)).toEqual([counts, [sentence]]);
  });

  it('are ended when they hang', async () => {
    expect(await run('setInterval(() => {}, 1000);', 300)).toEqual([{ passed: 0, failed: 1, skipped: 0 }, ['the stock clients ended with SIGKILL before they had counted their checks']]);
  });

  it('count as one failure when there is no such Python', async () => {
    const said: string[] = [];
    expect(await runStockClients(join(folder, 'python'), 'x.py', 'http://127.0.0.1:1', folder, (line) => said.push(line))).toMatchObject({ failed: 1 });
    expect(said[0]).toContain('ENOENT');
  });
});
