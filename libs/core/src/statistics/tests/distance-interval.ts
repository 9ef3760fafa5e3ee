import { flooredShares, hellingerDistance, jensenShannonDivergence, kullbackLeibler, populationStability, totalVariationOf, type Floor } from './distances.js';
import { totalVariationNoise } from './total-variation-noise.js';
import { normalQuantileOf } from './two-proportion.js';

export type CellDistance = 'psi' | 'kl' | 'js-divergence' | 'js-distance' | 'hellinger' | 'l-infinity' | 'total-variation';

export interface DistanceEstimate {
  /** Of the shares as they are, with the floor. On average it lies above the true distance. */
  readonly plugIn: number;
  /** Without what chance alone adds. */
  readonly corrected: number;
  readonly low: number;
  readonly high: number;
}

type Counts = readonly number[];
type Shares = readonly number[];

/** A divergence that is, close to equality, 1/`scale` times Σ (p − q)²/p: so `scale`·e·D is χ² there, e = nm/(n+m). */
interface Divergence {
  readonly of: (p: Shares, q: Shares) => number;
  readonly scale: number;
  /** ∂D/∂p and ∂D/∂q of one cell. */
  readonly slopes: (p: number, q: number) => readonly [number, number];
}

const jensenShannon: Divergence = { of: jensenShannonDivergence, scale: 8, slopes: (p, q) => [Math.log((2 * p) / (p + q)) / 2, Math.log((2 * q) / (p + q)) / 2] };
const divergences: Readonly<Record<Exclude<CellDistance, 'l-infinity' | 'total-variation'>, { readonly divergence: Divergence; readonly isRoot: boolean }>> = {
  psi: { divergence: { of: populationStability, scale: 1, slopes: (p, q) => [Math.log(p / q) + 1 - q / p, Math.log(q / p) + 1 - p / q] }, isRoot: false },
  kl: { divergence: { of: kullbackLeibler, scale: 2, slopes: (p, q) => [Math.log(p / q) + 1, -p / q] }, isRoot: false },
  'js-divergence': { divergence: jensenShannon, isRoot: false },
  'js-distance': { divergence: jensenShannon, isRoot: true },
  hellinger: { divergence: { of: (p, q) => hellingerDistance(p, q) ** 2, scale: 8, slopes: (p, q) => [-Math.sqrt(q / p) / 2, -Math.sqrt(p / q) / 2] }, isRoot: true },
};

const sumOf = (counts: Counts): number => counts.reduce((sum, count) => sum + count, 0);
const varianceOf = (shares: Shares, slopes: Shares): number => {
  const mean = shares.reduce((sum, share, cell) => sum + share * (slopes[cell] ?? 0), 0);
  return shares.reduce((sum, share, cell) => sum + share * ((slopes[cell] ?? 0) - mean) ** 2, 0);
};

/**
 * In units of χ²: X = scale·e·D has mean λ + (k − 1) and variance 2(k − 1) + 4κλ, where κ is 1 close to equality and elsewhere
 * what the delta method gives; a score interval solves (X − (k − 1) − λ)² = z² variance for λ.
 */
function divergenceInterval({ of, scale, slopes }: Divergence, p: Shares, q: Shares, n: number, m: number, z: number): DistanceEstimate {
  const plugIn = of(p, q);
  const unit = (scale * n * m) / (n + m);
  const freedom = Math.max(1, p.length - 1);
  const each = p.map((share, cell) => slopes(share, q[cell] ?? 0));
  const variance = varianceOf(p, each.map(([slope]) => slope)) / n + varianceOf(q, each.map(([, slope]) => slope)) / m;
  const kappa = plugIn > 1e-12 ? (variance * unit) / (4 * plugIn) : 1;
  const excess = unit * plugIn - freedom;
  const centre = excess + 2 * kappa * z * z;
  const half = z * Math.sqrt(Math.max(0, 4 * kappa * excess + 4 * kappa * kappa * z * z + 2 * freedom));
  return { plugIn, corrected: Math.max(0, excess) / unit, low: Math.max(0, centre - half) / unit, high: Math.max(0, centre + half) / unit };
}

const rooted = ({ plugIn, corrected, low, high }: DistanceEstimate, base: number): DistanceEstimate => {
  const root = (value: number): number => Math.sqrt(value / base);
  return { plugIn: root(plugIn), corrected: root(corrected), low: root(low), high: root(high) };
};

/** Total variation: minus what chance exceeds (triangle inequality), plus what it hides (McDiarmid). L∞: Bonferroni over the cells. */
function differenceInterval(distance: 'l-infinity' | 'total-variation', p: Shares, q: Shares, n: number, m: number, alpha: number): DistanceEstimate {
  const sizes = p.map((share, cell) => Math.abs(share - (q[cell] ?? 0)));
  const pooled = p.map((share, cell) => (n * share + m * (q[cell] ?? 0)) / (n + m));
  const sigmas = p.map((share, cell) => Math.sqrt((share * (1 - share)) / n + ((q[cell] ?? 0) * (1 - (q[cell] ?? 0))) / m));
  const corrected = sizes.map((size, cell) => Math.sqrt(Math.max(0, size * size - (sigmas[cell] ?? 0) ** 2)));
  if (distance === 'l-infinity') {
    const z = normalQuantileOf(1 - alpha / (2 * p.length));
    const bounds = (side: number): number => Math.max(0, ...sizes.map((size, cell) => size + side * z * (sigmas[cell] ?? 0)));
    return { plugIn: Math.max(...sizes), corrected: Math.max(...corrected), low: bounds(-1), high: Math.min(1, bounds(1)) };
  }
  const plugIn = totalVariationOf(p, q);
  const noise = totalVariationNoise(pooled.map((share) => share * (n + m)), n, m).quantile(alpha / 2, true);
  const hidden = Math.sqrt((Math.log(2 / alpha) / 2) * (1 / n + 1 / m));
  return { plugIn, corrected: sumOf(corrected) / 2, low: Math.max(0, plugIn - noise), high: Math.min(1, plugIn + hidden) };
}

/**
 * A distance between two tables of counts over the same cells, with the bias of chance taken out and a confidence interval.
 * @param floor how empty cells are treated; the interval of a divergence needs one that leaves no cell empty.
 * @throws RangeError when a sample is empty or the tables have different cells.
 */
export function distanceInterval(reference: Counts, current: Counts, distance: CellDistance, { floor = 'jeffreys', confidence = 0.95, base = Math.E }: { readonly floor?: Floor; readonly confidence?: number; readonly base?: number } = {}): DistanceEstimate {
  const [n, m] = [sumOf(reference), sumOf(current)];
  if (n === 0 || m === 0) throw new RangeError('an empty sample cannot be compared');
  if (reference.length !== current.length) throw new RangeError('distributions over different cells cannot be compared');
  if (distance === 'l-infinity' || distance === 'total-variation') return differenceInterval(distance, flooredShares(reference, 'none'), flooredShares(current, 'none'), n, m, 1 - confidence);
  const { divergence, isRoot } = divergences[distance];
  const estimate = divergenceInterval(divergence, flooredShares(reference, floor), flooredShares(current, floor), n, m, normalQuantileOf((1 + confidence) / 2));
  return isRoot ? rooted(estimate, distance === 'js-distance' ? Math.log(base) : 1) : estimate;
}

