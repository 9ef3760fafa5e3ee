import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Boot-independent start time where the system tells it, so that a pid used again is not taken for the holder. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function lives({ pid, start }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  return startOf(pid) === start;
}

function holderOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A hard link appears with its content or not at all: nobody ever reads half a lock. */
function tryToTake(path) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, start: startOf(process.pid) }));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Waits for its turn; takes over from a holder that died. Returns the function that gives the lock back. */
export async function takeLock(path, { onWait = () => undefined, intervalMs = 200 } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryToTake(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && !lives(holder)) {
      // Moved aside first: of several that see the dead holder only one moves this file. Should a live holder’s lock have
      // slipped in between, it is put back.
      const aside = `${path}.dead.${process.pid}`;
      try {
        renameSync(path, aside);
        const moved = holderOf(aside);
        if (moved !== undefined && lives(moved)) linkSync(aside, path);
      } catch {
        // Another was faster.
      }
      rmSync(aside, { force: true });
      continue;
    }
    if (!told && holder !== undefined) onWait(holder.pid);
    told = true;
    await pause(intervalMs);
  }
  return () => {
    if (holderOf(path)?.pid === process.pid) rmSync(path, { force: true });
  };
}
