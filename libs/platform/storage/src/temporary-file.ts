import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const leftoverAgeMs = 24 * 60 * 60 * 1000; // no put lasts a day; older ones belong to a process that died

/** Writes and syncs a new file with a name of its own. */
export async function writeTemporary(folder: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, randomUUID());
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    return path;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Removes what processes that died in the middle of a put have left. */
export async function removeLeftovers(folder: string, nowMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && nowMs - found.mtimeMs > leftoverAgeMs) await rm(path, { force: true });
  }
}

/** SHA-256 in lower-case hexadecimal of bytes that come in pieces, without holding them in memory. */
export async function hashStream(content: AsyncIterable<Uint8Array>): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

export const hashFile = (path: string): Promise<{ sha256: string; sizeBytes: number }> =>
  hashStream(createReadStream(path, { highWaterMark: 1 << 20 }));
