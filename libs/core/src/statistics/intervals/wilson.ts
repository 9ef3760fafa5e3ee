import { normalQuantileOf } from '../tests/two-proportion.js';

/** Wilson’s interval for a proportion (E. B. Wilson, JASA 22, 1927), confidence in (0, 1). */
export function wilsonInterval(hits: number, n: number, confidence = 0.95): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const z = normalQuantileOf(1 - (1 - confidence) / 2);
  const share = hits / n;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
