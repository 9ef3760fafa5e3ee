import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface ServerDefinition {
  readonly name: string;
  readonly program: string;
  readonly parameters: (port: number) => readonly string[];
  readonly environment?: (port: number) => Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Answers 200 when it can be asked. */
  readonly readyPath: string;
  readonly readyDeadlineMs?: number;
  /** A file that takes all it prints; what was in it goes. */
  readonly log: string;
}

export interface RunningServer {
  readonly name: string;
  readonly pid: number;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly url: string;
  /** From start to the first ready answer, ms. */
  readonly readyAfterMs: number;
  /** Resolves when it is gone, with its exit code; null when a signal ended it. SIGTERM is followed by SIGKILL after 60 s. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

const readyDeadlineMsDefault = 60_000;
const stopDeadlineMs = 60_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

function stopped(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    const hard = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    child.once('exit', (code) => {
      clearTimeout(hard);
      resolve(code);
    });
    child.kill(signal);
  });
}

function started({ program, parameters, environment, cwd, log }: ServerDefinition, port: number): ChildProcess {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'w');
  // Supervised, it would end with its standard input, which it has none of here; Node's options are those of whoever runs us.
  const { NODE_OPTIONS: _, MILLRACE_SUPERVISED: __, ...own } = process.env;
  const child = spawn(program, [...parameters(port)], { stdio: ['ignore', output, output], env: { ...own, ...environment?.(port) }, ...(cwd === undefined ? {} : { cwd }) });
  closeSync(output);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/**
 * Starts a server as a process of its own on 127.0.0.1, on a free port unless told, and waits until it says that it is ready.
 * However we end, it ends too.
 * @throws Error with the end of its log when it ends first, or is not ready in time; it is then gone.
 */
export async function launch(definition: ServerDefinition, wantedPort?: number): Promise<RunningServer> {
  const { name, readyPath, readyDeadlineMs = readyDeadlineMsDefault, log } = definition;
  const port = wantedPort ?? (await freePort());
  const startedMs = performance.now();
  const child = started(definition, port);
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, signal) => (failure ??= `it ended with ${signal ?? `status ${code}`}`));
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url + readyPath))) {
    if (performance.now() > startedMs + readyDeadlineMs) failure ??= `it was not ready after ${readyDeadlineMs / 1_000} s`;
    if (failure !== undefined) {
      await stopped(child, 'SIGTERM');
      throw new Error(`${name} did not start: ${failure}\n${readFileSync(log, 'utf8').split('\n').slice(-12).join('\n')}`);
    }
    await pause(20);
  }
  if (child.pid === undefined) throw new Error(`${name} has no process id`);
  return { name, pid: child.pid, host: '127.0.0.1', port, url, readyAfterMs: performance.now() - startedMs, stop: (signal = 'SIGTERM') => stopped(child, signal) };
}
