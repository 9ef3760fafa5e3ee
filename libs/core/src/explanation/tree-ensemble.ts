/** How an inner node compares a column's value with its threshold; numbers as the TreeEnsemble operators of ONNX name them. */
export const comparisons = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'] as const;

/**
 * Decision trees whose leaves add up: score[t] = base[t] + Σ over trees of the weight for t of the leaf that a row reaches.
 * Lists have one entry per node; the nodes of a tree follow each other in pre-order, its root first.
 */
export interface TreeEnsemble {
  /** A row has at least so many columns. */
  readonly columns: number;
  readonly targets: number;
  /** Per target. */
  readonly base: Float64Array;
  /** Index of each tree's root; a tree ends where the next one begins. */
  readonly roots: Int32Array;
  /** Of the split; -1: a leaf. */
  readonly column: Int32Array;
  /** Index in `comparisons`. */
  readonly comparison: Uint8Array;
  readonly threshold: Float64Array;
  /** Node index of the child, larger than the node's own. */
  readonly whenTrue: Int32Array;
  readonly whenFalse: Int32Array;
  /** 1: a missing value (NaN) takes the true branch, whatever the comparison says. */
  readonly missingGoesTrue: Uint8Array;
  /** Training rows (or their weight) that went through the node; null when the model file does not tell. */
  readonly cover: Float64Array | null;
  /** The weights of node i are entries leafStart[i] … leafStart[i + 1] - 1 of the two lists below. */
  readonly leafStart: Int32Array;
  readonly leafTarget: Int32Array;
  readonly leafWeight: Float64Array;
}

/** Whether a value takes the true branch of an inner node. Values and thresholds have the precision that the runtime compares in. */
export function takesTrue(ensemble: TreeEnsemble, node: number, value: number): boolean {
  const threshold = ensemble.threshold[node] ?? NaN;
  if (Number.isNaN(value) && ensemble.missingGoesTrue[node] === 1) return true;
  switch (ensemble.comparison[node]) {
    case 0: return value <= threshold;
    case 1: return value < threshold;
    case 2: return value >= threshold;
    case 3: return value > threshold;
    case 4: return value === threshold;
    default: return value !== threshold;
  }
}

/**
 * The scores of a row in float64.
 * @param row values of the columns, from `offset` on.
 */
export function ensembleScores(ensemble: TreeEnsemble, row: ArrayLike<number>, offset = 0): Float64Array {
  const scores = Float64Array.from(ensemble.base);
  for (const root of ensemble.roots) {
    let node = root;
    for (let column = ensemble.column[node] ?? -1; column >= 0; column = ensemble.column[node] ?? -1) {
      node = (takesTrue(ensemble, node, row[offset + column] ?? NaN) ? ensemble.whenTrue[node] : ensemble.whenFalse[node]) ?? -1;
    }
    for (let entry = ensemble.leafStart[node] ?? 0; entry < (ensemble.leafStart[node + 1] ?? 0); entry += 1) {
      const target = ensemble.leafTarget[entry] ?? 0;
      scores[target] = (scores[target] ?? 0) + (ensemble.leafWeight[entry] ?? 0);
    }
  }
  return scores;
}
