import { MillraceError, sha256Hex } from '@millrace/contracts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ContentAddressedStore, type ArtifactStore } from './artifact-store.js';
import { FolderObjectStore } from './folder-object-store.js';
import type { ObjectStore } from './object-store.js';
import type { S3Location } from './s3-object-store.js';

export interface Storage {
  /** Under `artifacts/` of the place. */
  readonly artifacts: ArtifactStore;
  /** Under `objects/` of the place: archive segments, where DuckDB or Spark can read them by path. */
  readonly objects: ObjectStore;
  /** For readiness. @throws MillraceError STORAGE_UNAVAILABLE */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface StorageOptions {
  /** Folder for downloads from S3 and for spooling. Default: one per place under the system's temporary folder. */
  readonly cacheFolder?: string;
  /** Default: what the environment, the profile or the machine's role gives. */
  readonly s3Credentials?: S3Location['credentials'];
}

const refuse = (url: string, reason: string): MillraceError =>
  new MillraceError('CONFIG_INVALID', `${JSON.stringify(url)} is no storage place: ${reason}. Write file:///folder or s3://bucket/prefix?region=eu-central-1&endpoint=http://host:port`);

function parseS3(url: string, place: URL, credentials: S3Location['credentials']): S3Location {
  for (const name of place.searchParams.keys()) if (!['endpoint', 'region'].includes(name)) throw refuse(url, `it has no setting ${name}`);
  if (place.username !== '') throw refuse(url, 'credentials belong in the environment');
  if (place.hostname === '') throw refuse(url, 'the bucket is missing');
  const path = decodeURIComponent(place.pathname).replace(/^\/+|\/+$/g, '');
  const endpoint = place.searchParams.get('endpoint');
  return {
    bucket: place.hostname,
    prefix: path === '' ? '' : `${path}/`,
    region: place.searchParams.get('region') ?? 'us-east-1',
    ...(endpoint === null ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

function parsePlace(url: string): URL {
  if (!URL.canParse(url)) throw refuse(url, 'it is no URL');
  const place = new URL(url);
  if (!['file:', 's3:'].includes(place.protocol)) throw refuse(url, `${place.protocol} is not supported`);
  return place;
}

/**
 * Opens the store at `file:///folder` (made when it is not there) or `s3://bucket/prefix?endpoint=…&region=…` (the bucket
 * must exist; it is not contacted before the first call).
 * @throws MillraceError CONFIG_INVALID when the URL is none of these, STORAGE_UNAVAILABLE when the folder cannot be made.
 */
export async function openStorage(url: string, options: StorageOptions = {}): Promise<Storage> {
  const place = parsePlace(url);
  const cache = options.cacheFolder ?? join(tmpdir(), `millrace-storage-${sha256Hex(url).slice(0, 16)}`);
  const openObjects = async (part: string): Promise<ObjectStore> => {
    if (place.protocol === 'file:') return FolderObjectStore.open(join(fileURLToPath(place), part));
    const location = parseS3(url, place, options.s3Credentials);
    const { S3ObjectStore } = await import('./s3-object-store.js'); // its SDK is large; folders do without
    return new S3ObjectStore({ ...location, prefix: `${location.prefix}${part}/` }, join(cache, part));
  };
  const [files, objects] = [await openObjects('artifacts'), await openObjects('objects')];
  return {
    artifacts: new ContentAddressedStore(files, join(cache, 'spool')),
    objects,
    check: () => objects.check(),
    close: async () => void (await Promise.all([files.close(), objects.close()])),
  };
}
