import { existsSync, readFileSync } from 'node:fs';
import { parseServingFile, type ServingFile } from '@millrace/contracts';

/** The first of these files that exists; nothing is said when none does. @throws MillraceError SPEC_INVALID with every mistake. */
export function readServingFile(paths: readonly string[]): ServingFile {
  const path = paths.find((each) => existsSync(each));
  return path === undefined ? {} : parseServingFile(readFileSync(path, 'utf8'), path);
}
