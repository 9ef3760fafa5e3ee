import { categoricalColumn, numericalColumn, type ColumnSample } from './column-sample.js';

/** ANSI C’s generator, its upper bits modulo m: fixtures/seeded_columns.py has the same. BigInt, because the product exceeds 2^53. */
export function draws(n: number, m: number, seed: number): number[] {
  let state = BigInt(seed);
  return Array.from({ length: n }, () => {
    state = (1_103_515_245n * state + 12_345n) % 2n ** 31n;
    return Number((state / 65_536n) % BigInt(m));
  });
}

const range = 10_007;

/** One column of fixtures/seeded_columns.py. @throws RangeError for an unknown shape. */
export function columnOf(shape: string, n: number, shift: number, seed: number): ColumnSample {
  const a = draws(n, range, seed);
  const [b, c] = shape === 'bell' ? [draws(n, range, seed + 1_000), draws(n, range, seed + 2_000)] : [[], []];
  switch (shape) {
    case 'uniform': return numericalColumn(a.map((x) => x / range + shift * 0.07));
    case 'bell': return numericalColumn(a.map((x, row) => (x + (b[row] ?? 0) + (c[row] ?? 0)) / range + shift * 0.125));
    case 'skewed': return numericalColumn(a.map((x) => (x / range) * (x / range) * (x / range) * 40 + shift * 2));
    case 'whole': return numericalColumn(a.map((x) => (x % 60) + shift * 4));
    case 'few': return numericalColumn(a.map((x) => (x * x) % (3 + shift)));
    case 'binary': return categoricalColumn(a.map((x) => (x < 3_000 + 400 * shift ? 'yes' : 'no')));
    case 'names': return categoricalColumn(a.map((x) => `c${(x * x) % (12 + shift)}`));
    case 'many-names': return categoricalColumn(a.map((x) => `c${Math.floor((x * x) / range) % (150 + shift)}`));
    default: throw new RangeError(`unknown shape ${shape}`);
  }
}
