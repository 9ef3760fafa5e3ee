/*
 * Goal: a supervised process that is killed comes back; one that will not stop is killed, with what it started; nothing
 * outlives the supervisor, however it goes; and a new start never kills a stranger that got a recorded pid.
 * Method: real Node processes that behave badly; their state is read from the system, and every wait is for a state.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { claimFolder, livingProcesses, recordProcess } from './ledger.js';
import { identityOf } from './processes.js';
import { Supervisor, type SupervisorEvent } from './supervise.js';
import { temporaryFolders } from './temporary-folder.fixture.js';
import { waitUntil } from './wait-until.js';

const deadline = { deadlineMs: 20_000, intervalMs: 20 };
const makeFolder = temporaryFolders();
const supervisors: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.stopAll();
});

async function script(folder: string, name: string, code: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, code);
  return path;
}

/** Says "up" in its log when its handlers are in place. */
const idle = `setInterval(() => {}, 1e6); process.on('SIGTERM', () => process.exit(0)); console.log('up');`;
const stubborn = `import { spawn } from 'node:child_process';
const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6); console.log("grandchild up")'], { stdio: ['ignore', 'inherit', 'inherit'] });
process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('grandchild ' + child.pid); console.log('up');`;

function supervise(folder: string, events: SupervisorEvent[] = []): Supervisor {
  const supervisor = new Supervisor({ folder, onEvent: (event) => events.push(event), backOff: { firstMs: 10, longestMs: 40, calmMs: 60_000 }, stopGraceMs: 300 });
  supervisors.push(supervisor);
  return supervisor;
}

async function logHolds(supervisor: Supervisor, name: string, text: string): Promise<boolean> {
  return waitUntil(async () => (await readFile(supervisor.logOf(name), 'utf8')).includes(text), deadline);
}

const isGone = (pid: number) => waitUntil(async () => (await identityOf(pid)) === undefined, deadline);

describe('supervisor', () => {
  it('starts a killed process again, counts it and appends to the same log', async () => {
    const folder = await makeFolder();
    const events: SupervisorEvent[] = [];
    const supervisor = supervise(folder, events);
    const first = await supervisor.start({ name: 'idle', script: await script(folder, 'idle.mjs', idle), environment: {} });
    expect(await logHolds(supervisor, 'idle', 'up')).toBe(true);
    process.kill(first ?? 0, 'SIGKILL');
    expect(await logHolds(supervisor, 'idle', 'up\nup')).toBe(true);
    expect(supervisor.pidOf('idle')).not.toBe(first);
    expect(supervisor.restartsOf('idle')).toBe(1);
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'exited', 'started']);
    expect(events[1]).toMatchObject({ pid: first, signal: 'SIGKILL', restartInMs: 10 });
  });

  it('kills a process that ignores SIGTERM, and what that one started', async () => {
    const folder = await makeFolder();
    const events: SupervisorEvent[] = [];
    const supervisor = supervise(folder, events);
    const pid = await supervisor.start({ name: 'stubborn', script: await script(folder, 'stubborn.mjs', stubborn), environment: {} });
    expect(await logHolds(supervisor, 'stubborn', 'grandchild up')).toBe(true);
    const grandchild = Number(/grandchild (\d+)/.exec(await readFile(supervisor.logOf('stubborn'), 'utf8'))?.[1]);
    expect(await identityOf(grandchild)).toBeDefined();
    await supervisor.stopAll();
    expect(events).toContainEqual({ kind: 'forced', name: 'stubborn', pid });
    expect(await isGone(pid ?? 0)).toBe(true);
    expect(await isGone(grandchild)).toBe(true);
    expect(await livingProcesses(folder)).toEqual([]);
  });

  it('lets children see that their supervisor was killed', async () => {
    const folder = await makeFolder();
    const child = await script(folder, 'child.mjs', `process.stdin.on('end', () => process.exit(0)).resume(); console.log(process.env.MILLRACE_SUPERVISED + ' up');`);
    // The least that a supervisor is: a process that holds the other end of its child’s standard input.
    const holder = spawn(process.execPath, ['-e', `const c = require('child_process').spawn(process.execPath, ['${child}'], { detached: true, stdio: ['pipe', 'inherit', 'inherit'], env: { ...process.env, MILLRACE_SUPERVISED: '1' } }); console.log('pid ' + c.pid); setInterval(() => {}, 1e6);`], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    holder.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(await waitUntil(() => said.includes('1 up') && said.includes('pid '), deadline)).toBe(true);
    const pid = Number(/pid (\d+)/.exec(said)?.[1]);
    holder.kill('SIGKILL');
    expect(await isGone(pid)).toBe(true);
  });

  it('stops what a killed supervisor left behind', async () => {
    const folder = await makeFolder();
    const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { detached: true, stdio: 'ignore' });
    await recordProcess(folder, 'ingestion', orphan.pid ?? 0);
    const release = await claimFolder(folder);
    expect(await isGone(orphan.pid ?? 0)).toBe(true);
    expect((await livingProcesses(folder)).map(({ name }) => name)).toEqual(['owner']);
    await release();
  });

  it('leaves a stranger alone that was given a recorded pid', async () => {
    const folder = await makeFolder();
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
    try {
      await mkdir(join(folder, 'pids'));
      await writeFile(join(folder, 'pids', 'ingestion.json'), JSON.stringify({ name: 'ingestion', pid: stranger.pid, identity: 'another boot:12345', stopSignal: 'SIGTERM' }));
      await (await claimFolder(folder))();
      expect(await identityOf(stranger.pid ?? 0)).toBeDefined();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('refuses a folder whose owner lives', async () => {
    const folder = await makeFolder();
    const owner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
    try {
      await recordProcess(folder, 'owner', owner.pid ?? 0);
      await expect(claimFolder(folder, { patienceMs: 0 })).rejects.toMatchObject({ code: 'STACK_RUNNING', message: expect.stringContaining(String(owner.pid)) });
    } finally {
      owner.kill('SIGKILL');
    }
  });
});
