import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pause } from '../pause.js';
import { logFolder } from './places.js';

export interface ServerDefinition {
  readonly name: string;
  readonly program: string;
  readonly parameters: (port: number) => readonly string[];
  readonly environment?: (port: number) => Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Answers 200 when it can be asked. */
  readonly readyPath: string;
  readonly readyDeadlineMs?: number;
}

export interface RunningServer {
  readonly name: string;
  readonly pid: number;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly url: string;
  /** From start to the first ready answer, ms. */
  readonly readyAfterMs: number;
  /** Sends SIGTERM and waits; SIGKILL after 15 s. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function freePort(): Promise<number> {
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

function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const hard = setTimeout(() => child.kill('SIGKILL'), 15_000);
    child.once('exit', () => {
      clearTimeout(hard);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Starts a server, on a free port unless told. @throws Error with the end of its log when it ends or is not ready in time. */
export async function launch(definition: ServerDefinition, wantedPort?: number): Promise<RunningServer> {
  mkdirSync(logFolder, { recursive: true });
  const logPath = join(logFolder, `${definition.name.replaceAll(/[^\w.-]+/gu, '-')}.log`);
  const log = openSync(logPath, 'w');
  const port = wantedPort ?? (await freePort());
  const startedMs = performance.now();
  const child = spawn(definition.program, [...definition.parameters(port)], { stdio: ['ignore', log, log], env: { ...process.env, ...definition.environment?.(port) }, ...(definition.cwd === undefined ? {} : { cwd: definition.cwd }) });
  closeSync(log);
  running.add(child);
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, signal) => {
    running.delete(child);
    failure ??= `it ended with ${signal ?? code}`;
  });
  const url = `http://127.0.0.1:${port}`;
  const deadlineMs = startedMs + (definition.readyDeadlineMs ?? 30_000);
  while (!(await isReady(url + definition.readyPath))) {
    if (performance.now() > deadlineMs) failure ??= 'it did not get ready in time';
    if (failure !== undefined) {
      await stopped(child);
      throw new Error(`${definition.name} did not start: ${failure}\n${readFileSync(logPath, 'utf8').split('\n').slice(-12).join('\n')}`);
    }
    await pause(20);
  }
  if (child.pid === undefined) throw new Error(`${definition.name} has no process id`);
  return { name: definition.name, pid: child.pid, host: '127.0.0.1', port, url, readyAfterMs: performance.now() - startedMs, stop: () => stopped(child) };
}
