import { contingencyChiSquare, totalVariation, type CategoryProfile } from '../statistics/index.js';
import { categoryBound } from './compare/categorical-distribution.js';
import type { DriftDetector } from './detector.js';

/** No producer’s category starts with NUL. */
const rest = '\u0000other';
const frequentShareMin = 0.01;

/**
 * The names that stand for themselves; null: all of both sides. Of a reference with more names than a profile counts
 * only those with 1 % of it do: the 500 counted ones were chosen for their counts, so the rarer of them look more frequent
 * there than they are. When only the window has too many names, which of the new ones it counts depends on what came first.
 */
function namesToCompare(reference: CategoryProfile, current: CategoryProfile): string[] | null {
  if (reference.other > 0) return Object.keys(reference.counts).filter((name) => (reference.counts[name] ?? 0) >= frequentShareMin * reference.n);
  return current.other > 0 ? Object.keys(reference.counts) : null;
}

function cellsOf({ counts, n }: CategoryProfile, names: readonly string[] | null): Readonly<Record<string, number>> {
  if (names === null) return counts;
  const cells = Object.fromEntries(names.map((name) => [name, Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0]));
  return { ...cells, [rest]: n - Object.values(cells).reduce((sum, count) => sum + count, 0) };
}

const countOf = (cells: Readonly<Record<string, number>>, name: string): number => (Object.hasOwn(cells, name) ? (cells[name] ?? 0) : 0);

/** Categories: significance by the two-sample chi-square, size and bound by the total variation distance. */
export const chiSquareDetector: DriftDetector = {
  name: 'chi-square',
  measure: (reference, current, { categoryMin }) => {
    if (reference.kind !== 'category' || current.kind !== 'category' || reference.n === 0 || current.n === 0) return null;
    const names = namesToCompare(reference, current);
    const [a, b] = [cellsOf(reference, names), cellsOf(current, names)];
    const pooled = [...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => ({ name, inReference: countOf(a, name), inCurrent: countOf(b, name) }));
    const lowerBound = (level: number): number => categoryBound(pooled, reference.n, current.n, level, categoryMin).lowerBound;
    return { detector: 'chi-square', effect: totalVariation(a, b), effectMin: categoryMin, pValue: contingencyChiSquare(a, b).pValue, lowerBound };
  },
};
