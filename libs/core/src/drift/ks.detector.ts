import { ksCriticalDistance, twoSampleKs } from '../statistics/index.js';
import type { DriftDetector } from './detector.js';

/** Numeric features: largest distance between the two distribution functions. Bins can only hide a part of it, so its bound holds. */
export const ksDetector: DriftDetector = {
  name: 'ks',
  measure: (reference, current, { ksMin }) => {
    if (reference.kind !== 'number' || current.kind !== 'number' || reference.n === 0 || current.n === 0) return null;
    const { statistic, pValue } = twoSampleKs(reference, current);
    return { detector: 'ks', effect: statistic, effectMin: ksMin, pValue, lowerBound: (level) => statistic - ksCriticalDistance(reference.n, current.n, level) };
  },
};
