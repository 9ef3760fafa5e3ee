import { twoProportion } from '../statistics/index.js';
import type { DriftDetector } from './detector.js';

/** Any feature: does it go missing more, or less, than it did? */
export const nullShareDetector: DriftDetector = {
  name: 'null-share',
  measure: (reference, current, { nullShareMin }) => {
    const a = { hits: reference.nulls, n: reference.n + reference.nulls };
    const b = { hits: current.nulls, n: current.n + current.nulls };
    if (a.n === 0 || b.n === 0) return null;
    return { detector: 'null-share', effect: Math.abs(a.hits / a.n - b.hits / b.n), effectMin: nullShareMin, pValue: twoProportion(a, b).pValue };
  },
};
