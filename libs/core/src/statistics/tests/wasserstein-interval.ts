import type { DistanceEstimate } from './distance-interval.js';
import { eachValue, wassersteinDistance, type NumberSample } from './sample.js';
import { normalQuantileOf } from './two-proportion.js';

/** Population standard deviation (ddof 0) of the finite values; 0 of nothing. */
export function deviationOfSample(sample: NumberSample): number {
  let [n, mean, squares] = [0, 0, 0];
  sample.values.forEach((value, index) => {
    const count = sample.counts[index] ?? 0;
    if (!Number.isFinite(value) || count === 0) return;
    n += count;
    const delta = value - mean;
    mean += (delta * count) / n;
    squares += delta * (value - mean) * count;
  });
  return n === 0 ? 0 : Math.sqrt(squares / n);
}

/**
 * W1 with an interval. Where F ≠ G, W1 is the difference of the means of h, h′ = sign(F − G), which gives its standard error
 * (delta method); the lower limit is also spared what chance makes of W1 when F = G, ∫ √(2/π) σ dx, σ² = H(1 − H)/e.
 * @param unit by which all is divided: 1, or a standard deviation.
 * @throws RangeError when a sample has no finite value.
 */
export function wassersteinInterval(reference: NumberSample, current: NumberSample, confidence = 0.95, unit = 1): DistanceEstimate {
  const plugIn = wassersteinDistance(reference, current);
  const [n, m] = [reference.n, current.n];
  let [belowA, belowB, before, h] = [0, 0, NaN, 0];
  let [noise, corrected] = [0, 0];
  const sums = { a: 0, aa: 0, b: 0, bb: 0 };
  eachValue(reference, current, (value, inA, inB) => {
    if (!Number.isFinite(value)) return;
    if (!Number.isNaN(before)) {
      const [difference, pooled] = [belowA / n - belowB / m, (belowA + belowB) / (n + m)];
      const variance = pooled * (1 - pooled) * (1 / n + 1 / m);
      noise += Math.sqrt((2 / Math.PI) * Math.max(0, variance)) * (value - before);
      corrected += Math.sqrt(Math.max(0, difference * difference - variance)) * (value - before);
      h += Math.sign(difference) * (value - before);
    }
    [belowA, belowB, before] = [belowA + inA, belowB + inB, value];
    sums.a += inA * h;
    sums.aa += inA * h * h;
    sums.b += inB * h;
    sums.bb += inB * h * h;
  });
  const variance = Math.max(0, sums.aa / n - (sums.a / n) ** 2) / n + Math.max(0, sums.bb / m - (sums.b / m) ** 2) / m;
  const half = normalQuantileOf((1 + confidence) / 2) * Math.sqrt(variance);
  return { plugIn: plugIn / unit, corrected: corrected / unit, low: Math.max(0, plugIn - noise - half) / unit, high: (plugIn + half) / unit };
}
