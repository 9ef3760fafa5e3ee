import { eachValue, logChoose, normalQuantileOf, type NumberSample } from '../../statistics/index.js';

/** More distinct values than this hardly differ from a continuum. */
const distinctMax = 200;
/** Products of band widths that one distribution may cost. */
const costMax = 4e6;
const negligible = 1e-16;
/** Halvings of the interval in which the critical distance lies: for the bound that is shown. */
const refinements = 5;

/** Pooled counts of the distinct values, ascending; null when there are too many. */
function pooledCounts(reference: NumberSample, current: NumberSample): number[] | null {
  if (Math.max(reference.values.length, current.values.length) > distinctMax) return null;
  const counts: number[] = [];
  eachValue(reference, current, (_value, a, b) => counts.push(a + b));
  return counts.length > distinctMax ? null : counts;
}

/** Chances of x = from … from + length − 1 of `drawn` rows taken from `rest`, `wanted` of which count. */
function hypergeometric(rest: number, wanted: number, drawn: number, from: number, length: number): Float64Array {
  const chances = new Float64Array(length);
  const [first, last] = [Math.max(0, drawn - (rest - wanted)), Math.min(drawn, wanted)];
  const mode = Math.min(last, Math.max(first, Math.floor(((drawn + 1) * (wanted + 1)) / (rest + 2))));
  const up = (x: number): number => ((wanted - x) * (drawn - x)) / ((x + 1) * (rest - wanted - drawn + x + 1));
  const start = Math.exp(logChoose(wanted, mode) + logChoose(rest - wanted, drawn - mode) - logChoose(rest, drawn));
  for (let x = mode, chance = start; x <= last && chance > negligible; x += 1) {
    if (x >= from && x < from + length) chances[x - from] = chance;
    chance *= up(x);
  }
  for (let x = mode, chance = start; x >= first && chance > negligible; x -= 1) {
    if (x >= from && x < from + length) chances[x - from] = chance;
    if (x > first) chance /= up(x - 1);
  }
  return chances;
}

/**
 * P(D > distance) given how many rows of both samples share each value: F and G are compared only where values end, so the
 * walk jumps from value to value with hypergeometric steps (G. Schröer, D. Trenkler, Comput. Stat. Data Anal. 20, 1995,
 * walk single rows). Exact.
 */
function tiedTail(pooled: readonly number[], n: number, m: number, distance: number): number {
  const band = (below: number): [number, number] => {
    // |x/m − (below − x)/n| ≤ distance.
    const [centre, half] = [(below * m) / (n + m), (distance * n * m) / (n + m) + 1e-9];
    return [Math.max(0, Math.ceil(centre - half)), Math.min(m, Math.floor(centre + half))];
  };
  let [from, staying] = [0, Float64Array.of(1)];
  let [below, left] = [0, 0];
  for (const drawn of pooled.slice(0, -1)) {
    const [low, high] = band(below + drawn);
    const next = new Float64Array(Math.max(0, high - low + 1));
    staying.forEach((chance, index) => {
      if (chance < negligible) return;
      const x = from + index;
      const steps = hypergeometric(n + m - below, m - x, drawn, low - x, next.length);
      let kept = 0;
      for (let target = 0; target < next.length; target += 1) {
        const moved = chance * (steps[target] ?? 0);
        next[target] = (next[target] ?? 0) + moved;
        kept += moved;
      }
      left += Math.max(0, chance - kept);
    });
    [from, staying, below] = [low, next, below + drawn];
  }
  return left;
}

/**
 * A distance that exchangeable samples with these ties exceed with probability at most `level`. Computed only when it can
 * decide whether `needed` exceeds it, and when it is cheap; else 1, which says nothing.
 */
export function tiedCriticalDistance(reference: NumberSample, current: NumberSample, level: number, needed: number): number {
  const [n, m] = [reference.n, current.n];
  const root = Math.sqrt((n * m) / (n + m));
  const pooled = pooledCounts(reference, current);
  if (pooled === null || pooled.length < 2) return pooled === null ? 1 : 0;
  // Each single value has a tail of its own, so the critical distance is at least the largest of theirs.
  let [below, spread] = [0, 0];
  for (const drawn of pooled) {
    below += drawn;
    spread = Math.max(spread, (below / (n + m)) * (1 - below / (n + m)));
  }
  const least = (0.95 * normalQuantileOf(1 - level / 2) * Math.sqrt(spread)) / root;
  if (needed < least) return 1;
  const width = (needed * n * m) / (n + m);
  if (pooled.length * width * Math.min(width * 2, 12 * Math.sqrt(m * 0.25)) > costMax) return 1;
  // needed > critical distance exactly when reaching `needed` is rare enough.
  const reaching = (distance: number): number => tiedTail(pooled, n, m, distance - 1e-9);
  if (reaching(needed) > level) return 1;
  let [low, high] = [least, needed];
  for (let step = 0; step < refinements; step += 1) {
    const middle = (low + high) / 2;
    if (reaching(middle) <= level) high = middle;
    else low = middle;
  }
  return high - 1e-9;
}
