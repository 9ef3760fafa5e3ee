/**
 * Distances between two distributions over the same cells: p of the reference, q of the current sample, each summing to 1.
 * A cell that is empty on one side makes KL and PSI infinite: give shares with a floor (`flooredShares`) where that must not be.
 */
type Shares = readonly number[];

function over(p: Shares, q: Shares, term: (p: number, q: number) => number): number {
  if (p.length !== q.length) throw new RangeError('distributions over different cells cannot be compared');
  return p.reduce((sum, share, cell) => sum + term(share, q[cell] ?? 0), 0);
}

const relative = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / b));

/** KL(p‖q) = Σ p ln(p/q), nats (S. Kullback, R. A. Leibler, 1951). */
export const kullbackLeibler = (p: Shares, q: Shares): number => over(p, q, relative);

/** Population stability index, Σ (p − q) ln(p/q): KL both ways (H. Jeffreys, 1946). */
export const populationStability = (p: Shares, q: Shares): number => over(p, q, (a, b) => relative(a, b) + relative(b, a));

/** ½ KL(p‖m) + ½ KL(q‖m), m the middle, nats (J. Lin, 1991): 0 equal, ln 2 disjoint. */
export const jensenShannonDivergence = (p: Shares, q: Shares): number => Math.max(0, over(p, q, (a, b) => (relative(a, (a + b) / 2) + relative(b, (a + b) / 2)) / 2));

/** √ of the divergence; `base` 2 makes it 1 for disjoint distributions. */
export const jensenShannonDistance = (p: Shares, q: Shares, base = Math.E): number => Math.sqrt(jensenShannonDivergence(p, q) / Math.log(base));

/** √(½ Σ (√p − √q)²): 0 equal, 1 disjoint (E. Hellinger, 1909). */
export const hellingerDistance = (p: Shares, q: Shares): number => Math.sqrt(over(p, q, (a, b) => (Math.sqrt(a) - Math.sqrt(b)) ** 2) / 2);

/** Largest difference of a cell. */
export const largestDifference = (p: Shares, q: Shares): number => p.reduce((largest, share, cell) => Math.max(largest, Math.abs(share - (q[cell] ?? 0))), 0);

/** ½ Σ |p − q|: the share of rows that would have to change cells. */
export const totalVariationOf = (p: Shares, q: Shares): number => over(p, q, (a, b) => Math.abs(a - b)) / 2;

/**
 * How a cell without rows is treated:
 * `jeffreys` counts half a row more in every cell (H. Jeffreys, 1946), ours; `none` leaves shares as they are;
 * `evidently` puts 1e-4 into empty cells, or a millionth of the smallest share where that is 1e-4 at most; `{ least }` raises
 * smaller shares to a least one (Deepchecks 0.01, Frouros 2.2e-308). The last two no longer sum to 1, as in those tools.
 */
export type Floor = 'jeffreys' | 'none' | 'evidently' | { readonly least: number };

/** Counts as shares. All 0 when there are no rows, except with `jeffreys`. */
export function flooredShares(counts: readonly number[], floor: Floor): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (floor === 'jeffreys') return counts.map((count) => (count + 0.5) / (total + counts.length / 2));
  const shares = counts.map((count) => (total === 0 ? 0 : count / total));
  if (floor === 'none') return shares;
  if (floor !== 'evidently') return shares.map((share) => Math.max(share, floor.least));
  const smallest = Math.min(...shares.filter((share) => share > 0));
  return shares.map((share) => (share > 0 ? share : smallest <= 1e-4 ? smallest / 1e6 : 1e-4));
}
