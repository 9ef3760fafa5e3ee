import { posix } from 'node:path';

/** What the name of a file says about its part. Paths are relative to the checkout, with slashes. */

export const isTypeScript = (path: string): boolean => /\.[mc]?ts$/.test(path);
export const isCode = (path: string): boolean => /\.[mc]?[jt]s$/.test(path);
export const isDeclaration = (path: string): boolean => /\.d\.[mc]?ts$/.test(path);
export const isSpec = (path: string): boolean => path.endsWith('.spec.ts');

/** Specs and what exists only for them: fixtures, and the `testing` entries of packages. */
export function supportsTests(path: string): boolean {
  return isSpec(path) || path.endsWith('.fixture.ts') || path.startsWith('libs/testing/') || posix.dirname(path).split('/').includes('testing');
}

/** Written by npm, in its own words. */
export const isLockFile = (path: string): boolean => posix.basename(path) === 'package-lock.json';
