/** A non-decreasing step function, given by its steps: ascending `x`, and the fitted `y` at each. */
export interface IsotonicFit {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/**
 * Isotonic least squares by pooling adjacent violators (M. Ayer et al., Ann. Math. Statist. 26, 1955), O(n) after sorting.
 * Equal x are pooled first, as their weighted mean. The fit keeps the first and the last x of each block, so that reading
 * between two blocks interpolates, as scikit-learn’s IsotonicRegression does.
 * @param x any finite numbers; @param y as many; @param weights as many, ≥ 0, default 1. Points of weight 0 are left out.
 * @throws RangeError when the lengths differ.
 */
export function isotonicRegression(x: ArrayLike<number>, y: ArrayLike<number>, weights?: ArrayLike<number>): IsotonicFit {
  if (x.length !== y.length || (weights !== undefined && weights.length !== x.length)) throw new RangeError('x, y and weights must have the same length');
  const order = Array.from({ length: x.length }, (_, index) => index).filter((index) => weights === undefined || (weights[index] ?? 0) > 0);
  order.sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0));
  return pool(order, x, y, weights);
}

/** As `isotonicRegression` for x that ascend already: nothing is sorted, so bootstrap draws of weights are cheap. */
export function isotonicOfSorted(x: ArrayLike<number>, y: ArrayLike<number>, weights?: ArrayLike<number>): IsotonicFit {
  return pool(Array.from({ length: x.length }, (_, index) => index), x, y, weights);
}

interface Blocks {
  readonly from: number[];
  readonly to: number[];
  readonly mean: number[];
  readonly weight: number[];
}

function pool(order: readonly number[], x: ArrayLike<number>, y: ArrayLike<number>, weights: ArrayLike<number> | undefined): IsotonicFit {
  const blocks: Blocks = { from: [], to: [], mean: [], weight: [] };
  for (let start = 0; start < order.length; ) {
    const at = x[order[start] ?? 0] ?? 0;
    let [weight, sum] = [0, 0];
    for (; start < order.length && x[order[start] ?? 0] === at; start += 1) {
      const own = weights === undefined ? 1 : (weights[order[start] ?? 0] ?? 0);
      weight += own;
      sum += own * (y[order[start] ?? 0] ?? 0);
    }
    if (weight > 0) addPoint(blocks, at, sum / weight, weight);
  }
  const fit: { x: number[]; y: number[] } = { x: [], y: [] };
  blocks.mean.forEach((mean, block) => {
    const [from, to] = [blocks.from[block] ?? 0, blocks.to[block] ?? 0];
    fit.x.push(from);
    fit.y.push(mean);
    if (to !== from) {
      fit.x.push(to);
      fit.y.push(mean);
    }
  });
  return fit;
}

/** Puts the points of one x behind the last block, and merges backwards while the means do not ascend. */
function addPoint({ from, to, mean, weight }: Blocks, x: number, y: number, w: number): void {
  let [start, value, mass] = [x, y, w];
  for (let last = mean.length - 1; last >= 0 && (mean[last] ?? 0) >= value; last -= 1) {
    const lastMass = weight[last] ?? 0;
    value = (value * mass + (mean[last] ?? 0) * lastMass) / (mass + lastMass);
    mass += lastMass;
    start = from[last] ?? start;
    from.pop();
    to.pop();
    mean.pop();
    weight.pop();
  }
  from.push(start);
  to.push(x);
  mean.push(value);
  weight.push(mass);
}

/** The fit at a point: linear between its steps, constant beyond them. NaN for a fit of no points. */
export function isotonicAt({ x, y }: IsotonicFit, at: number): number {
  const last = x.length - 1;
  if (last < 0) return NaN;
  if (at <= (x[0] ?? 0)) return y[0] ?? NaN;
  if (at >= (x[last] ?? 0)) return y[last] ?? NaN;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((x[middle] ?? 0) <= at) low = middle;
    else high = middle;
  }
  const [x0, x1, y0, y1] = [x[low] ?? 0, x[high] ?? 0, y[low] ?? 0, y[high] ?? 0];
  return y0 + ((y1 - y0) * (at - x0)) / (x1 - x0);
}
