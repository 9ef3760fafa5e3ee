/**
 * Goal: a server that gets ready is told with its address and its exit code, one that ends or never gets ready is told with its last words and gone.
 * Method: programs of a few lines in the place of servers, each with one fault.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.js';
import { launch, type ServerDefinition } from './launch.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-launch-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pidFile = () => join(folder, 'pid');
const lives = (): boolean => {
  try {
    return process.kill(Number(readFileSync(pidFile(), 'utf8')), 0);
  } catch {
    return false;
  }
};

function server(lines: string, readyDeadlineMs = 60_000): ServerDefinition {
  const path = join(folder, 'server.mjs');
  writeFileSync(path, `import { createServer } from 'node:http'; import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(pidFile())}, String(process.pid)); ${lines}`);
  return { name: 'a server', program: process.execPath, parameters: (port) => [path, String(port)], readyPath: '/ready', readyDeadlineMs, log: join(folder, 'logs', 'server.log') };
}

/** Answers 503 twice before it answers 200. */
const honest = `let asked = 0; createServer((request, response) => { response.statusCode = (asked += 1) > 2 && request.url === '/ready' ? 200 : 503; response.end(String(asked)); }).listen(Number(process.argv[2]), '127.0.0.1');`;

describe('launch', () => {
  it('waits until it is ready, and tells how it ended', async () => {
    const running = await launch(server(`${honest} process.on('SIGTERM', () => process.exit(3));`));
    expect((await fetch(`${running.url}/ready`)).status).toBe(200);
    expect(Number(await (await fetch(running.url)).text())).toBeGreaterThan(4);
    expect(running.pid).toBe(Number(readFileSync(pidFile(), 'utf8')));
    expect(await running.stop()).toBe(3);
    expect(lives()).toBe(false);
    expect(await running.stop()).toBe(3);
  });

  it('takes the port that it is told, once more', async () => {
    const first = await launch(server(honest));
    expect(await first.stop('SIGKILL')).toBeNull();
    const second = await launch(server(honest), first.port);
    expect(second.url).toBe(first.url);
    await second.stop();
  });

  it('says the last words of one that ended', async () => {
    await expect(launch(server(`console.log('reading the models'); console.error('no folder of models'); process.exitCode = 64;`))).rejects.toThrow(/a server did not start: it ended with status 64\n[^]*reading the models\nno folder of models/);
  });

  it('ends one that is not ready in time', async () => {
    await expect(launch(server(`console.log('still loading'); setInterval(() => {}, 1000);`, 1_500))).rejects.toThrow(/it was not ready after 1.5 s\n[^]*still loading/);
    await eventually('it is gone', () => !lives());
  });

  it('says that there is no such program', async () => {
    await expect(launch({ ...server(''), program: join(folder, 'no-such-program') })).rejects.toThrow('ENOENT');
  });

  it('hands on neither Node’s options nor supervision', async () => {
    process.env['MILLRACE_SUPERVISED'] = '1';
    const running = await launch(server(`console.log(JSON.stringify([process.env.NODE_OPTIONS, process.env.MILLRACE_SUPERVISED])); ${honest}`));
    delete process.env['MILLRACE_SUPERVISED'];
    await running.stop();
    expect(JSON.parse(readFileSync(join(folder, 'logs', 'server.log'), 'utf8'))).toEqual([null, null]);
  });
});
