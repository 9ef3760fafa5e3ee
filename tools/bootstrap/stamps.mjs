import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256 over what a step is made from. A file that is not there counts too: it appearing later is a change. */
export function stampOf(files, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`fact ${fact}\n`);
  for (const file of files) {
    const bytes = readOrUndefined(file);
    hash.update(bytes === undefined ? 'absent\n' : `file ${bytes.length}\n`).update(bytes ?? '');
  }
  return hash.digest('hex');
}

export function isStamped(folder, step, stamp) {
  return readOrUndefined(join(folder, step))?.toString('utf8').trim() === stamp;
}

export function writeStamp(folder, step, stamp) {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `${step}.${process.pid}.draft`);
  writeFileSync(draft, `${stamp}\n`);
  renameSync(draft, join(folder, step));
}

/** Before a step changes anything: one that is cut short must not count as done. */
export function removeStamp(folder, step) {
  rmSync(join(folder, step), { force: true });
}

function readOrUndefined(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
