import { MillraceError } from '@millrace/contracts';
import { createReadStream } from 'node:fs';
import { access, constants, link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkKey, checkPrefix } from './object-key.js';
import type { ObjectStore, StoredObject } from './object-store.js';
import { hashFile, removeLeftovers, writeTemporary } from './temporary-file.js';

const codeOf = (error: unknown): string => (typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '');
const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error));

/** An error that is ours already passes; anything else from the file system means that the store is out of reach. */
function unavailable(cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('STORAGE_UNAVAILABLE', `the storage folder cannot be used: ${String(cause)}. Check that it exists, is writable and has room.`, { cause });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Objects as files under one folder of a local or shared file system that knows hard links. */
export class FolderObjectStore implements ObjectStore {
  private constructor(private readonly root: string, private readonly temporary: string) {}

  /** Makes the folder when it is not there, and clears what crashed puts have left in it a day ago or earlier. */
  static async open(root: string): Promise<FolderObjectStore> {
    const temporary = join(root, '.temporary');
    try {
      await mkdir(temporary, { recursive: true });
      await removeLeftovers(temporary, Date.now());
    } catch (error) {
      throw unavailable(error);
    }
    return new FolderObjectStore(root, temporary);
  }

  putObject(key: string, bytes: Uint8Array): Promise<void> {
    return this.#put(key, () => writeTemporary(this.temporary, bytes));
  }

  putFile(key: string, path: string): Promise<void> {
    return this.#put(key, () => writeTemporary(this.temporary, createReadStream(path)));
  }

  async #put(key: string, write: () => Promise<string>): Promise<void> {
    checkKey(key);
    const path = join(this.root, key);
    try {
      const temporary = await write();
      try {
        await this.#publish(key, temporary, path);
      } finally {
        await rm(temporary, { force: true });
      }
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Gives the whole file its name. Unlike a rename, a link never replaces what another process put there first. */
  async #publish(key: string, temporary: string, path: string): Promise<void> {
    try {
      await mkdir(dirname(path), { recursive: true });
      await link(temporary, path);
      await syncFolder(dirname(path));
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR' || (codeOf(error) === 'EEXIST' && !(await this.hasObject(key)))) {
        throw new MillraceError('OBJECT_KEY_INVALID', `${key} and another object's key cannot both be: one is a folder of the other`);
      }
      if (codeOf(error) !== 'EEXIST') throw error;
      const [ours, theirs] = await Promise.all([hashFile(temporary), hashFile(path)]);
      if (ours.sha256 !== theirs.sha256) throw new MillraceError('OBJECT_CONFLICT', `${key} is stored already with other bytes; objects are never overwritten`);
    }
  }

  async getObject(key: string): Promise<Buffer> {
    checkKey(key);
    try {
      return await readFile(join(this.root, key));
    } catch (error) {
      if (isAbsent(error)) throw new MillraceError('OBJECT_MISSING', `no object is stored under ${key}`);
      throw unavailable(error);
    }
  }

  async hasObject(key: string): Promise<boolean> {
    checkKey(key);
    try {
      return (await stat(join(this.root, key))).isFile();
    } catch (error) {
      if (isAbsent(error)) return false;
      throw unavailable(error);
    }
  }

  async list(prefix: string): Promise<StoredObject[]> {
    checkPrefix(prefix);
    const found: StoredObject[] = [];
    await this.#walk(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, found);
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async #walk(folder: string, prefix: string, found: StoredObject[]): Promise<void> {
    try {
      for (const entry of await readdir(join(this.root, folder), { withFileTypes: true })) {
        const key = folder + entry.name;
        if (entry.name.startsWith('.')) continue;
        if (entry.isDirectory()) {
          if (key.startsWith(prefix) || prefix.startsWith(`${key}/`)) await this.#walk(`${key}/`, prefix, found);
        } else if (key.startsWith(prefix)) found.push({ key, sizeBytes: (await stat(join(this.root, key))).size });
      }
    } catch (error) {
      if (!isAbsent(error)) throw unavailable(error);
    }
  }

  async localFile(key: string): Promise<string> {
    if (!(await this.hasObject(key))) throw new MillraceError('OBJECT_MISSING', `no object is stored under ${key}`);
    return join(this.root, key);
  }

  async check(): Promise<void> {
    await access(this.temporary, constants.W_OK).catch((error: unknown) => {
      throw unavailable(error);
    });
  }

  async close(): Promise<void> {}
}
