import { wilsonInterval } from '../intervals/wilson.js';
import type { Proportion } from './two-proportion.js';

/**
 * Interval for a difference of shares, a − b, by two score intervals (R. G. Newcombe, Stat. Med. 17, 1998, method 10): holds
 * its coverage down to small samples, and stays within ±1.
 * @throws RangeError when a sample is empty.
 */
export function shareDifferenceInterval(a: Proportion, b: Proportion, confidence = 0.95): { difference: number; low: number; high: number } {
  if (a.n === 0 || b.n === 0) throw new RangeError('an empty sample cannot be compared');
  const [p, q] = [a.hits / a.n, b.hits / b.n];
  const [ofA, ofB] = [wilsonInterval(a.hits, a.n, confidence), wilsonInterval(b.hits, b.n, confidence)];
  const difference = p - q;
  return { difference, low: difference - Math.hypot(p - ofA.low, ofB.high - q), high: difference + Math.hypot(ofA.high - p, q - ofB.low) };
}
