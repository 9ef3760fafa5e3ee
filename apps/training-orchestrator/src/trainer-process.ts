import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf, type ProcessIdentity } from './process-identity.js';

export interface TrainerCommand {
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
}

export interface TrainerJob {
  readonly folder: string;
  readonly runId: string;
  readonly attempt: number;
  readonly fence: number;
  readonly seed: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly started: (process: ProcessIdentity) => Promise<void>;
  readonly report: (progress: object) => void;
}

export interface TrainerEnd {
  /** As the trainer contract counts: a kill by the system is 137, one by us 143. */
  readonly code: number;
  readonly timedOut: boolean;
  /** The trainer’s own words, at most 1 KB, or the end of its output. */
  readonly reason: string;
  readonly seconds: number;
}

const graceMs = 5_000;
const followEveryMs = 250;
const reasonBytesMax = 1_024;

/** Trainer contract v1 as a local process in a group of its own, so that nothing of it outlives the attempt. */
export async function runTrainer(command: TrainerCommand, job: TrainerJob, now: () => Date): Promise<TrainerEnd> {
  const begun = now().getTime();
  const output = await open(join(job.folder, 'output', 'trainer.log'), 'a');
  const child = spawn(command.executable, [...command.arguments], { cwd: command.cwd, env: environmentOf(command, job, begun), detached: true, stdio: ['ignore', output.fd, output.fd] });
  const ended = endOf(child);
  if (child.pid !== undefined) await job.started(await identityOf(child.pid));
  const stopping = stopOn(child, job);
  const following = setInterval(() => void lastEvent(job.folder).then((event) => event !== undefined && job.report(event), () => undefined), followEveryMs);
  try {
    const { code, failure } = await ended;
    return { code, timedOut: stopping.timedOut(), reason: failure ?? (await reasonIn(job.folder)), seconds: (now().getTime() - begun) / 1000 };
  } finally {
    clearInterval(following);
    stopping.clear();
    signalGroup(child, 'SIGKILL');
    await output.close();
  }
}

function environmentOf(command: TrainerCommand, job: TrainerJob, begunMs: number): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LANG: 'C.UTF-8',
    PYTHONPATH: command.cwd,
    PYTHONHASHSEED: '0',
    PYTHONDONTWRITEBYTECODE: '1',
    OMP_NUM_THREADS: '1',
    SOURCE_DATE_EPOCH: '0',
    MILLRACE_JOB_DIR: job.folder,
    TRAIN_CONTRACT: '1',
    TRAIN_RUN_ID: job.runId,
    TRAIN_ATTEMPT: String(job.attempt),
    TRAIN_FENCE: String(job.fence),
    TRAIN_SEED: String(job.seed),
    TRAIN_DEADLINE: new Date(begunMs + job.timeoutMs).toISOString(),
  };
}

function endOf(child: ChildProcess): Promise<{ code: number; failure?: string }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, failure: `the trainer cannot be started: ${error.message}. Check TRAINER_PYTHON and TRAINER_FOLDER.` }));
    child.once('exit', (code, signal) => resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : signal === 'SIGTERM' ? 143 : 1) }));
  });
}

function stopOn(child: ChildProcess, job: TrainerJob): { timedOut: () => boolean; clear: () => void } {
  let timedOut = false;
  let grace: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child, 'SIGTERM');
    grace ??= setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  };
  const deadline = setTimeout(() => {
    timedOut = true;
    stop();
  }, job.timeoutMs);
  if (job.signal.aborted) stop();
  job.signal.addEventListener('abort', stop, { once: true });
  return {
    timedOut: () => timedOut,
    clear: () => {
      clearTimeout(deadline);
      clearTimeout(grace);
      job.signal.removeEventListener('abort', stop);
    },
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended by itself.
  }
}

async function lastEvent(folder: string): Promise<object | undefined> {
  const lines = (await readFile(join(folder, 'output', 'events.jsonl'), 'utf8')).trimEnd().split('\n');
  for (const line of lines.reverse()) {
    try {
      const event: unknown = JSON.parse(line);
      if (typeof event === 'object' && event !== null && !('type' in event && event.type === 'heartbeat')) return event;
    } catch {
      // The last line may be half written; the one before it is whole.
    }
  }
  return undefined;
}

async function reasonIn(folder: string): Promise<string> {
  const failure = await readFile(join(folder, 'output', 'failure'), 'utf8').catch(() => '');
  if (failure.trim() !== '') return failure.slice(0, reasonBytesMax).trim();
  const log = await readFile(join(folder, 'output', 'trainer.log'), 'utf8').catch(() => '');
  return log.slice(-reasonBytesMax).trim();
}
