import type { Feature, Features } from '../inference/index.js';

export interface Background {
  readonly rows: readonly Features[];
  /** For people. */
  readonly described: string;
  /** The only row is one of unknown values, because none was given. */
  readonly isUnknown: boolean;
}

/** At most so many rows, evenly spaced over those given; one row of unknown values when none are. */
export function backgroundOf(given: readonly Features[] | undefined, features: readonly Feature[], rowsMax: number): Background {
  const count = given?.length ?? 0;
  if (given === undefined || count === 0) {
    return { rows: [Object.fromEntries(features.map(({ name }) => [name, null]))], described: 'one row in which every feature is unknown (null)', isUnknown: true };
  }
  if (count <= rowsMax) return { rows: given, described: `${count} background row${count === 1 ? '' : 's'}`, isUnknown: false };
  const rows = Array.from({ length: rowsMax }, (_, index) => given[Math.floor((index * count) / rowsMax)] ?? {});
  return { rows, described: `${rowsMax} of ${count} background rows, evenly spaced`, isUnknown: false };
}
