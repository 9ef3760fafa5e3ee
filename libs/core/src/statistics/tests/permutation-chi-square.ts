import { logChoose } from './log-factorial.js';
import { seededUniforms } from './seeded-normals.js';
import type { TestResult } from './test-result.js';

export interface PermutationResult extends TestResult {
  /** Tables drawn; fewer than allowed once the answer is clear. */
  readonly tables: number;
}

/** After so many tables as extreme as the one seen, p is known well enough (J. Besag, P. Clifford, Biometrika 78, 1991). */
const enough = 20;

function chiSquareOf(a: readonly number[], pooled: readonly number[], n: number, m: number): number {
  return pooled.reduce((sum, total, cell) => {
    const expected = (total * n) / (n + m);
    return total === 0 ? sum : sum + (((a[cell] ?? 0) - expected) ** 2 * (n + m)) / (expected * m);
  }, 0);
}

/** One hypergeometric number by inversion from its mode outward: `drawn` of `rest` rows, `wanted` of which count. */
function hypergeometricDraw(u: number, rest: number, wanted: number, drawn: number): number {
  const [first, last] = [Math.max(0, drawn - rest + wanted), Math.min(drawn, wanted)];
  const mode = Math.min(last, Math.max(first, Math.floor(((drawn + 1) * (wanted + 1)) / (rest + 2))));
  const peak = Math.exp(logChoose(wanted, mode) + logChoose(rest - wanted, drawn - mode) - logChoose(rest, drawn));
  let [low, high, below, above, left] = [mode, mode, peak, peak, u - peak];
  while (left > 0 && (low > first || high < last)) {
    if (high < last) {
      above *= ((wanted - high) * (drawn - high)) / ((high + 1) * (rest - wanted - drawn + high + 1));
      high += 1;
      left -= above;
      if (left <= 0) return high;
    }
    if (low > first) {
      below *= (low * (rest - wanted - drawn + low)) / ((wanted - low + 1) * (drawn - low + 1));
      low -= 1;
      left -= below;
      if (left <= 0) return low;
    }
  }
  return mode;
}

/**
 * Pearson’s chi-square of two rows of counts, its p-value by drawing tables with the same margins: valid however small the
 * cells. p = (1 + as extreme)/(1 + tables), or as extreme/tables once 20 are; the same for the same seed.
 * @param tablesMax p cannot fall below 1/(1 + tablesMax).
 * @throws RangeError when a sample is empty or the rows differ in length.
 */
export function permutationChiSquare(a: readonly number[], b: readonly number[], { tablesMax = 9_999, seed = 1 }: { readonly tablesMax?: number; readonly seed?: number } = {}): PermutationResult {
  if (a.length !== b.length) throw new RangeError('rows of different lengths cannot be compared');
  const pooled = a.map((count, cell) => count + (b[cell] ?? 0));
  const [n, m] = [a.reduce((sum, count) => sum + count, 0), b.reduce((sum, count) => sum + count, 0)];
  if (n === 0 || m === 0) throw new RangeError('an empty sample cannot be compared');
  const statistic = chiSquareOf(a, pooled, n, m);
  const uniform = seededUniforms(seed);
  let extreme = 0;
  for (let tables = 1; tables <= tablesMax; tables += 1) {
    let [rest, drawn] = [n + m, n];
    const row = pooled.map((total) => {
      const taken = hypergeometricDraw(uniform(), rest, total, drawn);
      rest -= total;
      drawn -= taken;
      return taken;
    });
    if (chiSquareOf(row, pooled, n, m) >= statistic * (1 - 1e-9)) extreme += 1;
    if (extreme === enough) return { statistic, pValue: extreme / tables, tables };
  }
  return { statistic, pValue: (1 + extreme) / (1 + tablesMax), tables: tablesMax };
}
