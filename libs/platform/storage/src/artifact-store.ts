import { MillraceError, sha256Hex } from '@millrace/contracts';
import { rm } from 'node:fs/promises';
import type { ObjectStore } from './object-store.js';
import { hashFile, writeTemporary } from './temporary-file.js';

export interface StoredArtifact {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Bytes, a file by its path (which stays where it is), or a stream of unknown length. */
export type ArtifactContent = Uint8Array | { readonly file: string } | AsyncIterable<Uint8Array>;

/**
 * Files known by the SHA-256 of their bytes. Nothing is handed out whose bytes do not match it.
 * Any call may throw MillraceError STORAGE_UNAVAILABLE; those that take a hash, REQUEST_INVALID when it is none.
 */
export interface ArtifactStore {
  /** Putting what is there already changes nothing. @throws MillraceError ARTIFACT_CORRUPT when the stored copy is damaged. */
  put(content: ArtifactContent): Promise<StoredArtifact>;
  /** The verified bytes. @throws MillraceError ARTIFACT_MISSING, ARTIFACT_CORRUPT */
  get(sha256: string): Promise<Buffer>;
  has(sha256: string): Promise<boolean>;
  /** A file on this machine, verified just now, to be read only. @throws MillraceError ARTIFACT_MISSING, ARTIFACT_CORRUPT */
  localPath(sha256: string): Promise<string>;
}

function keyOf(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new MillraceError('REQUEST_INVALID', `${JSON.stringify(sha256.slice(0, 100))} is no SHA-256 in lower-case hexadecimal`);
  return `sha256/${sha256.slice(0, 2)}/${sha256}`;
}

const corrupt = (sha256: string): MillraceError =>
  new MillraceError('ARTIFACT_CORRUPT', `artifact ${sha256} is damaged: its stored bytes have another hash. Remove ${keyOf(sha256)} from the artifact store (and from a download cache) and put the original again.`);

function translate(error: unknown, sha256: string): unknown {
  const missing = error instanceof MillraceError && error.code === 'OBJECT_MISSING';
  return missing ? new MillraceError('ARTIFACT_MISSING', `no artifact is stored under SHA-256 ${sha256}`) : error;
}

/** Artifacts as objects named by their hash, in any object store. */
export class ContentAddressedStore implements ArtifactStore {
  /** @param spool folder for streams of unknown hash, until they end. */
  constructor(private readonly objects: ObjectStore, private readonly spool: string) {}

  async put(content: ArtifactContent): Promise<StoredArtifact> {
    if (content instanceof Uint8Array) {
      const sha256 = sha256Hex(content);
      await this.#keep(sha256, () => this.objects.putObject(keyOf(sha256), content));
      return { sha256, sizeBytes: content.length };
    }
    if ('file' in content) return this.#putFile(content.file);
    const spooled = await writeTemporary(this.spool, content);
    try {
      return await this.#putFile(spooled);
    } finally {
      await rm(spooled, { force: true });
    }
  }

  async #putFile(path: string): Promise<StoredArtifact> {
    const stored = await hashFile(path);
    await this.#keep(stored.sha256, () => this.objects.putFile(keyOf(stored.sha256), path));
    return stored;
  }

  async #keep(sha256: string, put: () => Promise<void>): Promise<void> {
    try {
      await put();
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'OBJECT_CONFLICT') throw error;
      throw corrupt(sha256);
    }
  }

  async get(sha256: string): Promise<Buffer> {
    const key = keyOf(sha256);
    const bytes = await this.objects.getObject(key).catch((error: unknown) => {
      throw translate(error, sha256);
    });
    if (sha256Hex(bytes) !== sha256) throw corrupt(sha256);
    return bytes;
  }

  async has(sha256: string): Promise<boolean> {
    return this.objects.hasObject(keyOf(sha256));
  }

  async localPath(sha256: string): Promise<string> {
    const key = keyOf(sha256);
    const path = await this.objects.localFile(key).catch((error: unknown) => {
      throw translate(error, sha256);
    });
    if ((await hashFile(path)).sha256 !== sha256) throw corrupt(sha256);
    return path;
  }
}
