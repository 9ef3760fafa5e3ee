import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Counts } from './report.js';

const limitMs = 180_000;

/** Counts are read from a file, never from what was printed. */
function readCounts(file: string): Counts | undefined {
  try {
    const { passed, failed, skipped } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return typeof passed === 'number' && typeof failed === 'number' && typeof skipped === 'number' ? { passed, failed, skipped } : undefined;
  } catch {
    return undefined;
  }
}

function ended(program: string, parameters: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
    const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const end = (how: string): void => {
      clearTimeout(limit);
      resolve(how);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ?? `status ${String(code)}`));
  });
}

/**
 * Runs the checks of tritonclient and kserve in the Python that has them; what they do is printed as they do it.
 * @param folder where the counts are left
 * @returns their counts; checks that ended without having counted themselves, or badly without naming one, are one failure
 */
export async function runStockClients(python: string, script: string, url: string, folder: string, say: (line: string) => void, timeoutMs = limitMs): Promise<Counts> {
  const file = join(folder, 'clients.json');
  rmSync(file, { force: true });
  const end = await ended(python, [script, '--url', url, '--counts', file], timeoutMs);
  const counts = readCounts(file);
  if (counts === undefined) {
    say(`the stock clients ended with ${end} before they had counted their checks`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  if (end === 'status 0' || counts.failed > 0) return counts;
  say(`the stock clients ended with ${end} although no check failed`);
  return { ...counts, failed: 1 };
}
