import { contingencyChiSquare, totalVariation, type CategoryProfile } from '../statistics/index.js';
import type { DriftDetector } from './detector.js';

/** No producer’s category starts with NUL. */
const rest = '\u0000other';

/**
 * Both samples over the same cells. When either side could not count all its names, names that the reference does not
 * know are no news of their own: which of them a window happened to count depends on what came first.
 */
function cells(profile: CategoryProfile, reference: CategoryProfile, bounded: boolean): Record<string, number> {
  if (!bounded) return profile.counts;
  const known = Object.entries(profile.counts).filter(([name]) => Object.hasOwn(reference.counts, name));
  const counted = known.reduce((sum, [, count]) => sum + count, 0);
  return { ...Object.fromEntries(known), [rest]: profile.n - counted };
}

/** Categories: significance by the two-sample chi-square, size by the total variation distance. */
export const chiSquareDetector: DriftDetector = {
  name: 'chi-square',
  measure: (reference, current, { categoryMin }) => {
    if (reference.kind !== 'category' || current.kind !== 'category' || reference.n === 0 || current.n === 0) return null;
    const bounded = reference.other > 0 || current.other > 0;
    const [a, b] = [cells(reference, reference, bounded), cells(current, reference, bounded)];
    return { detector: 'chi-square', effect: totalVariation(a, b), effectMin: categoryMin, pValue: contingencyChiSquare(a, b).pValue };
  },
};
