import { MillraceError } from '@millrace/contracts';
import { ensembleScores, takesTrue, type TreeEnsemble } from './tree-ensemble.js';
import type { Attribution } from './tree-shap.js';

const depthMax = 1_000;

/** 1 / (a · C(a + b, a)) = (a − 1)! b! / (a + b)! for 1 ≤ a, 0 ≤ b: the Shapley weight of one of a players who are all needed, while b must be absent. */
class ShapleyWeights {
  private readonly size: number;
  private readonly table: Float64Array;

  constructor(playersMax: number) {
    this.size = playersMax + 1;
    this.table = new Float64Array(this.size * this.size);
    for (let a = 1; a < this.size; a += 1) {
      this.table[a * this.size] = 1 / a;
      for (let b = 1; a + b < this.size; b += 1) this.table[a * this.size + b] = ((this.table[a * this.size + b - 1] ?? 0) * b) / (a + b);
    }
  }

  of(a: number, b: number): number {
    return this.table[a * this.size + b] ?? 0;
  }
}

function depthOf(ensemble: TreeEnsemble): number {
  const depth = new Int32Array(ensemble.column.length);
  let deepest = 0;
  for (let node = 0; node < depth.length; node += 1) {
    const below = (depth[node] ?? 0) + 1;
    if ((ensemble.column[node] ?? -1) < 0) continue;
    depth[ensemble.whenTrue[node] ?? 0] = below;
    depth[ensemble.whenFalse[node] ?? 0] = below;
    deepest = Math.max(deepest, below);
  }
  return deepest;
}

/**
 * Interventional TreeSHAP: the exact Shapley values of the game whose players replace a background row's columns by the
 * explained row's, averaged over the background (Lundberg et al. 2020, “Independent TreeSHAP”). Needs no cover.
 *
 * Method: for one background row a tree's leaf counts for the coalitions that hold the a players met on the way where only the
 * explained row goes down, and none of the b where only the background row does; its weight v gives v (a−1)! b! / (a+b)! to
 * each of the former and −v a! (b−1)! / (a+b)! to each of the latter. Cost: visited nodes × background rows.
 */
export class InterventionalTreeShap {
  readonly base: number;
  private readonly rows: number;
  private readonly players: number;
  private readonly weights: ShapleyWeights;
  private readonly leafWeight: Float64Array;
  /** On the current path: 0 not met, 1 goes with the explained row, 2 with the background row. */
  private readonly side: Uint8Array;
  private readonly values: Float64Array;
  private row: ArrayLike<number> = [];
  private rowAt = 0;
  private backgroundAt = 0;
  // What `visit` returns, without an allocation per node: sums over the leaves below.
  private present = 0;
  private missing = 0;

  /**
   * @param background rows one after the other, `width` columns each; at least one.
   * @param playerOf column → player; default: each column plays for itself. Columns of one player are replaced together.
   * @throws MillraceError EXPLANATION_UNAVAILABLE without background rows or for a tree deeper than 1,000.
   */
  constructor(
    private readonly ensemble: TreeEnsemble,
    private readonly background: ArrayLike<number>,
    width: number,
    target = 0,
    private readonly playerOf: ArrayLike<number> = Int32Array.from({ length: ensemble.columns }, (_, column) => column),
  ) {
    this.width = width;
    this.rows = width > 0 ? Math.floor(background.length / width) : 0;
    if (this.rows < 1) throw new MillraceError('EXPLANATION_UNAVAILABLE', 'an interventional explanation compares with background rows, and none were given');
    const depth = depthOf(ensemble);
    if (depth > depthMax) throw new MillraceError('EXPLANATION_UNAVAILABLE', `the trees are ${depth} deep; at most ${depthMax} can be explained`);
    this.weights = new ShapleyWeights(depth);
    this.players = Array.from({ length: ensemble.columns }, (_, column) => playerOf[column] ?? -1).reduce((most, player) => Math.max(most, player), -1) + 1;
    this.side = new Uint8Array(this.players);
    this.values = new Float64Array(this.players);
    this.leafWeight = new Float64Array(ensemble.column.length);
    for (let node = 0; node < ensemble.column.length; node += 1) {
      for (let entry = ensemble.leafStart[node] ?? 0; entry < (ensemble.leafStart[node + 1] ?? 0); entry += 1) {
        if (ensemble.leafTarget[entry] === target) this.leafWeight[node] = (this.leafWeight[node] ?? 0) + (ensemble.leafWeight[entry] ?? 0);
      }
    }
    let sum = 0;
    for (let at = 0; at < this.rows; at += 1) sum += ensembleScores(ensemble, background, at * width)[target] ?? 0;
    this.base = sum / this.rows;
  }

  private readonly width: number;

  /** @param row values of the columns, from `offset` on. */
  explain(row: ArrayLike<number>, offset = 0): Attribution {
    this.row = row;
    this.rowAt = offset;
    this.values.fill(0);
    for (let at = 0; at < this.rows; at += 1) {
      this.backgroundAt = at * this.width;
      for (const root of this.ensemble.roots) this.visit(root, 0, 0);
    }
    return { base: this.base, values: this.values.map((value) => value / this.rows) };
  }

  /** @param a players on the path that go with the explained row. @param b those that go with the background row. */
  private visit(node: number, a: number, b: number): void {
    const { ensemble, side } = this;
    const column = ensemble.column[node] ?? -1;
    if (column < 0) {
      const weight = this.leafWeight[node] ?? 0;
      this.present = a > 0 ? weight * this.weights.of(a, b) : 0;
      this.missing = b > 0 ? weight * this.weights.of(b, a) : 0;
      return;
    }
    const player = this.playerOf[column] ?? 0;
    const met = side[player] ?? 0;
    const own = met === 2 ? -1 : this.child(node, this.row[this.rowAt + column] ?? NaN);
    const other = met === 1 ? own : this.child(node, this.background[this.backgroundAt + column] ?? NaN);
    if (met === 2 || own === other) return this.visit(met === 2 ? other : own, a, b);
    side[player] = 1;
    this.visit(own, a + 1, b);
    const [present, missing] = [this.present, this.missing];
    side[player] = 2;
    this.visit(other, a, b + 1);
    side[player] = 0;
    this.values[player] = (this.values[player] ?? 0) + present - this.missing;
    this.present += present;
    this.missing += missing;
  }

  private child(node: number, value: number): number {
    return (takesTrue(this.ensemble, node, value) ? this.ensemble.whenTrue[node] : this.ensemble.whenFalse[node]) ?? 0;
  }
}
