import { MillraceError } from '@millrace/contracts';
import { gaussLegendre } from './gauss-legendre.js';
import { targetTrees, type TargetTree } from './target-trees.js';
import { takesTrue, type TreeEnsemble } from './tree-ensemble.js';

export interface Attribution {
  /** The score without knowing anything of the row. */
  readonly base: number;
  /** Per player; base + Σ = the row's score. */
  readonly values: Float64Array;
}

/**
 * Path-dependent TreeSHAP for one score of an ensemble: the exact Shapley values of the game in which a split on an unknown
 * column goes both ways in proportion to the training rows that did (Lundberg et al. 2020, “From local explanations to
 * global understanding with explainable AI for trees”, algorithm 2).
 *
 * Method: for a leaf of weight v, with o_j = 1 where the row satisfies all splits of player j on the path and z_j the share
 * of training rows that do, the Shapley value of player i is v (o_i − z_i) ∫₀¹ Π_{j≠i} (o_j t + z_j (1 − t)) dt, because
 * s! (d − 1 − s)! / d! = ∫₀¹ t^s (1 − t)^(d−1−s) dt. The integrand is a polynomial of degree below d, so Gauss-Legendre
 * quadrature with ⌈d/2⌉ points gives it exactly (to rounding); every factor is non-negative, so nothing cancels in it, however
 * deep the tree. One pass down and one up per tree: O(nodes · depth / 2).
 */
export class TreeShap {
  readonly base: number;
  private readonly trees: readonly TargetTree[];
  /** Per tree; null: too many to keep all, computed anew into `scratch` for each row. */
  private readonly kept: readonly EdgeTable[] | null;
  private readonly scratch: EdgeTable;
  private readonly players: number;
  private readonly product: Float64Array;
  private readonly gathered: Float64Array;
  private readonly satisfied: Uint8Array;
  private readonly row: Float64Array;

  /**
   * @param target index of the score.
   * @param playerOf column → player; default: each column plays for itself. Columns of one player are known together.
   * @throws MillraceError EXPLANATION_UNAVAILABLE when the ensemble has no cover.
   */
  constructor(
    private readonly ensemble: TreeEnsemble,
    target = 0,
    playerOf: ArrayLike<number> = Int32Array.from({ length: ensemble.columns }, (_, column) => column),
  ) {
    if (ensemble.cover === null) throw new MillraceError('EXPLANATION_UNAVAILABLE', 'the trees do not tell how many training rows went each way; explain against background rows instead');
    this.trees = targetTrees(ensemble, target, ensemble.cover, playerOf);
    this.base = this.trees.reduce((sum, { mean }) => sum + mean, ensemble.base[target] ?? 0);
    this.players = Array.from({ length: ensemble.columns }, (_, column) => playerOf[column] ?? -1).reduce((most, player) => Math.max(most, player), -1) + 1;
    const room = this.trees.reduce((most, { nodes, playersMax }) => Math.max(most, nodes * pointsFor(playersMax)), 1);
    this.product = new Float64Array(room);
    this.gathered = new Float64Array(room);
    this.satisfied = new Uint8Array(this.trees.reduce((most, { nodes }) => Math.max(most, nodes), 1));
    this.row = new Float64Array(ensemble.columns);
    const entries = this.trees.reduce((sum, { nodes, playersMax }) => sum + nodes * 3 * pointsFor(playersMax), 0);
    this.scratch = emptyTable(3 * room);
    this.kept = entries > keptEntriesMax ? null : this.trees.map((tree) => fillTable(tree, emptyTable(tree.nodes * 3 * pointsFor(tree.playersMax))));
  }

  /** @param row values of the columns, from `offset` on. */
  explain(row: ArrayLike<number>, offset = 0): Attribution {
    for (let column = 0; column < this.row.length; column += 1) this.row[column] = row[offset + column] ?? NaN;
    const values = new Float64Array(this.players);
    this.trees.forEach((tree, index) => {
      const table = this.kept?.[index] ?? fillTable(tree, this.scratch);
      this.follow(tree);
      this.descend(tree, table);
      this.ascend(tree, table, values);
    });
    return { base: this.base, values };
  }

  /** Which edges the row takes, together with all earlier edges of the same player. */
  private follow({ root, nodes, isLeaf, whenTrue, whenFalse, previous }: TargetTree): void {
    const { ensemble, satisfied, row } = this;
    satisfied[0] = 1;
    for (let node = 0; node < nodes; node += 1) {
      if (isLeaf[node] === 1) continue;
      const goesTrue = takesTrue(ensemble, root + node, row[ensemble.column[root + node] as number] as number);
      const [taken, other] = goesTrue ? [whenTrue, whenFalse] : [whenFalse, whenTrue];
      const child = taken[node] as number;
      satisfied[child] = satisfied[previous[child] as number] as number;
      satisfied[other[node] as number] = 0;
    }
  }

