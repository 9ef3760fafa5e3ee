import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { places } from './places.mjs';

const watchIntervalMs = 500;
const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** Parent of a process, where the system tells it. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** Calls back once when whoever started us is gone; npm puts a shell between itself and us, so two generations are watched. */
function whenStarterIsGone(callback) {
  const parent = process.ppid;
  const byNpm = process.env.npm_lifecycle_event !== undefined;
  const grandparent = byNpm ? parentOf(parent) : undefined;
  const timer = setInterval(() => {
    if (process.ppid === parent && (grandparent === undefined || parentOf(parent) === grandparent)) return;
    clearInterval(timer);
    callback();
  }, watchIntervalMs);
  timer.unref();
}

/**
 * Runs a script on Node 24 and resolves to the exit code to end with. Signals are passed on once each, and we wait: the
 * child leads its own group, so that Ctrl-C reaches it only through us, and it holds the other end of a pipe, so that it
 * sees when we are gone (MILLRACE_SUPERVISED=1).
 */
export function runOnNode24(script, parameters, environment = {}) {
  return new Promise((resolve) => {
    const PATH = `${places.checkout}/node_modules/.bin:${process.env.PATH}`;
    const child = spawn(places.node, ['--enable-source-maps', script, ...parameters], {
      detached: true,
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { ...process.env, PATH, ...environment, MILLRACE_SUPERVISED: '1' },
    });
    child.stdin.on('error', () => undefined);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    whenStarterIsGone(() => child.kill('SIGTERM'));
    child.once('error', (error) => {
      process.stderr.write(`${places.node} cannot be run: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (numbers[signal] ?? 9)));
  });
}
