import { assertFinite, sealed, unsealed, type BinaryReader, type BinaryWriter } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';

/**
 * Count, mean, variance, minimum and maximum of finite numbers, in their unit.
 *
 *     observe  δ = x − μ,  μ ← μ + δ/n,  M₂ ← M₂ + δ (x − μ)          (B. P. Welford, Technometrics 4, 1962)
 *     merge    δ = μ_b − μ_a,  μ = μ_a + δ n_b/n,  M₂ = M₂a + M₂b + δ² n_a n_b/n   (T. Chan, G. Golub, R. LeVeque, 1979)
 *
 * Count, minimum and maximum are exact. The mean is within 1e-12 · max|x| and the variance within 1e-12 · max|x|² up to 10^9
 * values. Where M₂ leaves the range of doubles, from |x| ≈ 1e154 on, the variance is unknown (null).
 */
export interface Moments {
  n: number;
  mean: number;
  /** Σ (x − μ)²; Infinity once it left the range of doubles. */
  m2: number;
  /** Infinity and −Infinity while n is 0. */
  min: number;
  max: number;
}

const relativeError = 1e-12;

export const emptyMoments = (): Moments => ({ n: 0, mean: 0, m2: 0, min: Infinity, max: -Infinity });

/** @throws RangeError for what is not finite. */
export function observeMoments(moments: Moments, x: number): void {
  assertFinite(x);
  const n = moments.n + 1;
  moments.n = n;
  if (x < moments.min) moments.min = x;
  if (x > moments.max) moments.max = x;
  const delta = x - moments.mean;
  const mean = moments.mean + delta / n;
  if (delta - delta === 0) {
    const square = delta * (x - mean);
    moments.m2 += square;
    moments.mean = mean;
  } else {
    // x and the mean lie at the two ends of the range.
    moments.mean += x / n - moments.mean / n;
    moments.m2 = Infinity;
  }
}

export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return { ...b };
  if (b.n === 0) return { ...a };
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  const far = !Number.isFinite(delta);
  return {
    n,
    mean: far ? a.mean * (a.n / n) + b.mean * (b.n / n) : a.mean + delta * (b.n / n),
    m2: far ? Infinity : a.m2 + b.m2 + delta * delta * (a.n * (b.n / n)),
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  };
}

/** null for no values. */
export const momentsMean = ({ n, mean }: Moments): number | null => (n === 0 ? null : mean);

/** Σ (x − μ)²/(n − 1), in the square of the unit; null for fewer than two values or beyond the range of doubles. */
export function momentsVariance({ n, m2 }: Moments): number | null {
  return n < 2 || !Number.isFinite(m2) ? null : m2 / (n - 1);
}

/** Standard deviation, in the unit; null where the variance is. */
export function momentsDeviation(moments: Moments): number | null {
  const variance = momentsVariance(moments);
  return variance === null ? null : Math.sqrt(variance);
}

export function writeMoments(writer: BinaryWriter, { n, mean, m2, min, max }: Moments): void {
  writer.count(n);
  if (n > 0) for (const value of [mean, m2, min, max]) writer.f64(value);
}

/** @throws RangeError for impossible moments. */
export function readMoments(reader: BinaryReader): Moments {
  const n = reader.count();
  if (n === 0) return emptyMoments();
  const moments = { n, mean: reader.finite(), m2: reader.f64(), min: reader.finite(), max: reader.finite() };
  if (!(moments.m2 >= 0) || moments.min > moments.max) throw new RangeError('these moments cannot be');
  return moments;
}

const [tag, version] = [1, 1];
export const serialiseMoments = (moments: Moments): Uint8Array => sealed(tag, version, (writer) => writeMoments(writer, moments));
/** @throws RangeError for bytes that are no moments. */
export const parseMoments = (bytes: Uint8Array): Moments => unsealed(bytes, tag, version, readMoments);

export const momentsKind: SketchKind<Moments, 'number'> = {
  role: 'sketch',
  name: 'moments',
  takes: 'number',
  empty: emptyMoments,
  observe: observeMoments,
  merge: mergeMoments,
  serialise: serialiseMoments,
  parse: parseMoments,
  answers(moments) {
    const size = moments.n === 0 ? 0 : Math.max(Math.abs(moments.min), Math.abs(moments.max));
    const edge = (value: number) => (moments.n === 0 ? null : value);
    return [
      { about: 'count', value: moments.n, error: 0, moves: 'not' },
      { about: 'minimum', value: edge(moments.min), error: 0, moves: 'as-place' },
      { about: 'maximum', value: edge(moments.max), error: 0, moves: 'as-place' },
      { about: 'mean', value: momentsMean(moments), error: relativeError * size, moves: 'as-place' },
      { about: 'variance', value: momentsVariance(moments), error: relativeError * size * size, moves: 'as-square' },
    ];
  },
  orderIndependent: false,
};
