import { shareRise, type NumberSample } from '../../statistics/index.js';
import { count, parts, percent, type CheckFinding, type ComparePolicy } from './finding.js';

const shown = (value: number): string => String(Number(value.toPrecision(6)));

interface Beyond {
  readonly rows: number;
  readonly rowsMin: number;
  readonly spent: number;
}

/** Chance that the k largest of both samples are all in the current one: exact, and an upper bound with ties. */
function beyond(rows: number, n: number, m: number, level: number): Beyond {
  let [k, spent] = [0, 1];
  while (spent > level && k < m) {
    spent *= (m - k) / (n + m - k);
    k += 1;
  }
  return spent > level ? { rows, rowsMin: m + 1, spent: 0 } : { rows, rowsMin: k, spent };
}

function rowsWhere(sample: NumberSample, test: (value: number) => boolean): number {
  let rows = 0;
  sample.values.forEach((value, index) => {
    if (test(value)) rows += sample.counts[index] ?? 0;
  });
  return rows;
}

/**
 * Are there more values outside the reference’s range than exchangeable rows would have? The largest k values of both
 * samples together all fall into the current one with probability C(m,k)/C(n+m,k), whatever the distribution (S. S.
 * Wilks, Ann. Math. Statist. 12, 1941). Both ends; each proven excess matters.
 */
export function rangeCheck(reference: NumberSample, current: NumberSample, policy: ComparePolicy): { spent: number; finding: CheckFinding } {
  const [n, m] = [reference.n, current.n];
  const [low, high] = [reference.values[0] ?? NaN, reference.values[reference.values.length - 1] ?? NaN];
  const level = (parts.range / 2) * policy.falseAlarms;
  const above = beyond(rowsWhere(current, (value) => value > high), n, m, level);
  const below = beyond(rowsWhere(current, (value) => value < low), n, m, level);
  const worse = above.rows >= below.rows ? above : below;
  const minimumEffect = policy.minimums?.range ?? 0;
  const proven = worse.rows >= worse.rowsMin;
  const lowerBound = proven ? shareRise({ hits: 0, n }, { hits: worse.rows, n: m }, level * (1 + 1e-9)).lowerBound : 0;
  const edge = worse === above ? `above ${shown(high)}, the largest` : `below ${shown(low)}, the smallest`;
  const tale = `${count(worse.rows)} of ${count(m)} values (${percent(worse.rows / m)}) are ${edge} of ${count(n)} in the reference; chance explains up to ${count(Math.min(m, worse.rowsMin - 1))}`;
  const statistic = worse.rows / m;
  const fewest = Math.min(1, (worse.rowsMin - 1) / m);
  const threshold = minimumEffect === 0 ? fewest : Math.max(fewest, Math.min(1, statistic - lowerBound + minimumEffect));
  const finding: CheckFinding = { reason: 'range', effect: statistic, lowerBound, upperBound: null, minimumEffect, statistic, threshold, level: above.spent + below.spent, drifted: proven && (minimumEffect === 0 || lowerBound > minimumEffect), tale };
  return { spent: above.spent + below.spent, finding };
}
