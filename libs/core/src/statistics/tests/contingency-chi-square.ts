import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { fisherExact } from './two-proportion.js';
import type { TestResult } from './test-result.js';

export interface ContingencyResult extends TestResult {
  /** Of the chi-square; 0 when it had nothing to compare. */
  readonly degreesOfFreedom: number;
}

type Cell = readonly [number, number];
type Counts = Readonly<Record<string, number>>;

/** W. G. Cochran, Biometrics 10 (1954). */
const expectedMin = 5;

const sumOf = (cells: readonly Cell[]): Cell => [cells.reduce((sum, [x]) => sum + x, 0), cells.reduce((sum, [, y]) => sum + y, 0)];

/** Own members only: a category may well be called `constructor`. */
const countOf = (counts: Counts, name: string): number => (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0);

function chiSquare(cells: readonly Cell[]): ContingencyResult {
  const [totalA, totalB] = sumOf(cells);
  if (cells.length < 2 || totalA === 0 || totalB === 0) return { statistic: 0, degreesOfFreedom: 0, pValue: 1 };
  let statistic = 0;
  for (const [x, y] of cells) {
    const expectedA = ((x + y) * totalA) / (totalA + totalB);
    const expectedB = ((x + y) * totalB) / (totalA + totalB);
    statistic += (x - expectedA) ** 2 / expectedA + (y - expectedB) ** 2 / expectedB;
  }
  const degreesOfFreedom = cells.length - 1;
  return { statistic, degreesOfFreedom, pValue: 1 - chiSquareCdf(statistic, degreesOfFreedom) };
}

/**
 * Two-sample test of homogeneity over categories: Pearson’s chi-square, both rows random, one degree of freedom less than
 * cells. Cells with an expected count below 5 are pooled among themselves, chosen by their totals, which the null
 * hypothesis does not bear on. Where even the pool stays below 5, it is compared with all others by Fisher’s exact test,
 * the other cells by chi-square, and the smaller p counts twice (Bonferroni): so a new category in a small window is seen
 * against a reference of any size. A category that only one sample has counts like any other.
 * @throws RangeError when a sample is empty.
 */
export function contingencyChiSquare(a: Counts, b: Counts): ContingencyResult {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const cells = names.map((name): Cell => [countOf(a, name), countOf(b, name)]).filter(([x, y]) => x + y > 0);
  const [totalA, totalB] = sumOf(cells);
  if (totalA === 0 || totalB === 0) throw new RangeError('an empty sample cannot be compared');
  const smallerShare = Math.min(totalA, totalB) / (totalA + totalB);
  const isSmall = ([x, y]: Cell): boolean => (x + y) * smallerShare < expectedMin;
  const large = cells.filter((cell) => !isSmall(cell));
  const pool = sumOf(cells.filter(isSmall));
  if (pool[0] + pool[1] === 0) return chiSquare(large);
  if (!isSmall(pool)) return chiSquare([...large, pool]);
  const poolP = fisherExact({ hits: pool[0], n: totalA }, { hits: pool[1], n: totalB });
  const others = chiSquare(large);
  return others.degreesOfFreedom === 0 ? { ...others, pValue: poolP } : { ...others, pValue: Math.min(1, 2 * Math.min(poolP, others.pValue)) };
}

/** Total variation distance ½ Σ |p − q| between two count tables that are not empty: 0 equal, 1 disjoint. */
export function totalVariation(a: Counts, b: Counts): number {
  const total = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
  const [totalA, totalB] = [total(a), total(b)];
  let distance = 0;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) distance += Math.abs(countOf(a, name) / totalA - countOf(b, name) / totalB);
  return distance / 2;
}
