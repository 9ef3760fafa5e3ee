import {
  GetObjectCommand, HeadBucketCommand, HeadObjectCommand, paginateListObjectsV2, PutObjectCommand, S3Client, S3ServiceException,
} from '@aws-sdk/client-s3';
import { MillraceError, sha256Hex } from '@millrace/contracts';
import { createReadStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { checkKey, checkPrefix } from './object-key.js';
import type { ObjectStore, StoredObject } from './object-store.js';
import { hashFile, hashStream, writeTemporary } from './temporary-file.js';

export interface S3Location {
  readonly bucket: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  readonly region: string;
  /** For servers other than Amazon's; addressed with the bucket in the path. */
  readonly endpoint?: string;
  /** Default: what the environment, the profile or the machine's role gives. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

interface Body {
  readonly bytes: () => Uint8Array | Readable;
  readonly sizeBytes: number;
  readonly sha256: string;
}

const statusOf = (error: unknown): number => (error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0);

/** Objects in a bucket of S3 or of a server that speaks its protocol. */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;

  /** @param cache folder of this machine for downloads; its content may be removed at any time while nothing runs. */
  constructor(private readonly location: S3Location, private readonly cache: string) {
    this.#client = new S3Client({
      region: location.region,
      ...(location.endpoint === undefined ? {} : { endpoint: location.endpoint, forcePathStyle: true }),
      ...(location.credentials === undefined ? {} : { credentials: location.credentials }),
      // Many servers do not know the newer checksum headers; what must be exact here is checked by its own SHA-256.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
    });
  }

  putObject(key: string, bytes: Uint8Array): Promise<void> {
    return this.#put(key, { bytes: () => bytes, sizeBytes: bytes.length, sha256: sha256Hex(bytes) });
  }

  async putFile(key: string, path: string): Promise<void> {
    await this.#put(key, { bytes: () => createReadStream(path), ...(await hashFile(path)) });
  }

  async #put(key: string, body: Body): Promise<void> {
    if (await this.#isStored(key, body)) return;
    try {
      await this.#client.send(new PutObjectCommand({
        ...this.#place(key),
        Body: body.bytes(),
        ContentLength: body.sizeBytes,
        IfNoneMatch: '*', // the server refuses it when another process was faster; servers that ignore it keep the last
      }));
    } catch (error) {
      const lost = [409, 412].includes(statusOf(error));
      if (lost && (await this.#isStored(key, body))) return;
      throw this.#translate(error, key);
    }
  }

  /** Whether exactly these bytes are stored. @throws MillraceError OBJECT_CONFLICT when others are. */
  async #isStored(key: string, body: Body): Promise<boolean> {
    const sizeBytes = await this.#sizeBytes(key);
    if (sizeBytes === null) return false;
    if (sizeBytes === body.sizeBytes && (await hashStream(await this.#open(key))).sha256 === body.sha256) return true;
    throw new MillraceError('OBJECT_CONFLICT', `${key} is stored already with other bytes; objects are never overwritten`);
  }

  /** @throws MillraceError OBJECT_MISSING */
  async #open(key: string): Promise<Readable> {
    try {
      const { Body: body } = await this.#client.send(new GetObjectCommand(this.#place(key)));
      return body instanceof Readable ? body : Readable.from([]);
    } catch (error) {
      throw this.#translate(error, key);
    }
  }

  async getObject(key: string): Promise<Buffer> {
    checkKey(key);
    const parts: Uint8Array[] = [];
    const body: AsyncIterable<Uint8Array> = await this.#open(key);
    try {
      for await (const part of body) parts.push(part);
    } catch (error) {
      throw this.#translate(error, key);
    }
    return Buffer.concat(parts);
  }

  async hasObject(key: string): Promise<boolean> {
    return (await this.#sizeBytes(key)) !== null;
  }

  async #sizeBytes(key: string): Promise<number | null> {
    checkKey(key);
    try {
      return (await this.#client.send(new HeadObjectCommand(this.#place(key)))).ContentLength ?? 0;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw this.#translate(error, key);
    }
  }

  async list(prefix: string): Promise<StoredObject[]> {
    checkPrefix(prefix);
    const found: StoredObject[] = [];
    const { bucket, prefix: root } = this.location;
    try {
      for await (const page of paginateListObjectsV2({ client: this.#client }, { Bucket: bucket, Prefix: root + prefix })) {
        for (const { Key: key, Size: sizeBytes } of page.Contents ?? []) {
          if (key !== undefined) found.push({ key: key.slice(root.length), sizeBytes: sizeBytes ?? 0 });
        }
      }
    } catch (error) {
      throw this.#translate(error, prefix);
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async localFile(key: string): Promise<string> {
    const sizeBytes = await this.#sizeBytes(key);
    if (sizeBytes === null) throw new MillraceError('OBJECT_MISSING', `no object is stored under ${key}`);
    const path = join(this.cache, key);
    const cached = await stat(path).catch(() => null);
    if (cached?.size === sizeBytes) return path; // objects never change, and a download gets its name only when it is whole
    const temporary = await this.#download(key);
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
    return path;
  }

  async #download(key: string): Promise<string> {
    const content = await this.#open(key);
    try {
      return await writeTemporary(join(this.cache, '.temporary'), content);
    } catch (error) {
      throw this.#translate(error, key);
    }
  }

  async check(): Promise<void> {
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.location.bucket }));
    } catch (error) {
      throw this.#translate(error, '');
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  #place(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.location.bucket, Key: this.location.prefix + key };
  }

  #translate(cause: unknown, key: string): MillraceError {
    if (cause instanceof MillraceError) return cause;
    const name = cause instanceof Error ? cause.name : '';
    if (name === 'NoSuchKey') return new MillraceError('OBJECT_MISSING', `no object is stored under ${key}`);
    const { bucket, endpoint } = this.location;
    const reason = cause instanceof Error ? `${name}: ${cause.message}` : String(cause);
    return new MillraceError('STORAGE_UNAVAILABLE', `bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`} cannot be used: ${reason}. Check the address, that the bucket exists, and the credentials.`, { cause });
  }
}
