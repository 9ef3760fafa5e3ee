// Goal: the S3 store keeps the promises of storage over the real protocol.
// Method: the conformance suite against a server that speaks S3 over HTTP; damage is done by a second client that does
// not know our rules.
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStorage, type Storage } from './index.js';
import { startS3Server, type S3Server } from './s3-server.fixture.js';
import { storageConformance } from './storage-conformance.fixture.js';

const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
let folder: string;
let server: S3Server;
let raw: S3Client;
let places = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
  server = await startS3Server(join(folder, 'server'), 'archive');
  raw = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, credentials, requestChecksumCalculation: 'WHEN_REQUIRED' });
});

afterAll(async () => {
  raw.destroy();
  await server.close();
  await rm(folder, { recursive: true });
});

const open = (path: string, cacheFolder: string, address = server.endpoint): Promise<Storage> =>
  openStorage(`s3://${path}?endpoint=${encodeURIComponent(address)}&region=us-east-1`, { cacheFolder, s3Credentials: credentials });

storageConformance('S3', async () => {
  places += 1;
  const prefix = `place-${places}`;
  const cache = (name: string): string => join(folder, 'cache', prefix, name);
  const storage = await open(`archive/${prefix}`, cache('first'));
  return {
    storage,
    another: () => open(`archive/${prefix}`, cache('second')),
    overwrite: async (path, bytes) => void (await raw.send(new PutObjectCommand({ Bucket: 'archive', Key: `${prefix}/${path}`, Body: bytes }))),
    dispose: () => storage.close(),
  };
});

describe('S3', () => {
  it('keeps two prefixes of one bucket apart', async () => {
    const [a, b] = await Promise.all([open('archive/team-a', join(folder, 'a')), open('archive/team-ab', join(folder, 'b'))]);
    await a.objects.putObject('k', Buffer.from('a'));
    await b.objects.putObject('k', Buffer.from('b'));
    expect((await a.objects.getObject('k')).toString()).toBe('a');
    expect(await a.objects.list('')).toHaveLength(1);
    await Promise.all([a.close(), b.close()]);
  });

  it('notices a damaged copy in the download cache', async () => {
    const storage = await open('archive/cached', join(folder, 'cached'));
    const { sha256 } = await storage.artifacts.put(Buffer.from('model'));
    await writeFile(await storage.artifacts.localPath(sha256), 'm0del');
    await expect(storage.artifacts.localPath(sha256)).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    expect((await storage.artifacts.get(sha256)).toString()).toBe('model');
    await storage.close();
  });

  it('says so when nobody answers, and when the bucket does not exist', async () => {
    const nobody = await open('archive/x', join(folder, 'x'), 'http://127.0.0.1:1');
    await expect(nobody.objects.getObject('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true });
    await expect(nobody.artifacts.put(Buffer.from('x'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    const noBucket = await open('no-such-bucket/x', join(folder, 'y'));
    await expect(noBucket.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(noBucket.objects.list('')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await Promise.all([nobody.close(), noBucket.close()]);
  });

  it('refuses wrong credentials as unavailable, not as missing', async () => {
    const wrong = await openStorage(`s3://archive/x?endpoint=${server.endpoint}`, { cacheFolder: join(folder, 'z'), s3Credentials: { accessKeyId: 'nobody', secretAccessKey: 'wrong' } });
    await expect(wrong.objects.hasObject('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await wrong.close();
  });
});
