import fc from 'fast-check';
import { comparisons, takesTrue, type TreeEnsemble } from './tree-ensemble.js';

export type AnyTree = { readonly weight: number } | {
  readonly column: number;
  readonly comparison: number;
  readonly threshold: number;
  readonly missingGoesTrue: boolean;
  readonly whenTrue: AnyTree;
  readonly whenFalse: AnyTree;
};

const columns = 6;
// Few different numbers, so that comparisons meet equal ones, the same column comes twice on a path, and branches cannot be reached.
const number = fc.constantFrom(-2, -1, -0.5, 0, 0.5, 1, 2);
const cell = fc.oneof({ weight: 8, arbitrary: number }, { weight: 1, arbitrary: fc.constant(NaN) });

export const anyTree: fc.Arbitrary<AnyTree> = fc.letrec<{ tree: AnyTree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'tree' },
    { weight: 1, arbitrary: fc.record({ weight: number }) },
    {
      weight: 4,
      arbitrary: fc.record({
        column: fc.nat({ max: columns - 1 }), comparison: fc.nat({ max: comparisons.length - 1 }), threshold: number, missingGoesTrue: fc.boolean(), whenTrue: tie('tree'), whenFalse: tie('tree'),
      }),
    },
  ),
})).tree;

/** Leaves get the covers 1, 2, 3, 1, …; or 0, where a branch that no training row took is wanted. */
export function forestOf(trees: readonly AnyTree[], base = 0.25): TreeEnsemble {
  const nodes: { column: number; comparison: number; threshold: number; whenTrue: number; whenFalse: number; missing: number; cover: number; weight: number }[] = [];
  let leaves = 0;
  const add = (tree: AnyTree): number => {
    const at = nodes.length;
    if ('weight' in tree) {
      leaves += 1;
      nodes.push({ column: -1, comparison: 0, threshold: 0, whenTrue: -1, whenFalse: -1, missing: 0, cover: leaves % 4, weight: tree.weight });
      return at;
    }
    const node = { column: tree.column, comparison: tree.comparison, threshold: tree.threshold, whenTrue: 0, whenFalse: 0, missing: Number(tree.missingGoesTrue), cover: 0, weight: 0 };
    nodes.push(node);
    node.whenTrue = add(tree.whenTrue);
    node.whenFalse = add(tree.whenFalse);
    node.cover = (nodes[node.whenTrue]?.cover ?? 0) + (nodes[node.whenFalse]?.cover ?? 0);
    return at;
  };
  const roots = Int32Array.from(trees, add);
  const leafWeights = nodes.filter(({ column }) => column < 0);
  let entries = 0;
  return {
    columns: 1 + Math.max(-1, ...nodes.map(({ column }) => column)), targets: 1, base: Float64Array.of(base), roots,
    column: Int32Array.from(nodes, ({ column }) => column), comparison: Uint8Array.from(nodes, ({ comparison }) => comparison), threshold: Float64Array.from(nodes, ({ threshold }) => threshold),
    whenTrue: Int32Array.from(nodes, ({ whenTrue }) => whenTrue), whenFalse: Int32Array.from(nodes, ({ whenFalse }) => whenFalse), missingGoesTrue: Uint8Array.from(nodes, ({ missing }) => missing),
    cover: Float64Array.from(nodes, ({ cover }) => cover),
    leafStart: Int32Array.of(0, ...nodes.map(({ column }) => (entries += Number(column < 0)))), leafTarget: new Int32Array(leafWeights.length), leafWeight: Float64Array.from(leafWeights, ({ weight }) => weight),
  };
}

export const anyForest = fc
  .record({ trees: fc.array(anyTree, { minLength: 1, maxLength: 4 }), row: fc.array(cell, { minLength: columns, maxLength: columns }), background: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 4 }) })
  .map(({ trees, row, background }) => ({ ensemble: forestOf(trees), row, background, columns }));

/** One tree's expected weight when only some columns are known: the recursion that the path-dependent game is defined by (EXPVALUE). */
function expectedWeight(ensemble: TreeEnsemble, node: number, row: readonly number[], isKnown: (column: number) => boolean): number {
  const column = ensemble.column[node] ?? -1;
  if (column < 0) return ensemble.leafWeight[ensemble.leafStart[node] ?? 0] ?? 0;
  const [yes, no] = [ensemble.whenTrue[node] ?? 0, ensemble.whenFalse[node] ?? 0];
  if (isKnown(column)) return expectedWeight(ensemble, takesTrue(ensemble, node, row[column] ?? NaN) ? yes : no, row, isKnown);
  const [left, right, all] = [ensemble.cover?.[yes] ?? 0, ensemble.cover?.[no] ?? 0, ensemble.cover?.[node] ?? 0];
  return all === 0 ? 0 : (left * expectedWeight(ensemble, yes, row, isKnown) + right * expectedWeight(ensemble, no, row, isKnown)) / all;
}

export function conditionalScore(ensemble: TreeEnsemble, row: readonly number[], isKnown: (column: number) => boolean): number {
  return Array.from(ensemble.roots).reduce((sum, root) => sum + expectedWeight(ensemble, root, row, isKnown), ensemble.base[0] ?? 0);
}

export function hybridScore(ensemble: TreeEnsemble, row: readonly number[], other: readonly number[], isOwn: (column: number) => boolean): number {
  return conditionalScore(ensemble, row.map((value, column) => (isOwn(column) ? value : (other[column] ?? NaN))), () => true);
}

/** φ_i = Σ over subsets S without i of |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)). */
export function bruteForceShapley(players: number, v: (known: ReadonlySet<number>) => number): { readonly values: number[]; readonly empty: number } {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const worth = Array.from({ length: 2 ** players }, (_, mask) => v(new Set(Array.from({ length: players }, (_unused, player) => player).filter((player) => (mask >> player) & 1))));
  const values = Array.from({ length: players }, (_, player) =>
    worth.reduce((sum, without, mask) => {
      if ((mask >> player) & 1) return sum;
      const size = mask.toString(2).replaceAll('0', '').length;
      return sum + ((factorial(size) * factorial(players - size - 1)) / factorial(players)) * ((worth[mask | (1 << player)] ?? NaN) - without);
    }, 0),
  );
  return { values, empty: worth[0] ?? NaN };
}