  /** Per node and quadrature point: the product of the factors of all players on the path, times the point's weight. */
  private descend({ nodes, parent, previous, playersMax }: TargetTree, { factors }: EdgeTable): void {
    const { product, gathered, satisfied } = this;
    const count = pointsFor(playersMax);
    const { weights } = gaussLegendre(count);
    for (let k = 0; k < count; k += 1) product[k] = weights[k] as number;
    gathered.fill(0, 0, nodes * count);
    for (let node = 1; node < nodes; node += 1) {
      const from = (parent[node] as number) * count;
      const to = node * count;
      const entry = (node * 3 + (satisfied[node] as number) + (satisfied[previous[node] as number] as number)) * count;
      for (let k = 0; k < count; k += 1) product[to + k] = (product[from + k] as number) * (factors[entry + k] as number);
    }
  }

  /** Sums leaf weight times product upwards, and gives each edge's player its part. */
  private ascend({ nodes, parent, previous, player, isLeaf, leafWeight, playersMax }: TargetTree, { parts }: EdgeTable, values: Float64Array): void {
    const { product, gathered, satisfied } = this;
    const count = pointsFor(playersMax);
    for (let node = nodes - 1; node > 0; node -= 1) {
      const at = node * count;
      const up = (parent[node] as number) * count;
      const entry = (node * 3 + (satisfied[node] as number) + (satisfied[previous[node] as number] as number)) * count;
      const weight = leafWeight[node] as number;
      let part = 0;
      for (let k = 0; k < count; k += 1) {
        const below = isLeaf[node] === 1 ? weight * (product[at + k] as number) : (gathered[at + k] as number);
        gathered[up + k] = (gathered[up + k] as number) + below;
        part += below * (parts[entry + k] as number);
      }
      const who = player[node] as number;
      values[who] = (values[who] as number) + part;
    }
  }
}

/**
 * For each edge, each of three states and each quadrature point. The states: 0 an earlier edge of the player is not satisfied,
 * 1 this edge is not, 2 all are.
 */
interface EdgeTable {
  /** The player's factor with this edge, over the one without it: what the product along the path is multiplied by. */
  readonly factors: Float64Array;
  /** What the player is given of the leaves below: (o − z) / factor, less the same of the earlier edge, which had been given before. */
  readonly parts: Float64Array;
}

/** 2 · 8 bytes each. */
const keptEntriesMax = 4_000_000;

const emptyTable = (entries: number): EdgeTable => ({ factors: new Float64Array(entries), parts: new Float64Array(entries) });

function fillTable({ nodes, previous, share, playersMax }: TargetTree, table: EdgeTable): EdgeTable {
  const count = pointsFor(playersMax);
  const { points } = gaussLegendre(count);
  for (let node = 1; node < nodes; node += 1) {
    const edge = previous[node] ?? 0;
    const [z, oldZ] = [share[node] ?? 0, share[edge] ?? 0];
    for (let state = 0; state < 3; state += 1) {
      const [o, oldO] = [state === 2 ? 1 : 0, state === 0 ? 0 : 1];
      for (let k = 0; k < count; k += 1) {
        const t = points[k] ?? 0;
        const factor = o * t + z * (1 - t);
        const replaced = edge === 0 ? 1 : oldO * t + oldZ * (1 - t);
        const given = factor === 0 ? 0 : (o - z) / factor;
        const taken = edge === 0 || replaced === 0 ? 0 : (oldO - oldZ) / replaced;
        const entry = (node * 3 + state) * count + k;
        table.factors[entry] = replaced === 0 ? 0 : factor / replaced;
        table.parts[entry] = given - taken;
      }
    }
  }
  return table;
}

/** The integrand has a degree below the number of players: ⌈players / 2⌉ points are enough. */
const pointsFor = (playersMax: number): number => Math.max(1, Math.ceil(playersMax / 2));

/** One row's attribution; for many rows keep a `TreeShap`. Same arguments, same errors. */
export function treeShap(ensemble: TreeEnsemble, row: ArrayLike<number>, target = 0, playerOf?: ArrayLike<number>): Attribution {
  return new TreeShap(ensemble, target, playerOf).explain(row);
}
