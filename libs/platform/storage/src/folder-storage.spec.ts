// Goal: the folder store keeps the promises of storage, and also what only a file system can break: crashes between
// writing and naming, names that are both file and folder, a folder that cannot be used.
// Method: the conformance suite, then damage made with plain file calls.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStorage, type Storage } from './index.js';
import { storageConformance } from './storage-conformance.fixture.js';

const place = (): Promise<string> => mkdtemp(join(tmpdir(), 'millrace-folder-'));
const open = (root: string): Promise<Storage> => openStorage(pathToFileURL(root).href, { cacheFolder: join(root, 'cache') });

storageConformance('a folder', async () => {
  const root = await place();
  return {
    storage: await open(root),
    another: () => open(root),
    overwrite: (path, bytes) => writeFile(join(root, path), bytes),
    dispose: () => rm(root, { recursive: true }),
  };
});

describe('a folder', () => {
  let root: string;
  beforeEach(async () => void (root = await place()));
  afterEach(() => rm(root, { recursive: true }));

  it('ignores what a crash left between writing and naming, and clears it a day later', async () => {
    const temporary = join(root, 'objects', '.temporary');
    await mkdir(temporary, { recursive: true });
    await writeFile(join(temporary, 'recent'), 'half a seg');
    await writeFile(join(temporary, 'old'), 'half a seg');
    const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
    await utimes(join(temporary, 'old'), twoDaysAgo, twoDaysAgo);
    const { objects } = await open(root);
    expect(await objects.list('')).toEqual([]);
    expect(await readdir(temporary)).toEqual(['recent']);
    await objects.putObject('segment', Buffer.from('a whole segment'));
    expect(await objects.list('')).toEqual([{ key: 'segment', sizeBytes: 15 }]);
  });

  it('leaves no temporary file behind, whether a put succeeds or fails', async () => {
    const { objects, artifacts } = await open(root);
    await objects.putObject('k', Buffer.from('one'));
    await expect(objects.putObject('k', Buffer.from('two'))).rejects.toMatchObject({ code: 'OBJECT_CONFLICT' });
    await artifacts.put((async function* () { yield Buffer.from('streamed'); })());
    const folders = ['objects/.temporary', 'artifacts/.temporary', 'cache/spool'];
    expect(await Promise.all(folders.map((folder) => readdir(join(root, folder))))).toEqual([[], [], []]);
  });

  it('refuses a key that would be a file and a folder at once', async () => {
    const { objects } = await open(root);
    await objects.putObject('a/b', Buffer.from('x'));
    await expect(objects.putObject('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' });
    await expect(objects.putObject('a/b/c', Buffer.from('x'))).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' });
  });

  it('says so when the folder cannot be used', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(open(join(root, 'file'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true });
    const { objects, check } = await open(join(root, 'gone'));
    await rm(join(root, 'gone'), { recursive: true });
    await expect(check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(objects.getObject('k')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it.each(['', 'flights', '/var/flights', 'ftp://host/x', 'https://bucket.example/x', 's3:///prefix', 's3://key:secret@bucket/x', 's3://bucket/x?regoin=eu'])('refuses the address %j', async (url) => {
    await expect(openStorage(url)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
