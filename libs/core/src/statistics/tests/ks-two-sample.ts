import { oneSampleSurvival } from './kolmogorov.js';
import { ksDistance, sampleOf } from './sample.js';
import type { TestResult } from './test-result.js';

/** Up to this many rows in either sample the lattice paths are counted. */
export const exactRowsMax = 10_000;

/**
 * P(D ≥ steps/(nm)) of two samples of one continuous distribution, exact: the share of lattice paths from (0, 0) to (n, m)
 * that leave |i/n − j/m| < steps/(nm) (J. L. Hodges, Ark. Mat. 3, 1958). Walked backwards as the chance that a path
 * from (i, j) still leaves, so that only positive terms are added and small tails keep their precision. With ties it is
 * an upper bound. Cost: 2·D·n·m.
 */
function pathsLeaving(n: number, m: number, steps: number): number {
  if (steps <= 0) return 1;
  const leaves = new Float64Array(m + 2).fill(1);
  const bound = steps - 1;
  let topBefore = m;
  for (let i = n; i >= 0; i -= 1) {
    const [bottom, top] = [Math.max(0, Math.ceil((i * m - bound) / n)), Math.min(m, Math.floor((i * m + bound) / n))];
    for (let j = top + 1; j <= topBefore; j += 1) leaves[j] = 1;
    for (let j = top; j >= bottom; j -= 1) {
      const rest = n - i + m - j;
      leaves[j] = rest === 0 ? 0 : ((n - i) * (leaves[j] ?? 1) + (m - j) * (leaves[j + 1] ?? 1)) / rest;
    }
    topBefore = top;
  }
  return leaves[0] ?? 1;
}

/**
 * p-value of the two-sided two-sample Kolmogorov–Smirnov distance by scipy’s rule: exact when neither sample has more than
 * 10,000 rows, else `kstwo.sf` at the effective size nm/(n+m), rounded.
 */
export function ksPValue(n: number, m: number, distance: number, method: 'auto' | 'exact' | 'asymptotic' = 'auto'): number {
  const exact = method === 'exact' || (method === 'auto' && Math.max(n, m) <= exactRowsMax);
  if (exact) return n <= m ? pathsLeaving(n, m, Math.round(distance * n * m)) : pathsLeaving(m, n, Math.round(distance * n * m));
  return oneSampleSurvival(Math.max(1, Math.round((n * m) / (n + m))), distance);
}

/** Two-sample Kolmogorov–Smirnov on raw values; NaN is left out. @throws RangeError when a sample is empty. */
export function ksTest(a: ArrayLike<number>, b: ArrayLike<number>, method: 'auto' | 'exact' | 'asymptotic' = 'auto'): TestResult {
  const [x, y] = [sampleOf(a), sampleOf(b)];
  const statistic = ksDistance(x, y);
  return { statistic, pValue: ksPValue(x.n, y.n, statistic, method) };
}

/** Products nm up to which critical distances come from the exact distribution: a search takes some 50 ms there. */
const exactProductMax = 4_000_000;
/** Above, `kstwo` at the effective size takes p for up to 3 % smaller than it is; asking it for less makes up for that. */
const asymptoticCaution = 0.97;

const remembered = new Map<string, number>();
const rememberedMax = 512;

function search(n: number, m: number, level: number): number {
  const exact = n * m <= exactProductMax;
  const alpha = exact ? level : level * asymptoticCaution;
  const pValueAt = (distance: number): number => ksPValue(n, m, distance, exact ? 'exact' : 'asymptotic');
  const root = Math.sqrt((n * m) / (n + m));
  let [low, high] = [0, 1];
  let guess = Math.min(0.999, Math.sqrt(Math.log(2 / alpha) / 2) / root);
  const enough = 2e-4 / root;
  for (let step = 0; step < 60 && high - low > enough; step += 1) {
    const p = pValueAt(guess);
    if (p <= alpha) high = guess;
    else low = guess;
    // ln p ≈ ln 2 − 2 d² en, so the next guess shifts d² by what is missing; bisection when that leaves the bracket.
    const next = Math.sqrt(Math.max(0, guess * guess + Math.log(Math.max(p, 1e-300) / alpha) / (2 * root * root)));
    const aside = next + (p <= alpha ? -enough / 2 : enough / 2);
    guess = aside > low && aside < high ? aside : (low + high) / 2;
  }
  return pValueAt(high) <= alpha ? high : 1;
}

/**
 * A distance that two samples of one distribution exceed with probability at most alpha, from above within 2e-4 of its
 * scale: the exact quantile while nm ≤ 4,000,000, else that of `kstwo` at the effective size. 1 when even D = 1 would not be rare enough.
 */
export function ksCriticalDistance(n: number, m: number, alpha: number): number {
  const key = `${Math.min(n, m)}/${Math.max(n, m)}/${alpha}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const distance = search(n, m, alpha);
  if (remembered.size >= rememberedMax) remembered.clear();
  remembered.set(key, distance);
  return distance;
}
