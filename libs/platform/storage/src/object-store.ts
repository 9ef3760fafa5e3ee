export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * Named, immutable objects. An object appears whole or not at all, is never changed, and is seen by every process as soon
 * as its put has resolved. Safe for concurrent use by many processes.
 * Any call throws MillraceError OBJECT_KEY_INVALID for a bad key, STORAGE_UNAVAILABLE when the store cannot be reached.
 */
export interface ObjectStore {
  /** Putting the same bytes again changes nothing. @throws MillraceError OBJECT_CONFLICT when other bytes are there. */
  putObject(key: string, bytes: Uint8Array): Promise<void>;
  /** As putObject, from a file of any size up to 5 GB, which stays where it is. */
  putFile(key: string, path: string): Promise<void>;
  /** @throws MillraceError OBJECT_MISSING */
  getObject(key: string): Promise<Buffer>;
  hasObject(key: string): Promise<boolean>;
  /** All objects whose key begins with the prefix, in order of their keys. */
  list(prefix: string): Promise<StoredObject[]>;
  /** A file on this machine with the object's bytes, to be read only; downloaded where needed. @throws MillraceError OBJECT_MISSING */
  localFile(key: string): Promise<string>;
  /** For readiness: resolves when the store can be reached. @throws MillraceError STORAGE_UNAVAILABLE */
  check(): Promise<void>;
  /** Ends connections. */
  close(): Promise<void>;
}
