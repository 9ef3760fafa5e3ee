/**
 * How far further values of a column may reach, from its extreme values alone.
 *
 * With x₁ ≥ x₂ ≥ … the greatest of n values and r = 64 (n/4 below 256 values), the bound is the farther of
 *
 *     x₁ + (x₁ − x_r)     and, where no value lies below 0,     x₁ · x₁/x_r
 *
 * The first is where an exponential tail, the second where a power tail, has lost as much probability again as from x_r to x₁: a
 * further value lies beyond with probability p(x₁)²/p(x_r), about 2/(r n) on average, 3 in a million for n = 10,000; lighter
 * tails are farther inside. Values that repeat at the end (x₁ = x_r), as of a rating, are their own bound.
 */
export interface Extremes {
  n: number;
  /** The greatest values, descending. */
  readonly top: number[];
  /** How often a value was the greatest so far: about ln n for values that keep their distribution, far more for a counter. */
  records: number;
}

const kept = 64;
const fewest = 20;

export const emptyExtremes = (): Extremes => ({ n: 0, top: [], records: 0 });

/** For the least values, observe their opposites. */
export function observeExtreme(extremes: Extremes, x: number): void {
  extremes.n += 1;
  const { top } = extremes;
  if (x > (top[0] ?? -Infinity)) extremes.records += 1;
  if (top.length >= kept && x <= (top[kept - 1] ?? -Infinity)) return;
  let at = top.length;
  while (at > 0 && (top[at - 1] ?? 0) < x) at -= 1;
  top.splice(at, 0, x);
  if (top.length > kept) top.pop();
}

/** Whether the values rise with the rows, so that their past bounds nothing. Values of one distribution set ln n ± √ln n records. */
export function rises({ n, records }: Extremes): boolean {
  const expected = Math.log(Math.max(1, n)) + 0.58;
  return n >= fewest && records > expected + 8 * Math.sqrt(expected);
}

/** The spacing between the greatest value and the r-th; null for fewer than 20 values. */
function spacingOf({ n, top }: Extremes): { first: number; last: number } | null {
  const [first, last] = [top[0], top[Math.min(kept, Math.floor(n / 4)) - 1]];
  return n < fewest || first === undefined || last === undefined ? null : { first, last };
}

/**
 * null where there are too few values, or where the bound leaves the range of doubles.
 * @param positive whether no value lies below 0: only then does the ratio of two values say how heavy the tail is.
 */
export function upperBound(extremes: Extremes, positive: boolean): number | null {
  const spacing = spacingOf(extremes);
  if (spacing === null) return null;
  const { first, last } = spacing;
  if (first === last) return first;
  // Of values that are mostly 0, the least that is not.
  const least = last > 0 ? last : (extremes.top.findLast((x) => x > 0) ?? first);
  const bound = Math.max(first + (first - last), positive ? first * (first / least) : -Infinity);
  return Number.isFinite(bound) ? bound : null;
}

/** The spacing at the end, in the unit of the values; 0 where they repeat. */
export const endSpacing = (extremes: Extremes): number => {
  const spacing = spacingOf(extremes);
  return spacing === null ? 0 : spacing.first - spacing.last;
};

/** Away from 0 or towards it, to three digits: bounds that a person can read, never inside the given one. */
export function roundedOut(bound: number, way: 'up' | 'down'): number {
  if (bound === 0) return 0;
  const digits = Math.floor(Math.log10(Math.abs(bound)));
  const step = 10 ** (digits - 2);
  if (!(step > 0) || !Number.isFinite(step)) return bound;
  const rounded = Number(((way === 'up' ? Math.ceil(bound / step) : Math.floor(bound / step)) * step).toPrecision(12));
  return Number.isFinite(rounded) && (way === 'up' ? rounded >= bound : rounded <= bound) ? rounded : bound;
}
