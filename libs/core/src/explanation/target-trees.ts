import type { TreeEnsemble } from './tree-ensemble.js';

/** One tree of the ensemble as far as one target is concerned. Node 0 is the root; parents come before children. */
export interface TargetTree {
  /** Index of the root in the ensemble. */
  readonly root: number;
  readonly nodes: number;
  readonly parent: Int32Array;
  /** Children of inner nodes; 0 at leaves. */
  readonly whenTrue: Int32Array;
  readonly whenFalse: Int32Array;
  /** Who splits at the parent. */
  readonly player: Int32Array;
  /** The nearest edge above (as the node it leads to) with the same player, 0: none. */
  readonly previous: Int32Array;
  /** Share of the cover that goes along this player's edges down to here: a product over the path. */
  readonly share: Float64Array;
  readonly isLeaf: Uint8Array;
  /** 0 at inner nodes. */
  readonly leafWeight: Float64Array;
  /** Σ leaf weight · share of the training rows that reach the leaf. */
  readonly mean: number;
  /** The most different players on one path. */
  readonly playersMax: number;
}

function weightFor(ensemble: TreeEnsemble, node: number, target: number): number {
  let sum = 0;
  for (let entry = ensemble.leafStart[node] ?? 0; entry < (ensemble.leafStart[node + 1] ?? 0); entry += 1) {
    if (ensemble.leafTarget[entry] === target) sum += ensemble.leafWeight[entry] ?? 0;
  }
  return sum;
}

interface Links {
  readonly parent: Int32Array;
  readonly player: Int32Array;
  readonly previous: Int32Array;
  readonly share: Float64Array;
}

/** Per node: how many different players are on the path to it; and the nearest earlier edge of the same player. */
function linkPrevious({ parent, player, previous, share }: Links, ownShare: Float64Array, reach: Float64Array): number {
  const players = new Int32Array(parent.length);
  let playersMax = 0;
  for (let node = 1; node < parent.length; node += 1) {
    const above = parent[node] ?? 0;
    let edge = above;
    while (edge !== 0 && player[edge] !== player[node]) edge = parent[edge] ?? 0;
    previous[node] = edge;
    share[node] = (ownShare[node] ?? 0) * (edge === 0 ? 1 : (share[edge] ?? 0));
    reach[node] = (reach[above] ?? 0) * (ownShare[node] ?? 0);
    players[node] = (players[above] ?? 0) + (edge === 0 ? 1 : 0);
    playersMax = Math.max(playersMax, players[node] ?? 0);
  }
  return playersMax;
}

function targetTree(ensemble: TreeEnsemble, root: number, end: number, target: number, cover: Float64Array, playerOf: ArrayLike<number>): TargetTree | null {
  const nodes = end - root;
  const leafWeight = Float64Array.from({ length: nodes }, (_, node) => ((ensemble.column[root + node] ?? -1) < 0 ? weightFor(ensemble, root + node, target) : 0));
  if (leafWeight.every((weight) => weight === 0)) return null;
  const parent = new Int32Array(nodes);
  const [whenTrue, whenFalse] = [new Int32Array(nodes), new Int32Array(nodes)];
  const player = new Int32Array(nodes).fill(-1);
  const ownShare = new Float64Array(nodes);
  const isLeaf = new Uint8Array(nodes);
  for (let node = 0; node < nodes; node += 1) {
    const column = ensemble.column[root + node] ?? -1;
    if (column < 0) {
      isLeaf[node] = 1;
      continue;
    }
    const rows = cover[root + node] ?? 0;
    whenTrue[node] = (ensemble.whenTrue[root + node] ?? root) - root;
    whenFalse[node] = (ensemble.whenFalse[root + node] ?? root) - root;
    for (const child of [whenTrue[node] ?? 0, whenFalse[node] ?? 0]) {
      parent[child] = node;
      player[child] = playerOf[column] ?? -1;
      ownShare[child] = rows > 0 ? (cover[root + child] ?? 0) / rows : 0;
    }
  }
  const [previous, share, reach] = [new Int32Array(nodes), new Float64Array(nodes), new Float64Array(nodes)];
  reach[0] = 1;
  const playersMax = linkPrevious({ parent, player, previous, share }, ownShare, reach);
  const mean = leafWeight.reduce((sum, weight, node) => sum + weight * (reach[node] ?? 0), 0);
  return { root, nodes, parent, whenTrue, whenFalse, player, previous, share, isLeaf, leafWeight, mean, playersMax };
}

/**
 * The trees that add to one target, ready for `TreeShap`.
 * @param cover per node of the ensemble; a parent's is the sum of its children's.
 * @param playerOf column → player.
 */
export function targetTrees(ensemble: TreeEnsemble, target: number, cover: Float64Array, playerOf: ArrayLike<number>): TargetTree[] {
  const trees: TargetTree[] = [];
  ensemble.roots.forEach((root, index) => {
    const tree = targetTree(ensemble, root, ensemble.roots[index + 1] ?? ensemble.column.length, target, cover, playerOf);
    if (tree !== null) trees.push(tree);
  });
  return trees;
}
