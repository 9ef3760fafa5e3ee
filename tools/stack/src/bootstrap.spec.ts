/*
 * Goal: what is missing is told all together with the way out; a step runs again exactly when its inputs changed; steps
 * wait for what they need and a failure names what to do; two set-ups at once take turns, and a dead one blocks nobody.
 * Method: machines made of answers instead of the real one; real files and a real dead process for stamps and lock.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { takeLock } from '../../bootstrap/lock.mjs';
import { describeMissing, findMissing, type Probe } from '../../bootstrap/requirements.mjs';
import { describeFailure, runSteps, StepFailed, type Step } from '../../bootstrap/run-steps.mjs';
import { isStamped, removeStamp, stampOf, writeStamp } from '../../bootstrap/stamps.mjs';
import { temporaryFolders } from './temporary-folder.fixture.js';

const makeFolder = temporaryFolders();

const answers: Readonly<Record<string, string>> = {
  'npm --version': '10.8.2', 'java -version': 'openjdk version "17.0.15" 2025-04-15', 'mvn -v': 'Apache Maven 3.8.7',
  'python3 --version': 'Python 3.11.7', 'python3 -c import venv, ensurepip': '',
};

function machine(changes: Partial<Probe> & { without?: readonly string[]; says?: Readonly<Record<string, string>> } = {}): Probe {
  const { without = [], says = {}, ...rest } = changes;
  const run = (program: string, parameters: string[]) => (without.includes(program) ? undefined : { ...answers, ...says }[[program, ...parameters].join(' ')]);
  return { platform: 'linux', arch: 'x64', nodeVersion: '20.20.2', musl: false, run, exists: () => false, ...rest };
}

const whatIsMissing = (probe: Probe, environment = {}) => findMissing(probe, environment).map(({ what }) => what.split(',')[0]);

describe('requirements', () => {
  it('finds nothing missing on the machine of the README', () => {
    expect(findMissing(machine(), {})).toEqual([]);
  });

  it('tells everything at once, each with a way out', () => {
    const bare = machine({ without: ['npm', 'java', 'mvn', 'python3'], nodeVersion: '18.19.0', arch: 's390x' });
    expect(whatIsMissing(bare)).toEqual(['Node 20 or later', 'npm', 'Java 17 or later', 'Maven', 'Python 3.11 or later', 'PostgreSQL']);
    const text = describeMissing(findMissing(bare, {}));
    expect(text).toContain('lacks 6 things; nothing was downloaded');
    for (const wayOut of ['KAFKA_BROKERS', 'DATABASE_URL', 'deploy/compose', 'apt-get install openjdk-17']) expect(text).toContain(wayOut);
  });

  it('wants no Java and no Maven when Kafka exists, no packaged PostgreSQL when one exists', () => {
    const bare = machine({ without: ['java', 'mvn'], musl: true });
    expect(whatIsMissing(bare, { KAFKA_BROKERS: 'there:9092', DATABASE_URL: 'postgresql://there/db' })).toEqual([]);
    expect(whatIsMissing(bare, {})).toEqual(['Java 17 or later', 'Maven', 'PostgreSQL']);
  });

  it.each([['1.8.0_402', '8'], ['11.0.22', '11']])('refuses Java %s', (version, major) => {
    const [missing] = findMissing(machine({ says: { 'java -version': `openjdk version "${version}" 2024` } }), {});
    expect(missing?.found).toBe(`Java ${major}`);
  });

  it('tells an old Python from one without venv', () => {
    expect(findMissing(machine({ says: { 'python3 --version': 'Python 3.9.2' } }), {})[0]?.found).toBe('Python 3.9');
    const withoutVenv = machine({ run: (program, parameters) => (parameters[0] === '-c' ? undefined : answers[[program, ...parameters].join(' ')]) });
    expect(whatIsMissing(withoutVenv)).toEqual(['the venv module of Python 3.11']);
  });
});

describe('stamps', () => {
  it('hold while inputs are the same, and not after a change, a new file or a removal', async () => {
    const folder = await makeFolder();
    const input = join(folder, 'input');
    const later = join(folder, 'later');
    await writeFile(input, 'one');
    const before = stampOf([input, later], ['linux']);
    writeStamp(folder, 'step', before);
    expect(isStamped(folder, 'step', stampOf([input, later], ['linux']))).toBe(true);
    expect(isStamped(folder, 'step', stampOf([input, later], ['darwin']))).toBe(false);
    await writeFile(later, '');
    expect(isStamped(folder, 'step', stampOf([input, later], ['linux']))).toBe(false);
    removeStamp(folder, 'step');
    expect(isStamped(folder, 'step', before)).toBe(false);
  });

  it('tell where one file ends and the next begins', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, 'x'));
    await writeFile(join(folder, 'a'), 'ab');
    await writeFile(join(folder, 'b'), 'c');
    await writeFile(join(folder, 'x', 'a'), 'a');
    await writeFile(join(folder, 'x', 'b'), 'bc');
    expect(stampOf([join(folder, 'a'), join(folder, 'b')])).not.toBe(stampOf([join(folder, 'x', 'a'), join(folder, 'x', 'b')]));
  });
});

function step(name: string, changes: Partial<Step> = {}): Step {
  return { name, title: `title of ${name}`, after: [], hint: `hint for ${name}`, isThere: () => false, make: async () => undefined, ...changes };
}

describe('steps', () => {
  it('run after what they wait for, and skip what is there', async () => {
    const lines: string[] = [];
    const made: string[] = [];
    const remember = (name: string, changes: Partial<Step> = {}) => step(name, { make: async () => void made.push(name), ...changes });
    const steps = [remember('packages'), remember('kafka', { isThere: () => true }), remember('build', { after: ['packages', 'not selected'] })];
    await runSteps(steps, { logs: await makeFolder(), say: (line) => lines.push(line) });
    expect(made).toEqual(['packages', 'build']);
    expect(lines).toContain('[1/3] title of kafka … already there');
    expect(lines.at(-1)).toMatch(/^\[3\/3\] title of build … \d+\.\d s$/);
  });

  it('fail with the end of the log and what to do; what waits for them does not run', async () => {
    const logs = await makeFolder();
    const made: string[] = [];
    const failing = step('packages', {
      make: async (log) => {
        await writeFile(log, Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\n'));
        throw new Error('npm ended with status 1');
      },
    });
    const failure: unknown = await runSteps([failing, step('build', { after: ['packages'], make: async () => void made.push('build') })], { logs, say: () => undefined }).catch((error: unknown) => error);
    if (!(failure instanceof StepFailed)) throw new Error('the step did not fail as a step');
    const text = describeFailure(failure, logs);
    expect(text).toContain('line 10\n');
    expect(text).not.toContain('line 9\n');
    expect(text).toContain('What to do: hint for packages.');
    expect(made).toEqual([]);
  });
});

describe('lock', () => {
  it('is held by one at a time', async () => {
    const path = join(await makeFolder(), 'lock');
    const waited: number[] = [];
    const release = await takeLock(path);
    const second = takeLock(path, { onWait: (pid) => waited.push(pid), intervalMs: 5 });
    const early = await Promise.race([second.then(() => 'taken'), new Promise((resolve) => setImmediate(() => resolve('waiting')))]);
    expect(early).toBe('waiting');
    release();
    (await second)();
    expect(waited).toEqual([process.pid]);
  });

  it('is taken over from a process that died', async () => {
    const path = join(await makeFolder(), 'lock');
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    await writeFile(path, JSON.stringify({ pid: dead.pid, start: '' }));
    (await takeLock(path, { intervalMs: 5 }))();
  });
});
