import type { Readiness } from '@millrace/service';
import { openStorage, type ObjectStore } from '@millrace/storage';

/** The object store that archive segments live in. */
export const SEGMENT_OBJECTS = Symbol('segment objects');

/** @throws MillraceError CONFIG_INVALID or STORAGE_UNAVAILABLE */
export async function openSegmentObjects(url: string, readiness: Readiness): Promise<ObjectStore> {
  const storage = await openStorage(url);
  readiness.add('storage', async () => {
    await storage.check();
    return true as const;
  });
  return storage.objects;
}
