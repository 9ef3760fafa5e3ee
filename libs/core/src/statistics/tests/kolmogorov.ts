import { logChoose, logFactorial } from './log-factorial.js';

/** Survival function of the Kolmogorov distribution and its one-sample form at finite n (scipy.stats.kstwo). */

/**
 * P(D⁺ ≥ d) of one sample of n against its own distribution: d Σ C(n,j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j) over
 * j ≤ n(1 − d) (Z. W. Birnbaum, F. H. Tingey, Ann. Math. Statist. 22, 1951). Every term is positive: exact in the far tail.
 */
export function smirnovSurvival(n: number, d: number): number {
  if (d <= 0) return 1;
  if (d >= 1) return 0;
  let sum = 0;
  for (let j = 0; j <= Math.floor(n * (1 - d)); j += 1) {
    const rest = 1 - d - j / n;
    if (rest <= 0) continue;
    sum += Math.exp(logChoose(n, j) + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(rest));
  }
  return Math.min(1, d * sum);
}

type Matrix = Float64Array;

function multiply(a: Matrix, b: Matrix, size: number): Matrix {
  const product = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let inner = 0; inner < size; inner += 1) {
      const factor = a[row * size + inner] ?? 0;
      if (factor !== 0) for (let column = 0; column < size; column += 1) product[row * size + column] = (product[row * size + column] ?? 0) + factor * (b[inner * size + column] ?? 0);
    }
  }
  return product;
}

function transitions(k: number, h: number): Matrix {
  const size = 2 * k - 1;
  const matrix = new Float64Array(size * size);
  const inverseFactorial = (i: number): number => Math.exp(-logFactorial(i));
  for (let row = 0; row < size; row += 1) for (let column = 0; column <= Math.min(size - 1, row + 1); column += 1) matrix[row * size + column] = inverseFactorial(row - column + 1);
  for (let i = 0; i < size; i += 1) {
    matrix[i * size] = (matrix[i * size] ?? 0) - h ** (i + 1) * inverseFactorial(i + 1);
    const last = (size - 1) * size + i;
    matrix[last] = (matrix[last] ?? 0) - h ** (size - i) * inverseFactorial(size - i);
  }
  if (2 * h > 1) matrix[(size - 1) * size] = (matrix[(size - 1) * size] ?? 0) + (2 * h - 1) ** size * inverseFactorial(size);
  return matrix;
}

/** P(D < d): n!/nⁿ times an entry of the n-th power of Durbin’s matrix (G. Marsaglia, W. W. Tsang, J. Wang, J. Stat. Softw. 8(18), 2003). */
function durbin(n: number, d: number): number {
  const k = Math.floor(n * d) + 1;
  const size = 2 * k - 1;
  let base = transitions(k, k - n * d);
  let power: Matrix | null = null;
  let [baseScale, powerScale] = [0, 0];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      power = power === null ? base : multiply(power, base, size);
      powerScale += baseScale;
    }
    base = multiply(base, base, size);
    const largest = Math.max(...base.subarray((k - 1) * size, k * size));
    base = base.map((entry) => entry / largest);
    baseScale = 2 * baseScale + Math.log(largest);
  }
  const entry = power?.[(k - 1) * size + k - 1] ?? 1;
  return entry <= 0 ? 0 : Math.exp(Math.log(entry) + powerScale + logFactorial(n) - n * Math.log(n));
}

/** The expansion of W. Pelz, I. J. Good (JRSS B 38, 1976) to n^(−3/2), as R. Simard, P. L’Ecuyer (J. Stat. Softw. 39(11), 2011) give it. */
function pelzGood(n: number, d: number): number {
  const z = Math.sqrt(n) * d;
  const z2 = z * z;
  const [z4, z6] = [z2 * z2, z2 * z2 * z2];
  let [k0, k1, k2, k3, even2, even3] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < 200; k += 1) {
    // (π (k + ½))² and (π k)².
    const [half, whole] = [(Math.PI * (k + 0.5)) ** 2, (Math.PI * k) ** 2];
    const [atHalf, atWhole] = [Math.exp(-half / (2 * z2)), Math.exp(-whole / (2 * z2))];
    k0 += atHalf;
    k1 += (half - z2) * atHalf;
    k2 += (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * half + (1 - 2 * z2) * half * half) * atHalf;
    k3 += ((5 - 30 * z2) * half ** 3 + (212 * z4 - 60 * z2) * half * half + (135 * z4 - 96 * z6) * half - 30 * z6 - 90 * z4 * z4) * atHalf;
    even2 += whole * atWhole;
    even3 += (3 * z2 * whole - whole * whole) * atWhole;
    if (atHalf < 1e-30) break;
  }
  const root = Math.sqrt(2 * Math.PI);
  const terms = [(root * k0) / z, (root * k1) / (6 * z4), root * (k2 / (72 * z4 * z2 * z) - even2 / (36 * z2 * z)), root * (k3 / (6_480 * z6 * z4) + even3 / (216 * z6))];
  return terms.reduce((sum, term, order) => sum + term / Math.sqrt(n) ** order, 0);
}

/**
 * P(D ≥ d) of the two-sided one-sample Kolmogorov–Smirnov statistic, n ≥ 1: scipy’s `kstwo.sf`. From n d² = 4 on twice the
 * one-sided tail (the two sides together weigh less than e^−24 of it); below, Durbin’s matrix where it is small enough,
 * else the Pelz–Good expansion (within 1e-6 of exact from n = 140 on).
 */
export function oneSampleSurvival(n: number, d: number): number {
  if (n * d <= 0.5) return 1;
  if (d >= 1) return 0;
  if (n * d * d >= (n > 140 ? 2.2 : 4) || d >= 0.5) return Math.min(1, 2 * smirnovSurvival(n, d));
  const below = n <= 140 || (n <= 100_000 && n * d ** 1.5 <= 1.4) ? durbin(n, d) : pelzGood(n, d);
  return Math.min(1, Math.max(0, 1 - below));
}
