import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function openLog(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, 'a');
}

/** The last lines of a log, read from at most its last 64 KiB. */
export async function tailOf(path: string, lines = 20): Promise<string> {
  const size = await stat(path).then((found) => found.size, () => 0);
  if (size === 0) return '(its log is empty)';
  const length = Math.min(size, 65_536);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    await file.close();
  }
}
