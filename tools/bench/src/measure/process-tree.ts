import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second for everyone (USER_HZ). */
const tickMs = 10;
const pageBytes = 4_096;

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** Its own and that of children that it has buried, ms: nothing is lost when a worker is replaced. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** A line of /proc/<pid>/stat, proc(5); the name in parentheses may hold anything. */
export function parseStat(line: string): ProcessStat {
  const pid = Number(line.slice(0, line.indexOf(' ')));
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const field = (place: number): number => Number(fields[place - 3] ?? 0);
  return { pid, parent: field(4), cpuMs: (field(14) + field(15) + field(16) + field(17)) * tickMs, residentBytes: field(24) * pageBytes };
}

/** The process and all that descend from it. */
export function descendants(root: number, everyone: readonly ProcessStat[]): ProcessStat[] {
  const children = new Map<number, ProcessStat[]>();
  for (const one of everyone) children.set(one.parent, [...(children.get(one.parent) ?? []), one]);
  const self = everyone.filter(({ pid }) => pid === root);
  const found: ProcessStat[] = [];
  for (let generation = self; generation.length > 0; generation = generation.flatMap(({ pid }) => children.get(pid) ?? [])) found.push(...generation);
  return found;
}

function everyProcess(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      try {
        return [parseStat(readFileSync(`/proc/${name}/stat`, 'latin1'))];
      } catch {
        return []; // ended meanwhile
      }
    });
}

export interface TreeUse {
  readonly processes: number;
  readonly cpuMs: number;
  readonly residentMb: number;
  /**
   * The same with the pages of programs and libraries, which the processes share, counted once: every process’s own pages
   * and the largest part of file pages that one of them has. Null where the system does not tell.
   */
  readonly sharedOnceMb: number | null;
}

/** Resident memory of its own and of mapped files, KiB; /proc/<pid>/status. */
export function parseResident(status: string): { readonly ownKb: number; readonly fileKb: number } | null {
  const [own, file] = ['RssAnon', 'RssFile'].map((name) => new RegExp(`^${name}:\\s+(\\d+) kB$`, 'mu').exec(status)?.[1]);
  return own === undefined || file === undefined ? null : { ownKb: Number(own), fileKb: Number(file) };
}

function residentOf(pid: number): ReturnType<typeof parseResident> {
  try {
    return parseResident(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return null;
  }
}

function sharedOnceMb(tree: readonly ProcessStat[]): number | null {
  const parts = tree.map(({ pid }) => residentOf(pid)).filter((part) => part !== null);
  if (parts.length < tree.length) return null;
  return (parts.reduce((sum, { ownKb }) => sum + ownKb, 0) + Math.max(0, ...parts.map(({ fileKb }) => fileKb))) / 1_024;
}

/** What a process and its descendants have used; undefined where there is no /proc. */
export function useOf(root: number): TreeUse | undefined {
  let tree: ProcessStat[];
  try {
    tree = descendants(root, everyProcess());
  } catch {
    return undefined;
  }
  return {
    processes: tree.length,
    cpuMs: tree.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    residentMb: tree.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / 1_048_576,
    sharedOnceMb: sharedOnceMb(tree),
  };
}

/** Processor time of the tree, ms; cheap enough for the edge of a window. */
export function cpuMsOf(root: number): number | undefined {
  try {
    return descendants(root, everyProcess()).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  } catch {
    return undefined;
  }
}
