import { contingencyChiSquare, totalVariation } from '../statistics/index.js';
import type { DriftDetector } from './detector.js';

/** Categories: significance by the two-sample chi-square, size by the total variation distance. */
export const chiSquareDetector: DriftDetector = {
  name: 'chi-square',
  measure: (reference, current, { categoryMin }) => {
    if (reference.kind !== 'category' || current.kind !== 'category' || reference.n === 0 || current.n === 0) return null;
    const withOther = (counts: Readonly<Record<string, number>>, other: number) => (other === 0 ? counts : { ...counts, '\u0000other': other });
    const [a, b] = [withOther(reference.counts, reference.other), withOther(current.counts, current.other)];
    return { detector: 'chi-square', effect: totalVariation(a, b), effectMin: categoryMin, pValue: contingencyChiSquare(a, b).pValue };
  },
};
