import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { MillraceError } from '@millrace/contracts';
import { commandLineOf, terminate } from './processes.js';
import type { Account } from './postgres-binaries.js';
import { shortHash } from './short-hash.js';

const tokenFile = 'postgres-token';
/** "Fast shutdown": ends sessions and stops; SIGTERM would wait for every client. */
export const stopSignal = 'SIGINT';

/**
 * Where the database keeps its files: in the stack's folder; only when the account that runs it cannot enter that folder
 * (a checkout of root's below /root), under the system's temporary folder. What lies there must belong to this very
 * folder, not to one that stood at the same path before, so both sides carry the same token.
 * @throws MillraceError STACK_FAILED when the temporary folder was cleared while the rest of the stack's data was kept.
 */
export async function placeOfData(folder: string, account: Account | undefined): Promise<string> {
  const home = resolve(folder);
  await mkdir(home, { recursive: true });
  if (account === undefined || (await canEnter(home, account))) return join(home, 'postgres');
  const away = placeAway(home);
  await matchTokens(home, away);
  return away;
}

function placeAway(home: string): string {
  return join(tmpdir(), `millrace-postgres-${shortHash(home)}`);
}

/** Deletes the database's files, wherever they lie, stopping a server that was left on them. */
export async function removePostgresFiles(folder: string): Promise<void> {
  const home = resolve(folder);
  const away = placeAway(home);
  await Promise.all([stopOrphan(join(home, 'postgres')), stopOrphan(away)]);
  for (const path of [join(home, 'postgres'), join(home, tokenFile), away, `${away}.token`]) await rm(path, { recursive: true, force: true });
}

async function canEnter(folder: string, account: Account): Promise<boolean> {
  return promisify(execFile)('test', ['-x', folder], { ...account, cwd: '/' }).then(() => true, () => false);
}

async function matchTokens(home: string, away: string): Promise<void> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => undefined);
  const [here, there] = await Promise.all([read(join(home, tokenFile)), read(`${away}.token`)]);
  if (here !== undefined && here !== there) {
    throw new MillraceError('STACK_FAILED', `the database of this stack was kept in ${away}, which is gone or belongs to another; start with --reset`);
  }
  if (here !== undefined) return;
  // A new stack: what an earlier one at this path left is not its own.
  await stopOrphan(away);
  await rm(away, { recursive: true, force: true });
  const token = randomBytes(16).toString('hex');
  await writeFile(`${away}.token`, token);
  await writeFile(join(home, tokenFile), token);
}

/** A server of this data folder whose ledger entry is gone; its own pid file tells. A pid of something else is left alone. */
export async function stopOrphan(data: string): Promise<void> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const command = await commandLineOf(pid);
  if (command.includes('postgres') && command.includes(data)) await terminate(pid, { signal: stopSignal });
}
