/**
 * Profiles of one feature: fixed bins that come from a reference, so that profiles of partitions, minutes or replicas
 * merge by adding counts, in any order, to the same result. Plain JSON, versioned by `v`.
 */
export interface NumericProfile {
  readonly v: 1;
  readonly kind: 'number';
  /** Ascending. Bin i holds edges[i-1] < x ≤ edges[i]; one more bin holds what is above the last edge. */
  readonly edges: readonly number[];
  readonly counts: number[];
  /** Values seen, nulls not among them. */
  n: number;
  nulls: number;
  sum: number;
  min: number | null;
  max: number | null;
}

export interface CategoryProfile {
  readonly v: 1;
  readonly kind: 'category';
  /** By name. A profile made like a reference counts every name of the reference, from 0 on. */
  readonly counts: Record<string, number>;
  /** Values whose names are not counted: beyond the `categoriesMax` most frequent of a reference, or the first new ones of a window. */
  other: number;
  n: number;
  nulls: number;
}

export type FeatureProfile = NumericProfile | CategoryProfile;

const edgesMax = 128;
const categoriesMax = 500;

/** Bin edges for reference values: each distinct value when there are few, quantiles otherwise. Ascending, distinct. */
export function edgesOf(values: ArrayLike<number>, limit = edgesMax): number[] {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
  const distinct: number[] = [];
  for (const value of sorted) if (distinct[distinct.length - 1] !== value) distinct.push(value);
  if (distinct.length <= limit) return distinct;
  const edges: number[] = [];
  for (let index = 1; index <= limit; index += 1) {
    const edge = sorted[Math.ceil((index * sorted.length) / limit) - 1] ?? 0;
    if (edges[edges.length - 1] !== edge) edges.push(edge);
  }
  return edges;
}

export function emptyNumericProfile(edges: readonly number[]): NumericProfile {
  return { v: 1, kind: 'number', edges, counts: new Array<number>(edges.length + 1).fill(0), n: 0, nulls: 0, sum: 0, min: null, max: null };
}

export function emptyCategoryProfile(): CategoryProfile {
  return { v: 1, kind: 'category', counts: {}, other: 0, n: 0, nulls: 0 };
}

/** A profile of nothing with the bins, or the names, of `reference`, to compare with it later. */
export function emptyLike(reference: FeatureProfile): FeatureProfile {
  if (reference.kind === 'number') return emptyNumericProfile(reference.edges);
  return { ...emptyCategoryProfile(), counts: Object.fromEntries(Object.keys(reference.counts).map((name) => [name, 0])) };
}

/** Index of the first edge that is not below `value`; edges.length when all are. */
function binOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Counts one value in place. null, NaN and values of the other kind count as null: they carry no information on this feature. */
export function observe(profile: FeatureProfile, value: number | string | null): void {
  if (profile.kind === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      profile.nulls += 1;
      return;
    }
    const bin = binOf(profile.edges, value);
    profile.counts[bin] = (profile.counts[bin] ?? 0) + 1;
    profile.n += 1;
    profile.sum += value;
    profile.min = profile.min === null ? value : Math.min(profile.min, value);
    profile.max = profile.max === null ? value : Math.max(profile.max, value);
    return;
  }
  if (value === null || value === '') {
    profile.nulls += 1;
    return;
  }
  const name = String(value);
  profile.n += 1;
  if (Object.hasOwn(profile.counts, name)) profile.counts[name] = (profile.counts[name] ?? 0) + 1;
  else if (profile.other === 0 && countable(profile.counts, name)) profile.counts[name] = 1;
  else profile.other += 1;
}

/** Assigning to `__proto__` would count nothing. */
function countable(counts: Readonly<Record<string, number>>, name: string): boolean {
  return name !== '__proto__' && Object.keys(counts).length < categoriesMax;
}

function mergeNumeric(a: NumericProfile, b: NumericProfile): NumericProfile {
  if (a.edges.length !== b.edges.length || a.edges.some((edge, index) => edge !== b.edges[index])) throw new RangeError('profiles with different bins cannot be merged');
  const bound = (pick: (x: number, y: number) => number, x: number | null, y: number | null): number | null => (x === null ? y : y === null ? x : pick(x, y));
  return {
    ...a,
    counts: a.counts.map((count, index) => count + (b.counts[index] ?? 0)),
    n: a.n + b.n,
    nulls: a.nulls + b.nulls,
    sum: a.sum + b.sum,
    min: bound(Math.min, a.min, b.min),
    max: bound(Math.max, a.max, b.max),
  };
}

/** @throws RangeError when kinds or bins differ. */
export function mergeProfiles(a: FeatureProfile, b: FeatureProfile): FeatureProfile {
  if (a.kind === 'number' && b.kind === 'number') return mergeNumeric(a, b);
  if (a.kind !== 'category' || b.kind !== 'category') throw new RangeError('a numeric and a category profile cannot be merged');
  const counts: Record<string, number> = { ...a.counts };
  let other = a.other + b.other;
  for (const [name, count] of Object.entries(b.counts)) {
    if (Object.hasOwn(counts, name)) counts[name] = (counts[name] ?? 0) + count;
    else if (countable(counts, name)) counts[name] = count;
    else other += count;
  }
  return { v: 1, kind: 'category', counts, other, n: a.n + b.n, nulls: a.nulls + b.nulls };
}

/** The most frequent names, ties in the order of their code units, so that row order does not matter. */
function frequentNames(values: readonly (number | string | null)[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null && value !== '' && value !== '__proto__') counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const byFrequency = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return byFrequency.slice(0, categoriesMax).map(([name]) => name);
}

/** The profile of a reference column, with bins or names of its own. */
export function profileOf(kind: 'number' | 'category', values: readonly (number | string | null)[]): FeatureProfile {
  const profile =
    kind === 'number'
      ? emptyNumericProfile(edgesOf(values.filter((value): value is number => typeof value === 'number')))
      : { ...emptyCategoryProfile(), counts: Object.fromEntries(frequentNames(values).map((name) => [name, 0])) };
  for (const value of values) observe(profile, value);
  return profile;
}
