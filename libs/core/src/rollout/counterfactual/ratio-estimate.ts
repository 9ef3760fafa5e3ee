/** An estimate, and how much each unit moves it: the estimate is off by about the mean of what the units of another log would move it. */
export interface RatioEstimate {
  readonly value: number;
  /** (a − value · b) / mean b, by unit; they add up to 0. */
  readonly influence: Float64Array;
}

/**
 * Σ a / Σ b over units, such as the mean loss per row of units with different numbers of rows. The influences are those of the
 * linearised ratio, so that rows of one unit may hang together as they like (W. G. Cochran, Sampling Techniques, 1977, §6.3 and
 * §9A.1). NaN when Σ b is 0.
 */
export function ratioOf(a: Float64Array, b: Float64Array): RatioEstimate {
  let [sumA, sumB] = [0, 0];
  a.forEach((each, unit) => {
    sumA += each;
    sumB += b[unit] ?? 0;
  });
  const value = sumA / sumB;
  const mean = sumB / a.length;
  return { value, influence: a.map((each, unit) => (each - value * (b[unit] ?? 0)) / mean) };
}

/** √(Σ influence² / (n (n − 1))): the standard error of the estimate; NaN below two units. */
export function standardErrorOf(influence: Float64Array): number {
  const n = influence.length;
  if (n < 2) return NaN;
  return Math.sqrt(influence.reduce((sum, each) => sum + each * each, 0) / (n * (n - 1)));
}

/** Fisher’s skewness of the influences; 0 where all are the same. */
export function skewnessOf(influence: Float64Array): number {
  const n = influence.length;
  const mean = influence.reduce((sum, each) => sum + each, 0) / n;
  let [second, third] = [0, 0];
  for (const each of influence) {
    const from = each - mean;
    second += from * from;
    third += from * from * from;
  }
  return second === 0 ? 0 : third / n / (second / n) ** 1.5;
}
