import { seededNormals } from './seeded-normals.js';
import { normalQuantileOf } from './two-proportion.js';

/** What chance alone makes of the total variation distance between two samples of one distribution. */
export interface TotalVariationNoise {
  readonly mean: number;
  readonly deviation: number;
  /** A distance that chance exceeds with probability alpha. `precise` simulates its skewness, else a large one is assumed. */
  quantile(alpha: number, precise: boolean): number;
}

const draws = 4_096;
const seed = 20_261_121;
/** Of the sum of two dependent half-normals, the worst case: three or more cells have less. */
const skewnessMax = 1;

/** E|X||Y| − E|X| E|Y| of standard normals with correlation r. */
const covarianceOfSizes = (r: number): number => (2 / Math.PI) * (Math.sqrt(Math.max(0, 1 - r * r)) + r * Math.asin(Math.min(1, Math.max(-1, r))) - 1);

function deviationOf(sigmas: readonly number[], shares: readonly number[]): number {
  let variance = 0;
  for (let i = 0; i < shares.length; i += 1) {
    variance += (sigmas[i] ?? 0) ** 2 * (1 - 2 / Math.PI);
    const oddsI = (shares[i] ?? 0) / (1 - (shares[i] ?? 0));
    for (let j = 0; j < i; j += 1) {
      const r = -Math.sqrt((oddsI * (shares[j] ?? 0)) / (1 - (shares[j] ?? 0)));
      variance += 2 * (sigmas[i] ?? 0) * (sigmas[j] ?? 0) * covarianceOfSizes(r);
    }
  }
  return Math.sqrt(Math.max(0, variance)) / 2;
}

/** Third standardised moment of ½ Σ |z|, z multinomial noise; from the same normals at every call. */
function simulatedSkewness(shares: readonly number[]): number {
  const normal = seededNormals(seed);
  const roots = shares.map(Math.sqrt);
  const noise = new Float64Array(shares.length);
  const sums = [0, 0, 0];
  const sizes = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw += 1) {
    let along = 0;
    for (let cell = 0; cell < noise.length; cell += 1) {
      noise[cell] = normal();
      along += (noise[cell] ?? 0) * (roots[cell] ?? 0);
    }
    let size = 0;
    for (let cell = 0; cell < noise.length; cell += 1) size += (roots[cell] ?? 0) * Math.abs((noise[cell] ?? 0) - along * (roots[cell] ?? 0));
    sizes[draw] = size;
    sums[0] = (sums[0] ?? 0) + size;
  }
  const mean = (sums[0] ?? 0) / draws;
  let [second, third] = [0, 0];
  for (const size of sizes) {
    second += (size - mean) ** 2;
    third += (size - mean) ** 3;
  }
  return second === 0 ? 0 : third / draws / (second / draws) ** 1.5;
}

/** Quantile of a Pearson III variable in standard units (E. B. Wilson, M. M. Hilferty, PNAS 17, 1931). */
function pearsonQuantile(z: number, skewness: number): number {
  if (Math.abs(skewness) < 1e-3) return z;
  const core = 1 + (skewness * z) / 6 - (skewness * skewness) / 36;
  return (2 / skewness) * (Math.max(0, core) ** 3 - 1);
}

/**
 * Noise of ½ Σ |p̂ − q̂| between samples of n and m rows with the pooled counts given, each expected at least 5 times in the
 * smaller sample. Normal approximation of the multivariate hypergeometric: mean and variance in closed form, the tail by
 * a Pearson III curve. By the triangle inequality ½ Σ |p̂ − q̂| minus such a quantile is a lower confidence bound of the
 * true distance, whatever that is.
 */
export function totalVariationNoise(pooled: readonly number[], n: number, m: number): TotalVariationNoise {
  const total = n + m;
  const shares = pooled.map((count) => count / total).filter((share) => share > 0 && share < 1);
  const scale = Math.sqrt(total / (n * m)) * Math.sqrt(total / Math.max(1, total - 1));
  const sigmas = shares.map((share) => Math.sqrt(share * (1 - share)) * scale);
  const mean = (sigmas.reduce((sum, sigma) => sum + sigma, 0) * Math.sqrt(2 / Math.PI)) / 2;
  const deviation = deviationOf(sigmas, shares);
  let skewness: number | null = null;
  const quantile = (alpha: number, precise: boolean): number => {
    if (precise) skewness ??= simulatedSkewness(shares);
    return mean + deviation * pearsonQuantile(normalQuantileOf(1 - alpha), precise ? (skewness ?? 0) : skewnessMax);
  };
  return { mean, deviation, quantile };
}
