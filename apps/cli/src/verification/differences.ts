/** One place where what was recorded and what was made again are not the same. `undefined`: not there. */
export interface Difference {
  readonly path: string;
  readonly recorded: unknown;
  readonly recomputed: unknown;
}

/** A verdict that went wrong early differs everywhere; nobody reads more than this. */
const differencesMax = 50;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Every leaf in which two JSON values differ, in the order of the recorded one, at most 50. */
export function differencesOf(recorded: unknown, recomputed: unknown, path = ''): Difference[] {
  if (recorded === recomputed) return [];
  if (!isObject(recorded) || !isObject(recomputed) || Array.isArray(recorded) !== Array.isArray(recomputed)) return [{ path: path === '' ? '/' : path, recorded, recomputed }];
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(recomputed)])];
  const found: Difference[] = [];
  for (const name of names) {
    found.push(...differencesOf(recorded[name], recomputed[name], `${path}/${name}`));
    if (found.length >= differencesMax) return found.slice(0, differencesMax);
  }
  return found;
}
