// Goal: every implementation of storage keeps the same promises: whole or absent, never changed, never damaged bytes.
// Method: one suite; a harness gives a fresh place and a way to damage it behind the store's back. Expected hashes are
// the published SHA-256 test vectors of FIPS 180-2.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Storage } from './index.js';

export interface StorageHarness {
  readonly storage: Storage;
  /** A second opening of the same place, as another process would have it, with an empty cache. */
  another(): Promise<Storage>;
  /** Writes below the store's root without asking the store. */
  overwrite(path: string, bytes: Uint8Array): Promise<void>;
  dispose(): Promise<void>;
}

const abc = { bytes: Buffer.from('abc'), sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' };
const million = { bytes: Buffer.alloc(1_000_000, 'a'), sha256: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0' };
const empty = { bytes: Buffer.alloc(0), sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' };
const absent = 'f'.repeat(64);
const keyOf = (sha256: string): string => `artifacts/sha256/${sha256.slice(0, 2)}/${sha256}`;
const expectBytes = (actual: Buffer, expected: Buffer): void => expect(actual.equals(expected)).toBe(true); // toEqual takes seconds per MB
const withCode = (code: string) => expect.objectContaining({ name: 'MillraceError', code });

async function* inPieces(bytes: Buffer, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes);
}

export function storageConformance(name: string, open: () => Promise<StorageHarness>): void {
  describe(`storage in ${name}`, () => {
    let harness: StorageHarness;
    let storage: Storage;
    let folder: string;
    beforeEach(async () => {
      harness = await open();
      storage = harness.storage;
      folder = await mkdtemp(join(tmpdir(), 'millrace-storage-spec-'));
    });
    afterEach(async () => {
      await harness.dispose();
      await rm(folder, { recursive: true });
    });
    artifacts(() => ({ harness, storage, folder }));
    damage(() => ({ harness, storage, folder }));
    objects(() => ({ harness, storage, folder }));
    conflicts(() => ({ harness, storage, folder }));
  });
}

type Scene = () => { harness: StorageHarness; storage: Storage; folder: string };

function artifacts(scene: Scene): void {
  it.each([['three bytes', abc], ['a million bytes', million], ['nothing', empty]])('keeps %s under the published hash', async (_case, { bytes, sha256 }) => {
    const { artifacts } = scene().storage;
    expect(await artifacts.has(sha256)).toBe(false);
    expect(await artifacts.put(bytes)).toEqual({ sha256, sizeBytes: bytes.length });
    expect(await artifacts.has(sha256)).toBe(true);
    expectBytes(await artifacts.get(sha256), bytes);
    expectBytes(await readFile(await artifacts.localPath(sha256)), bytes);
  });

  it('takes files and streams as well as bytes, once', async () => {
    const { storage, folder } = scene();
    const file = join(folder, 'model.onnx');
    await writeFile(file, million.bytes);
    const stored = { sha256: million.sha256, sizeBytes: 1_000_000 };
    expect(await storage.artifacts.put(inPieces(million.bytes, 65_537))).toEqual(stored);
    expect(await storage.artifacts.put({ file })).toEqual(stored);
    expect(await storage.artifacts.put(million.bytes)).toEqual(stored);
    expectBytes(await readFile(file), million.bytes);
    expectBytes(await storage.artifacts.get(million.sha256), million.bytes);
  });

  it('keeps nothing of a stream that breaks off', async () => {
    const { artifacts } = scene().storage;
    const broken = (async function* () {
      yield abc.bytes;
      throw new Error('the sender went away');
    })();
    await expect(artifacts.put(broken)).rejects.toThrow('the sender went away');
    expect(await artifacts.has(abc.sha256)).toBe(false);
  });

  it('takes concurrent puts of one hash from two processes', async () => {
    const { harness, storage } = scene();
    const other = await harness.another();
    const puts = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? storage : other).artifacts.put(million.bytes));
    for (const stored of await Promise.all(puts)) expect(stored.sha256).toBe(million.sha256);
    expectBytes(await other.artifacts.get(million.sha256), million.bytes);
    await other.close();
  });

  it('says which artifact is missing, and refuses what is no hash', async () => {
    const { artifacts } = scene().storage;
    await expect(artifacts.get(absent)).rejects.toEqual(withCode('ARTIFACT_MISSING'));
    await expect(artifacts.localPath(absent)).rejects.toEqual(withCode('ARTIFACT_MISSING'));
    for (const hash of ['', '../../etc/passwd', abc.sha256.toUpperCase()]) await expect(artifacts.get(hash)).rejects.toEqual(withCode('REQUEST_INVALID'));
  });
}

