import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import type { TestResult } from './two-sample-ks.js';

export interface ContingencyResult extends TestResult {
  readonly degreesOfFreedom: number;
}

const expectedMin = 5;

/** Pools the cells with too small an expected count, smallest first, until the pool itself is large enough. */
function pooled(pairs: readonly (readonly [number, number])[], totalA: number, totalB: number): [number, number][] {
  const smaller = Math.min(totalA, totalB) / (totalA + totalB);
  const sorted = [...pairs].filter(([x, y]) => x + y > 0).sort((p, q) => p[0] + p[1] - q[0] - q[1]);
  const cells: [number, number][] = [];
  let pool: [number, number] = [0, 0];
  for (const [x, y] of sorted) {
    const needsPool = (x + y) * smaller < expectedMin || (pool[0] + pool[1] > 0 && (pool[0] + pool[1]) * smaller < expectedMin);
    if (needsPool) pool = [pool[0] + x, pool[1] + y];
    else cells.push([x, y]);
  }
  if (pool[0] + pool[1] > 0) cells.push(pool);
  return cells;
}

const countOf = (counts: Readonly<Record<string, number>>, name: string): number => (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0);

/**
 * Pearson’s chi-square of homogeneity for two samples over categories: both rows are random, k − 1 degrees of freedom.
 * Cells with an expected count below 5 are pooled (W. G. Cochran, Biometrics 10, 1954). A category that only one sample
 * has counts like any other.
 * @throws RangeError when a sample is empty.
 */
export function contingencyChiSquare(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): ContingencyResult {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const pairs = [...names].map((name) => [countOf(a, name), countOf(b, name)] as const);
  const totalA = pairs.reduce((sum, [x]) => sum + x, 0);
  const totalB = pairs.reduce((sum, [, y]) => sum + y, 0);
  if (totalA === 0 || totalB === 0) throw new RangeError('an empty sample cannot be compared');
  const cells = pooled(pairs, totalA, totalB);
  let statistic = 0;
  for (const [x, y] of cells) {
    const expectedA = ((x + y) * totalA) / (totalA + totalB);
    const expectedB = ((x + y) * totalB) / (totalA + totalB);
    statistic += (x - expectedA) ** 2 / expectedA + (y - expectedB) ** 2 / expectedB;
  }
  const degreesOfFreedom = cells.length - 1;
  return { statistic, degreesOfFreedom, pValue: degreesOfFreedom === 0 ? 1 : 1 - chiSquareCdf(statistic, degreesOfFreedom) };
}

/** Total variation distance ½ Σ |p − q| between two count tables that are not empty: 0 equal, 1 disjoint. */
export function totalVariation(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): number {
  const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
  const [totalA, totalB] = [total(a), total(b)];
  let distance = 0;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) distance += Math.abs(countOf(a, name) / totalA - countOf(b, name) / totalB);
  return distance / 2;
}
