/**
 * p_current(x) / p_reference(x) at each reference row, by a logistic regression that tells the two samples apart
 * (M. Sugiyama et al., “Density Ratio Estimation in Machine Learning”, 2012, §4): ratio = n_ref/n_cur · P(current|x)/P(reference|x).
 * Linear and squared terms of standardised columns, ridge penalty, Newton steps. Ratios are capped, and scaled to mean 1.
 */
export interface DensityRatio {
  readonly weights: Float64Array;
  /** (Σw)² / Σw²: how many reference rows the weighted ones are worth. Low: the samples hardly overlap, and weighting cannot help. */
  readonly effectiveRows: number;
}

type Rows = readonly ArrayLike<number>[];

const ratioMax = 20;
const ridge = 1e-2;
const stepsMax = 25;

function designOf(rows: Rows, means: readonly number[], scales: readonly number[]): Float64Array[] {
  return rows.map((row) => {
    const width = means.length;
    const line = new Float64Array(1 + 2 * width);
    line[0] = 1;
    for (let column = 0; column < width; column += 1) {
      const z = ((row[column] ?? 0) - (means[column] ?? 0)) / (scales[column] ?? 1);
      line[1 + column] = z;
      line[1 + width + column] = z * z - 1;
    }
    return line;
  });
}

function moments(rows: Rows, column: number): { mean: number; scale: number } {
  let [sum, squares] = [0, 0];
  for (const row of rows) sum += row[column] ?? 0;
  const mean = sum / rows.length;
  for (const row of rows) squares += ((row[column] ?? 0) - mean) ** 2;
  return { mean, scale: Math.sqrt(squares / rows.length) || 1 };
}

/** Cholesky solution of a symmetric positive definite system, in place of both arguments. */
function solve(matrix: Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = matrix[i]?.[j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (matrix[i]?.[k] ?? 0) * (matrix[j]?.[k] ?? 0);
      const row = matrix[i];
      if (row !== undefined) row[j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (matrix[j]?.[j] ?? 1);
    }
  }
  for (let i = 0; i < size; i += 1) {
    let sum = right[i] ?? 0;
    for (let k = 0; k < i; k += 1) sum -= (matrix[i]?.[k] ?? 0) * (right[k] ?? 0);
    right[i] = sum / (matrix[i]?.[i] ?? 1);
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let sum = right[i] ?? 0;
    for (let k = i + 1; k < size; k += 1) sum -= (matrix[k]?.[i] ?? 0) * (right[k] ?? 0);
    right[i] = sum / (matrix[i]?.[i] ?? 1);
  }
  return right;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

function newtonStep(design: readonly Float64Array[], isCurrent: (row: number) => number, beta: Float64Array): Float64Array {
  const size = beta.length;
  const hessian = Array.from({ length: size }, () => new Float64Array(size));
  const gradient = new Float64Array(size);
  design.forEach((line, row) => {
    const p = logistic(dot(line, beta));
    const [residual, curvature] = [isCurrent(row) - p, Math.max(p * (1 - p), 1e-9)];
    for (let i = 0; i < size; i += 1) {
      const [x, into] = [line[i] ?? 0, hessian[i]];
      gradient[i] = (gradient[i] ?? 0) + residual * x;
      if (into !== undefined) for (let j = 0; j <= i; j += 1) into[j] = (into[j] ?? 0) + curvature * x * (line[j] ?? 0);
    }
  });
  const penalty = ridge * design.length;
  for (let i = 1; i < size; i += 1) {
    const into = hessian[i];
    if (into !== undefined) into[i] = (into[i] ?? 0) + penalty;
    gradient[i] = (gradient[i] ?? 0) - penalty * (beta[i] ?? 0);
  }
  return solve(hessian, gradient);
}

/** @param reference and `current` rows of numbers of equal width, at least one each. */
export function densityRatio(reference: Rows, current: Rows): DensityRatio {
  const all = [...reference, ...current];
  const width = all[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, column) => moments(all, column));
  const design = designOf(all, columns.map(({ mean }) => mean), columns.map(({ scale }) => scale));
  const beta = new Float64Array(1 + 2 * width);
  for (let step = 0; step < stepsMax; step += 1) {
    const change = newtonStep(design, (row) => (row >= reference.length ? 1 : 0), beta);
    change.forEach((value, index) => (beta[index] = (beta[index] ?? 0) + value));
    if (change.every((value) => Math.abs(value) < 1e-8)) break;
  }
  const share = reference.length / Math.max(1, current.length);
  const weights = Float64Array.from(reference, (_, row) => Math.min(ratioMax, share * Math.exp(dot(design[row] ?? beta, beta))));
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  weights.forEach((weight, row) => (weights[row] = weight / mean));
  return { weights, effectiveRows: weights.length ** 2 / weights.reduce((sum, weight) => sum + weight * weight, 0) };
}
