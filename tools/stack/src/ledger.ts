import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '@millrace/contracts';
import { identityOf, terminate } from './processes.js';
import { waitUntil } from './wait-until.js';

/** One file per process under `<folder>/pids`, so that parts that start at the same time never write the same file. */
export interface LedgerEntry {
  readonly name: string;
  readonly pid: number;
  readonly identity: string;
  readonly stopSignal: NodeJS.Signals;
}

const ownerName = 'owner';
const defaultPatienceMs = 10_000;
const ledgerFolder = (folder: string) => join(folder, 'pids');
const entryPath = (folder: string, name: string) => join(ledgerFolder(folder), `${name}.json`);

export async function writeAtomically(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, text);
  await rename(draft, path);
}

/** Remembers a process, so that the next start can find it should this one be killed. */
export async function recordProcess(folder: string, name: string, pid: number, stopSignal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const identity = await identityOf(pid);
  if (identity === undefined) return;
  await mkdir(ledgerFolder(folder), { recursive: true });
  await writeAtomically(entryPath(folder, name), `${JSON.stringify({ name, pid, identity, stopSignal } satisfies LedgerEntry)}\n`);
}

export async function forgetProcess(folder: string, name: string): Promise<void> {
  await rm(entryPath(folder, name), { force: true });
}

async function readEntry(folder: string, name: string): Promise<LedgerEntry | undefined> {
  const text = await readFile(entryPath(folder, name), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const entry = JSON.parse(text) as Partial<LedgerEntry>;
    if (typeof entry.pid !== 'number' || typeof entry.identity !== 'string') return undefined;
    return { name, pid: entry.pid, identity: entry.identity, stopSignal: entry.stopSignal ?? 'SIGTERM' };
  } catch {
    // Half a file: its writer was killed before the rename existed here; nothing can be known from it.
    return undefined;
  }
}

/** Recorded processes that still run and really are the ones recorded (a pid that was given to a stranger is not). */
export async function livingProcesses(folder: string): Promise<readonly LedgerEntry[]> {
  const files = await readdir(ledgerFolder(folder)).catch(() => []);
  const living: LedgerEntry[] = [];
  for (const file of files.filter((name) => name.endsWith('.json'))) {
    const entry = await readEntry(folder, file.slice(0, -'.json'.length));
    if (entry !== undefined && (await identityOf(entry.pid)) === entry.identity) living.push(entry);
  }
  return living;
}

/** Stops what an earlier run left behind under this name. Returns the pids that were stopped. */
export async function clearLeftover(folder: string, name: string): Promise<readonly number[]> {
  const entry = (await livingProcesses(folder)).find((candidate) => candidate.name === name);
  if (entry !== undefined) await terminate(entry.pid, { signal: entry.stopSignal });
  await forgetProcess(folder, name);
  return entry === undefined ? [] : [entry.pid];
}

export async function ownerOf(folder: string): Promise<LedgerEntry | undefined> {
  return (await livingProcesses(folder)).find(({ name }) => name === ownerName);
}

/**
 * Makes this process the owner of the folder and stops what an earlier owner left: services first, then the servers they use.
 * An owner whose starter was killed needs a moment to notice and stop, hence the patience.
 * @throws MillraceError STACK_RUNNING when the earlier owner still lives.
 */
export async function claimFolder(folder: string, { patienceMs = defaultPatienceMs } = {}): Promise<() => Promise<void>> {
  const isFree = async () => [undefined, process.pid].includes((await ownerOf(folder))?.pid);
  await waitUntil(isFree, { deadlineMs: patienceMs, intervalMs: 100 });
  const owner = await ownerOf(folder);
  if (owner !== undefined && owner.pid !== process.pid) {
    throw new MillraceError('STACK_RUNNING', `process ${owner.pid} already runs a stack in ${folder}; stop it first (Ctrl-C, or kill ${owner.pid})`);
  }
  await recordProcess(folder, ownerName, process.pid);
  const leftovers = (await livingProcesses(folder)).filter(({ name }) => name !== ownerName);
  const servers = new Set(['kafka', 'postgres']);
  for (const group of [leftovers.filter(({ name }) => !servers.has(name)), leftovers.filter(({ name }) => servers.has(name))]) {
    await Promise.all(group.map(({ name }) => clearLeftover(folder, name)));
  }
  return () => forgetProcess(folder, ownerName);
}
