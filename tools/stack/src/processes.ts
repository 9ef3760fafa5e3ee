import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { waitUntil } from './wait-until.js';

/** Boot, start time: a pid is used again some day, the pair is not. `undefined`: no such process, or a zombie. */
export async function identityOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return linuxIdentity(pid);
  const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim() === '' ? undefined : stdout.trim();
}

async function linuxIdentity(pid: number): Promise<string | undefined> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
  ]);
  if (stat === undefined) return undefined;
  // The name in field 2 may hold spaces and brackets; after its last bracket come field 3 (state) and on; field 22 is the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${boot.trim()}:${fields[19] ?? ''}`;
}

export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const bytes = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return bytes.replaceAll('\0', ' ').trim();
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim();
}

/** Resident memory in MiB; 0 when the process is gone or the platform does not tell. */
export async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return kib === undefined ? 0 : Math.round(Number(kib) / 1024);
}

/** Signals a process and what it started (its group); quietly when it is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // No such group: a process that leads no group is signalled alone. No such process: nothing is left to do.
    }
  }
}

/** Asks, waits at most `graceMs`, then forces. Returns whether force was needed. */
export async function terminate(pid: number, { signal = 'SIGTERM', graceMs = 10_000 }: { signal?: NodeJS.Signals; graceMs?: number } = {}): Promise<boolean> {
  const identity = await identityOf(pid);
  if (identity === undefined) return false;
  const gone = async () => (await identityOf(pid)) !== identity;
  signalGroup(pid, signal);
  if (await waitUntil(gone, { deadlineMs: graceMs, intervalMs: 20 })) return false;
  signalGroup(pid, 'SIGKILL');
  await waitUntil(gone, { deadlineMs: 5_000, intervalMs: 20 });
  return true;
}

const endings = new Map<number, NodeJS.Signals>();

/**
 * Children lead their own groups (so that Ctrl-C reaches only us and the order of stopping is ours); should this process
 * exit without having stopped them, they get `signal` on its way out. Only SIGKILL of this process gets around it.
 */
export function endWithThisProcess(pid: number, signal: NodeJS.Signals): () => void {
  if (endings.size === 0) process.once('exit', endAll);
  endings.set(pid, signal);
  return () => {
    endings.delete(pid);
    if (endings.size === 0) process.off('exit', endAll);
  };
}

function endAll(): void {
  for (const [pid, signal] of endings) signalGroup(pid, signal);
}
