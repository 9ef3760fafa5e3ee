import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Larger files are data, not text that someone reads. */
const textLimitBytes = 2_000_000;

/** Every text file that git tracks or would track: a breach shows before it is committed. @throws Error when git cannot list them. */
export function readCheckout(checkout: string): Map<string, string> {
  const { status, stdout, stderr, error } = spawnSync('git', ['ls-files', '-coz', '--exclude-standard'], { cwd: checkout, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`git ls-files failed in ${checkout}: ${error?.message ?? stderr}`);
  const files = new Map<string, string>();
  for (const path of stdout.split('\0')) {
    const text = path === '' ? undefined : readText(join(checkout, path));
    if (text !== undefined) files.set(path, text);
  }
  return files;
}

/** Undefined for what is no text: folders, large files, bytes, and files that are tracked but were just deleted. */
function readText(path: string): string | undefined {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined || !facts.isFile() || facts.size > textLimitBytes) return undefined;
  const bytes = readFileSync(path);
  return bytes.includes(0) ? undefined : bytes.toString('utf8');
}
