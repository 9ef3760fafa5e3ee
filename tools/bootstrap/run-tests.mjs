import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePortBase, removeStackFolder, startServers, stopOnSignals, terminate } from '@millrace/stack';
import { places } from './places.mjs';

/** Runs on Node 24, started by test.mjs. Counts are read from files, never from what was printed. */

const parameters = process.argv.slice(2);
const tests = join(places.millrace, 'test');
const own = join(tests, `run-${process.pid}`);
const say = (line) => process.stdout.write(`${line}\n`);
/** How long a finished jest may hold on to open handles before that is called a failure. */
const lingerMs = 20_000;
const running = new Set();

/** What runs that were killed left behind goes; those that still run refuse and are let be. */
async function sweep() {
  mkdirSync(tests, { recursive: true });
  for (const name of readdirSync(tests)) await removeStackFolder(join(tests, name)).catch(() => undefined);
}

function start(program, args, environment) {
  const child = spawn(program, args, { cwd: places.checkout, detached: true, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...environment } });
  running.add(child);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(`${program} cannot be run: ${error.message}`);
      resolve({ code: 1 });
    });
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
}

function readCounts(file) {
  try {
    const { passed, failed, skipped, failures = [] } = JSON.parse(readFileSync(file, 'utf8'));
    return { passed, failed, skipped, failures };
  } catch {
    return undefined;
  }
}

/** A runner that wrote no counts, or failed without naming a failed test, counts as one failure itself. */
function judge(name, counts, { code, signal }) {
  if (counts === undefined) {
    say(`${name} ended with ${signal ?? `status ${code}`} before it had counted its tests`);
    return { passed: 0, failed: 1, skipped: 0, failures: [] };
  }
  if (code !== 0 && counts.failed === 0) {
    say(`${name} ended with ${signal ?? `status ${code}`} although no test failed`);
    return { ...counts, failed: 1 };
  }
  return counts;
}

/** Ends jest when it has counted its tests and still does not exit. */
async function killLingering(countsFile, exited) {
  while (!exited.aborted && readCounts(countsFile) === undefined) await pause(500, undefined, { signal: exited }).catch(() => undefined);
  await pause(lingerMs, undefined, { signal: exited }).catch(() => undefined);
  if (exited.aborted) return;
  say(`jest does not exit ${lingerMs / 1000} s after its last test: a test left a connection or timer open`);
  for (const child of running) await terminate(child.pid, { graceMs: 1_000 });
}

async function runJest(environment) {
  const countsFile = join(own, 'jest.json');
  const jest = join(places.checkout, 'node_modules', 'jest', 'bin', 'jest.js');
  const reporter = join(places.checkout, 'tools', 'bootstrap', 'jest-reporter.mjs');
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, `--reporters=${reporter}`, '--maxWorkers=2', ...parameters];
  const exited = new AbortController();
  const lingering = killLingering(countsFile, exited.signal);
  const result = await start(process.execPath, args, { ...environment, MILLRACE_TEST_COUNTS: countsFile });
  exited.abort();
  await lingering;
  return judge('jest', readCounts(countsFile), result);
}

async function runPython() {
  const countsFile = join(own, 'python.json');
  const result = await start(places.python, [join(places.checkout, 'tools', 'bootstrap', 'python_tests.py'), join(places.trainer, 'tests'), countsFile], {});
  return judge('python', readCounts(countsFile), result);
}

await sweep();
mkdirSync(own, { recursive: true });
const startedAt = Date.now();
const servers = await startServers({ portBase: await findFreePortBase(), folder: own, durable: false });
const close = async () => {
  await Promise.all([...running].map((child) => terminate(child.pid, { graceMs: 2_000 })));
  await servers.stop();
  await removeStackFolder(own);
};
stopOnSignals(close);
say(`Kafka ${servers.kafka.brokers} and PostgreSQL are there after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);

const counts = [await runJest({ KAFKA_BROKERS: servers.kafka.brokers, DATABASE_URL: servers.postgres.url })];
if (parameters.length === 0) counts.push(await runPython());
await close();
rmSync(own, { recursive: true, force: true });

const total = (name) => counts.reduce((sum, each) => sum + each[name], 0);
const failures = counts.flatMap((each) => each.failures);
// Once more where a reader looks first: the end.
if (failures.length > 0) say(`\nWhat failed:\n\n${failures.join('\n')}`);
say(`tests took ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
say(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exit(total('failed') === 0 && total('passed') > 0 ? 0 : 1);
