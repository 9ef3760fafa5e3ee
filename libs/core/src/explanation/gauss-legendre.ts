export interface QuadratureRule {
  /** In (0, 1), increasing. */
  readonly points: Float64Array;
  /** Sum 1. */
  readonly weights: Float64Array;
}

const rules = new Map<number, QuadratureRule>();

/** Value and derivative of the Legendre polynomial of degree n at x in (-1, 1), by Bonnet's recursion. */
function legendre(n: number, x: number): readonly [number, number] {
  let [previous, value] = [1, x];
  for (let k = 2; k <= n; k += 1) [previous, value] = [value, ((2 * k - 1) * x * value - (k - 1) * previous) / k];
  return [value, (n * (x * value - previous)) / (x * x - 1)];
}

/**
 * Gauss-Legendre quadrature on [0, 1]: exact for polynomials of degree at most 2·count − 1. The zeros are found by Newton's
 * method from Tricomi's first guess (Abramowitz and Stegun 22.16.6, 25.4.29).
 * @param count of points, 1 … 1,000.
 */
export function gaussLegendre(count: number): QuadratureRule {
  const known = rules.get(count);
  if (known !== undefined) return known;
  const points = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    let x = count === 1 ? 0 : -Math.cos((Math.PI * (index + 0.75)) / (count + 0.5));
    for (let step = 0; count > 1 && step < 100; step += 1) {
      const [value, slope] = legendre(count, x);
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    const slope = count === 1 ? 1 : legendre(count, x)[1];
    points[index] = (1 + x) / 2;
    weights[index] = 1 / ((1 - x * x) * slope * slope);
  }
  const rule = { points, weights };
  rules.set(count, rule);
  return rule;
}
