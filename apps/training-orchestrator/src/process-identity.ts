import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A process for ever: pids are used again, a pid with its start time is not. `start` is null where /proc does not tell. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  readonly start: string | null;
}

/** Clock ticks since boot at which the process started, after proc(5), field 22; null when there is no such process. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

export async function identityOf(pid: number): Promise<ProcessIdentity> {
  return { host: hostname(), pid, start: await startOf(pid) };
}

/** True only when this very process is known to have ended; on another host, or without /proc, nobody can tell. */
export async function isSurelyDead({ host, pid, start }: ProcessIdentity): Promise<boolean> {
  if (host !== hostname() || start === null) return false;
  return (await startOf(pid)) !== start;
}

/** Kills the process group that this process leads, if it is still that process. */
export async function killGroup(identity: ProcessIdentity): Promise<boolean> {
  if (identity.host !== hostname() || identity.start === null || (await startOf(identity.pid)) !== identity.start) return false;
  try {
    process.kill(-identity.pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

export const ownerText = ({ host, pid, start }: ProcessIdentity, instance: string): string => `${host}|${pid}|${start ?? ''}|${instance}`;

export function identityOfOwner(owner: string): ProcessIdentity | null {
  const [host, pid, start] = owner.split('|');
  if (host === undefined || pid === undefined || !/^\d+$/.test(pid)) return null;
  return { host, pid: Number(pid), start: start === undefined || start === '' ? null : start };
}
