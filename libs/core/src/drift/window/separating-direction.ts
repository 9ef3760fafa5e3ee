/** Keeps the equations solvable when features are collinear: a part of the mean variance. */
const ridge = 0.1;

function meanOf(rows: readonly (readonly number[])[], size: number): Float64Array {
  const mean = new Float64Array(size);
  for (const row of rows) for (let at = 0; at < size; at += 1) mean[at] = (mean[at] ?? 0) + (row[at] ?? 0) / rows.length;
  return mean;
}

/** Adds Σ (x − μ)(x − μ)ᵀ to a matrix in rows. */
function addScatter(scatter: Float64Array, rows: readonly (readonly number[])[], mean: Float64Array): void {
  const size = mean.length;
  for (const row of rows) {
    for (let i = 0; i < size; i += 1) {
      const x = (row[i] ?? 0) - (mean[i] ?? 0);
      if (x === 0) continue;
      for (let j = 0; j < size; j += 1) scatter[i * size + j] = (scatter[i * size + j] ?? 0) + x * ((row[j] ?? 0) - (mean[j] ?? 0));
    }
  }
}

/** Solves A x = b for a symmetric positive definite A by its Cholesky factor. Both are overwritten. */
function solve(a: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  const at = (i: number, j: number): number => a[i * size + j] ?? 0;
  for (let j = 0; j < size; j += 1) {
    let diagonal = at(j, j);
    for (let k = 0; k < j; k += 1) diagonal -= at(j, k) ** 2;
    const root = Math.sqrt(Math.max(diagonal, 1e-12));
    a[j * size + j] = root;
    for (let i = j + 1; i < size; i += 1) {
      let sum = at(i, j);
      for (let k = 0; k < j; k += 1) sum -= at(i, k) * at(j, k);
      a[i * size + j] = sum / root;
    }
  }
  for (let i = 0; i < size; i += 1) {
    let sum = b[i] ?? 0;
    for (let k = 0; k < i; k += 1) sum -= at(i, k) * (b[k] ?? 0);
    b[i] = sum / at(i, i);
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let sum = b[i] ?? 0;
    for (let k = i + 1; k < size; k += 1) sum -= at(k, i) * (b[k] ?? 0);
    b[i] = sum / at(i, i);
  }
  return b;
}

/**
 * Fisher’s linear discriminant with a ridge (R. A. Fisher, Annals of Eugenics 7, 1936): tells whether a point lies on the side of the
 * second sample. Points are arrays of equal length.
 */
export function separatingDirection(first: readonly (readonly number[])[], second: readonly (readonly number[])[]): (point: readonly number[]) => boolean {
  const size = first[0]?.length ?? 0;
  const [a, b] = [meanOf(first, size), meanOf(second, size)];
  const scatter = new Float64Array(size * size);
  addScatter(scatter, first, a);
  addScatter(scatter, second, b);
  let trace = 0;
  for (let at = 0; at < size; at += 1) trace += scatter[at * size + at] ?? 0;
  for (let at = 0; at < size; at += 1) scatter[at * size + at] = (scatter[at * size + at] ?? 0) + ridge * (trace / Math.max(1, size)) + 1e-9;
  const direction = solve(scatter, b.map((value, at) => value - (a[at] ?? 0)));
  const along = (point: readonly number[] | Float64Array): number => direction.reduce((sum, weight, at) => sum + weight * (point[at] ?? 0), 0);
  const middle = (along(a) + along(b)) / 2;
  return (point) => along(point) > middle;
}
