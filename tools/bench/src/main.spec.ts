// Goal: every part that is asked for counts, however it is asked for; what there is not is named, and nothing is measured.
// Method: the built command, asked for parts that there are not among one that there is.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const run = (...words: string[]): Promise<{ code: unknown; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, '../dist/main.js'), ...words], { env: { ...process.env, NODE_OPTIONS: '' } }, (error, _stdout, stderr) => resolve({ code: error?.code ?? 0, stderr }));
  });

describe('npm run bench', () => {
  it('takes --only more than once, and lists', async () => {
    expect(await run('gateway', '--only', 'rumour', '--only', 'memory,hearsay', '--only', 'gossip')).toEqual({ code: 64, stderr: expect.stringContaining('there is no part rumour, hearsay, gossip; the parts are throughput, latency, ') });
  });
});
