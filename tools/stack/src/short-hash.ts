import { createHash } from 'node:crypto';

/** Names a folder by what it stands for, short enough for a path. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
