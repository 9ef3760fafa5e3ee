/**
 * P(|T| > t) of Student’s t with a whole number of degrees of freedom, in closed form (M. Abramowitz, I. A. Stegun, 26.7.3 and
 * 26.7.4). Absolute error below 1e-14.
 * @throws RangeError when `freedom` is no whole number from 1 on.
 */
export function studentTail(t: number, freedom: number): number {
  if (!Number.isInteger(freedom) || freedom < 1) throw new RangeError(`degrees of freedom are whole numbers from 1 on, not ${freedom}`);
  const angle = Math.atan(Math.abs(t) / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let [term, sum] = odd ? [cosine, freedom === 1 ? 0 : cosine] : [1, 1];
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  const inside = odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return Math.min(1, Math.max(0, 1 - inside));
}

/** The t that |T| exceeds with probability `level`, from above. @throws RangeError unless 0 < level < 1. */
export function studentCritical(level: number, freedom: number): number {
  if (!(level > 0 && level < 1)) throw new RangeError(`a level lies between 0 and 1, not at ${level}`);
  let [low, high] = [0, 1];
  while (studentTail(high, freedom) > level && high < 1e9) high *= 2;
  for (let step = 0; step < 100 && high - low > 1e-9 * high; step += 1) {
    const middle = (low + high) / 2;
    if (studentTail(middle, freedom) > level) low = middle;
    else high = middle;
  }
  return high;
}
