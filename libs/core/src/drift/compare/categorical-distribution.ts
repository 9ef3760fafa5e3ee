import { shareRise, totalVariationNoise } from '../../statistics/index.js';
import { count, percent, underestimate, type CheckFinding, type ComparePolicy } from './finding.js';
import type { PooledValue } from './new-value-check.js';

/** Rows that a category must be expected to have in the smaller sample, to stand for itself (W. G. Cochran, Biometrics 10, 1954). */
const expectedMin = 5;
const cellsMax = 300;

/** A shift of a single category below this many standard errors cannot be certain enough at any level in use. */
const worthTesting = 2.5;
/** Below this many, the noise of the distance needs no exact tail. */
const worthSimulating = 3;

interface Cell {
  readonly name: string;
  readonly a: number;
  readonly b: number;
}

const rest = 'all rare ones';

/** Frequent categories, and one cell for all others: chosen by the counts of both samples together, which chance does not move between them. */
function cellsOf(values: readonly PooledValue[], n: number, m: number): Cell[] {
  const smaller = Math.min(n, m) / (n + m);
  const sorted = values.map(({ name, inReference: a, inCurrent: b }): Cell => ({ name, a, b })).sort((x, y) => y.a + y.b - x.a - x.b || (x.name < y.name ? -1 : 1));
  let kept = sorted.findIndex(({ a, b }) => (a + b) * smaller < expectedMin);
  if (kept < 0) kept = sorted.length;
  kept = Math.min(kept, cellsMax);
  const sum = (cells: readonly Cell[]): Cell => ({ name: cells.length === 1 ? (cells[0]?.name ?? rest) : rest, a: cells.reduce((total, { a }) => total + a, 0), b: cells.reduce((total, { b }) => total + b, 0) });
  if (kept === sorted.length) return sorted;
  const pool = sum(sorted.slice(kept));
  if ((pool.a + pool.b) * smaller >= expectedMin || kept === 0) return [...sorted.slice(0, kept), pool];
  return [...sorted.slice(0, kept - 1), sum(sorted.slice(kept - 1))];
}

interface Shift {
  readonly name: string;
  readonly before: number;
  readonly now: number;
  readonly lowerBound: number;
}

/** The category with the largest lower bound of its shift, by exact intervals at `level` over all categories and both directions. */
function largestShift(cells: readonly Cell[], n: number, m: number, level: number): Shift | null {
  let largest: Shift | null = null;
  const each = level / (2 * (cells.length === 2 ? 1 : cells.length));
  for (const { name, a, b } of cells) {
    const share = (a + b) / (n + m);
    const error = Math.sqrt(share * (1 - share) * (1 / n + 1 / m));
    if (Math.abs(b / m - a / n) <= worthTesting * error) continue;
    const rises = b / m > a / n;
    const { lowerBound } = rises ? shareRise({ hits: a, n }, { hits: b, n: m }, each) : shareRise({ hits: n - a, n }, { hits: m - b, n: m }, each);
    if (largest === null || lowerBound > largest.lowerBound) largest = { name, before: a / n, now: b / m, lowerBound };
  }
  return largest;
}

export interface CategoryBound {
  /** ½ Σ |p̂ − q̂| over the frequent categories and one cell for the rare ones. */
  readonly distance: number;
  readonly lowerBound: number;
  /** The category that moved most, with its shares. */
  readonly moved: string;
}

/**
 * Total variation distance with a bound: the larger of two lower bounds, each at half the level. ½ Σ |p̂ − q̂| minus what
 * chance exceeds sees a change that is spread over many categories; the exact interval of the single category that moved
 * most (no more than the distance) sees one that is not. Of up to three categories the distance is that of the one that
 * moved most, and the second is all that is needed.
 * @param minimumEffect where the bound matters: far from it, it is a cautious estimate.
 */
export function categoryBound(values: readonly PooledValue[], n: number, m: number, level: number, minimumEffect: number): CategoryBound {
  const cells = cellsOf(values, n, m);
  const distance = cells.reduce((sum, { a, b }) => sum + Math.abs(a / n - b / m), 0) / 2;
  const moved = mostMoved(cells, n, m);
  if (cells.length < 2) return { distance, lowerBound: 0, moved };
  const single = cells.length <= 3;
  const shift = largestShift(cells, n, m, single ? level : level / 2);
  const noise = totalVariationNoise(cells.map(({ a, b }) => a + b), n, m);
  const near = distance - minimumEffect > noise.mean + worthSimulating * noise.deviation;
  const spread = distance - noise.quantile(level / 2, near);
  return { distance, lowerBound: single && shift !== null ? shift.lowerBound : Math.max(shift?.lowerBound ?? -Infinity, spread), moved };
}

/** Has the mix of categories changed? */
export function categoricalDistribution(values: readonly PooledValue[], n: number, m: number, level: number, policy: ComparePolicy): CheckFinding {
  const { distance, lowerBound, moved } = categoryBound(values, n, m, level, policy.minimumEffect);
  // Rare ones must not hide in their pool when stability is claimed.
  const whole = values.reduce((sum, { inReference, inCurrent }) => sum + Math.abs(inReference / n - inCurrent / m), 0) / 2;
  const tale = `the mix of categories moved by ${percent(distance)} of the rows, where chance explains ${percent(Math.max(0, distance - lowerBound))} (most: ${moved}; ${count(m)} rows against ${count(n)})`;
  const { minimumEffect } = policy;
  return { reason: 'distribution', effect: distance, lowerBound, upperBound: Math.min(1, whole + underestimate(n, m)), minimumEffect, statistic: distance, threshold: distance - lowerBound + minimumEffect, level, drifted: lowerBound > minimumEffect, tale };
}

function mostMoved(cells: readonly Cell[], n: number, m: number): string {
  const [first] = [...cells].sort((x, y) => Math.abs(y.b / m - y.a / n) - Math.abs(x.b / m - x.a / n));
  return first === undefined ? 'none' : `“${first.name}” ${percent(first.a / n)} → ${percent(first.b / m)}`;
}
