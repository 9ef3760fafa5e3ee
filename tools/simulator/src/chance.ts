import { seededUniforms } from '@millrace/core/statistics';

/** Seeded chance for simulations: xoshiro128** (D. Blackman, S. Vigna, 2018), seeded by splitmix32. */
export interface Chance {
  /** Uniform on [0, 1), 32 bits. */
  uniform(): number;
  /** Standard normal (polar method of G. Marsaglia). */
  normal(): number;
  /** Exponential of mean 1. */
  exponential(): number;
  bernoulli(p: number): 0 | 1;
  /** Uniform integer in [0, below). */
  integer(below: number): number;
}

const rotl = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0;

/** @param stream tells independent streams of one seed apart, such as the number of the trial. */
export function chanceOf(seed: number, stream = 0): Chance {
  const uniforms = seededUniforms((seed ^ Math.imul(stream + 1, 0x9e3779b1)) >>> 0);
  const fill = (): number => 4_294_967_296 * uniforms();
  let [a, b, c, d] = [fill(), fill(), fill(), fill()];
  let spare: number | null = null;
  const bits = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d >>> 0, 11);
    return result;
  };
  const uniform = (): number => bits() / 4_294_967_296;
  const normal = (): number => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const s = x * x + y * y;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        spare = y * scale;
        return x * scale;
      }
    }
  };
  return { uniform, normal, exponential: () => -Math.log(1 - uniform()), bernoulli: (p) => (uniform() < p ? 1 : 0), integer: (below) => Math.floor(uniform() * below) };
}
