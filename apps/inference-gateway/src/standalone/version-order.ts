/** `7`, `1.2.0`, `v3`, `2.0.0-rc.1`. */
const form = /^v?(\d+(?:\.\d+){0,2})(?:-([0-9A-Za-z.-]+))?$/u;

export const isVersion = (name: string): boolean => form.test(name);

function parts(version: string): { numbers: number[]; pre: string | undefined } {
  const [, numbers = '0', pre] = form.exec(version) ?? [];
  return { numbers: numbers.split('.').map(Number), pre };
}

/** Ascending; a pre-release comes before its release, pre-releases by their identifiers, as semver.org §11 orders them. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.pre === undefined || right.pre === undefined) return Number(left.pre === undefined) - Number(right.pre === undefined);
  return comparePreReleases(left.pre.split('.'), right.pre.split('.'));
}

function comparePreReleases(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (left === right) continue;
    const [leftIsNumber, rightIsNumber] = [/^\d+$/u.test(left), /^\d+$/u.test(right)];
    if (leftIsNumber && rightIsNumber) return Number(left) - Number(right);
    if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return 0;
}
