import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '@millrace/contracts';

/** Process id and, where the system tells, its start time: ids are reused, pairs are not. */
function identityOf(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A killed process stays in the table as a zombie until its parent has looked; it writes no more.
    return state === 'Z' || state === 'X' ? null : `${pid} ${fields[18] ?? ''}`;
  } catch {
    return `${pid} `;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * One process per spool folder; a lock whose owner was killed is taken over. Answers how to give it back.
 * @throws MillraceError CONFIG_INVALID when a living process holds the folder.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock');
  const own = identityOf(process.pid) ?? String(process.pid);
  const held = read(path);
  if (held !== '' && held !== own && identityOf(Number(held.split(' ')[0])) === held) {
    throw new MillraceError('CONFIG_INVALID', `the spool folder ${folder} belongs to process ${held.split(' ')[0]}, which is running; give each instance its own SPOOL_FOLDER`);
  }
  writeFileSync(path, own);
  return () => {
    if (read(path) === own) rmSync(path, { force: true });
  };
}
