import { MillraceError } from '@millrace/contracts';

const part = /^[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*$/;
const keyLengthMax = 900; // S3 allows 1,024 bytes, prefix included

/**
 * Keys are relative paths of parts that mean the same to a file system, to S3 and to Hive-style readers. No part begins
 * with a dot, so no key leaves its store or meets its temporary files.
 * @throws MillraceError OBJECT_KEY_INVALID
 */
export function checkKey(key: string): void {
  if (key.length <= keyLengthMax && key.split('/').every((name) => part.test(name))) return;
  throw new MillraceError('OBJECT_KEY_INVALID', `${JSON.stringify(key.slice(0, 200))} is no object key: 1 to ${keyLengthMax} characters, parts of A-Z a-z 0-9 . _ = + @ , - between slashes, none empty or beginning with a dot`);
}

/** A prefix is the beginning of a key: empty, or up to any character of it. @throws MillraceError OBJECT_KEY_INVALID */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
}
