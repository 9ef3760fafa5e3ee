import { shareRise, twoProportion, type Proportion } from '../statistics/index.js';
import type { DriftDetector } from './detector.js';

const flipped = ({ hits, n }: Proportion): Proportion => ({ hits: n - hits, n });

/** Any feature: does it go missing more, or less, than it did? */
export const nullShareDetector: DriftDetector = {
  name: 'null-share',
  measure: (reference, current, { nullShareMin }) => {
    const a = { hits: reference.nulls, n: reference.n + reference.nulls };
    const b = { hits: current.nulls, n: current.n + current.nulls };
    if (a.n === 0 || b.n === 0) return null;
    const [before, now] = a.hits / a.n <= b.hits / b.n ? [a, b] : [flipped(a), flipped(b)];
    return { detector: 'null-share', effect: Math.abs(a.hits / a.n - b.hits / b.n), effectMin: nullShareMin, pValue: twoProportion(a, b).pValue, lowerBound: (level) => shareRise(before, now, level / 2).lowerBound };
  },
};