function damage(scene: Scene): void {
  it.each([0, 499_999, 999_999])('never returns an artifact with a byte flipped at %d', async (at) => {
    const { harness, storage } = scene();
    await storage.artifacts.put(million.bytes);
    const flipped = Buffer.from(million.bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await harness.overwrite(keyOf(million.sha256), flipped);
    await expect(storage.artifacts.get(million.sha256)).rejects.toEqual(withCode('ARTIFACT_CORRUPT'));
    await expect(storage.artifacts.localPath(million.sha256)).rejects.toEqual(withCode('ARTIFACT_CORRUPT'));
    await expect(storage.artifacts.put(million.bytes)).rejects.toEqual(withCode('ARTIFACT_CORRUPT'));
  });

  it('never returns an artifact that was cut short', async () => {
    const { harness, storage } = scene();
    await storage.artifacts.put(abc.bytes);
    await harness.overwrite(keyOf(abc.sha256), Buffer.from('ab'));
    await expect(storage.artifacts.get(abc.sha256)).rejects.toEqual(withCode('ARTIFACT_CORRUPT'));
  });
}

const segments = ['stream=flights/kind=record/partition=0/0-10.parquet', 'stream=flights/kind=record/partition=1/0-7.parquet', 'stream=flights/kind=label/partition=0/0-3.parquet', 'stream=flights2/kind=record/partition=0/0-1.parquet'];

function objects(scene: Scene): void {
  it('keeps named objects and lists them by prefix, in order', async () => {
    const { objects } = scene().storage;
    for (const [index, key] of segments.entries()) await objects.putObject(key, Buffer.alloc(index + 1, key));
    const listed = async (prefix: string): Promise<string[]> => (await objects.list(prefix)).map(({ key }) => key);
    expect(await listed('')).toEqual([...segments].sort());
    expect(await listed('stream=flights/')).toEqual(segments.slice(0, 3).sort());
    expect(await listed('stream=flights/kind=rec')).toEqual(segments.slice(0, 2));
    expect(await listed('stream=flights')).toEqual([...segments].sort());
    expect(await listed('stream=trains/')).toEqual([]);
    expect(await objects.list(segments[3] ?? '')).toEqual([{ key: segments[3], sizeBytes: 4 }]);
    expect(await objects.getObject(segments[2] ?? '')).toEqual(Buffer.alloc(3, segments[2]));
  });

  it('lists more objects than one page of S3 holds', async () => {
    const { objects } = scene().storage;
    const keys = Array.from({ length: 1_003 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (let at = 0; at < keys.length; at += 50) await Promise.all(keys.slice(at, at + 50).map((key) => objects.putObject(key, abc.bytes)));
    expect((await objects.list('many/')).map(({ key }) => key)).toEqual(keys);
  });

  it('gives a local file with the bytes, to another process too', async () => {
    const { harness, storage, folder } = scene();
    const file = join(folder, 'segment');
    await writeFile(file, million.bytes);
    await storage.objects.putFile('a/segment.parquet', file);
    const other = await harness.another();
    const paths = await Promise.all([1, 2, 3].map(() => other.objects.localFile('a/segment.parquet')));
    for (const path of paths) expectBytes(await readFile(path), million.bytes);
    expectBytes(await readFile(await other.objects.localFile('a/segment.parquet')), million.bytes);
    await other.close();
  });

  it('says which object is missing', async () => {
    const { objects } = scene().storage;
    await objects.putObject('a/b', abc.bytes);
    for (const key of ['nothing/here', 'a', 'a/b/c']) {
      await expect(objects.getObject(key)).rejects.toEqual(withCode('OBJECT_MISSING'));
      await expect(objects.localFile(key)).rejects.toEqual(withCode('OBJECT_MISSING'));
      expect(await objects.hasObject(key)).toBe(false);
    }
  });

  it.each(['', '/', '../outside', 'a/../../outside', 'a/./b', '/absolute', 'a//b', 'a/', '.hidden', 'a\\b', 'a\0b', 'é', 'a b', 'x'.repeat(901)])('refuses the key %j', async (key) => {
    const { objects } = scene().storage;
    await expect(objects.putObject(key, abc.bytes)).rejects.toEqual(withCode('OBJECT_KEY_INVALID'));
    await expect(objects.getObject(key)).rejects.toEqual(withCode('OBJECT_KEY_INVALID'));
    await expect(objects.localFile(key)).rejects.toEqual(withCode('OBJECT_KEY_INVALID'));
    if (!['', 'a/'].includes(key)) await expect(objects.list(key)).rejects.toEqual(withCode('OBJECT_KEY_INVALID'));
  });
}

function conflicts(scene: Scene): void {
  it('takes the same bytes under one key again, and refuses others', async () => {
    const { objects } = scene().storage;
    await objects.putObject('k', abc.bytes);
    await objects.putObject('k', abc.bytes);
    await expect(objects.putObject('k', Buffer.from('abd'))).rejects.toEqual(withCode('OBJECT_CONFLICT'));
    await expect(objects.putObject('k', Buffer.from('abcd'))).rejects.toEqual(withCode('OBJECT_CONFLICT'));
    expect(await objects.getObject('k')).toEqual(abc.bytes);
  });

  it('lets exactly one of many racing writers of different bytes win', async () => {
    const { harness, storage } = scene();
    const other = await harness.another();
    const settled = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? storage : other).objects.putObject('k', Buffer.from(`writer ${index}`))));
    const winners = settled.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(winners).toHaveLength(1);
    for (const result of settled) if (result.status === 'rejected') expect(result.reason).toEqual(withCode('OBJECT_CONFLICT'));
    expect((await storage.objects.getObject('k')).toString()).toBe(`writer ${winners[0]}`);
    await other.close();
  });

  it('says that it can be reached', async () => {
    await expect(scene().storage.check()).resolves.toBeUndefined();
  });
}
