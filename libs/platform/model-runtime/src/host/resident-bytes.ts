import { readFileSync } from 'node:fs';

const pageBytes = 4096;

/** Resident memory of a process, in bytes; null where the system does not tell (only Linux has /proc) or the process is gone. */
export function residentBytesOf(pid: number): number | null {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
    return Number.isFinite(pages) ? pages * pageBytes : null;
  } catch {
    return null;
  }
}
