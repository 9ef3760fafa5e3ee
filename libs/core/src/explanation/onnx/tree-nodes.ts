import { MillraceError } from '@millrace/contracts';
import { comparisons, type TreeEnsemble } from '../tree-ensemble.js';
import { attributeOf, type OnnxNode } from './graph.js';

/** Why an ensemble that the runtime may run cannot be taken apart here. */
export class UnreadableTrees extends MillraceError {
  constructor(reason: string) {
    super('EXPLANATION_UNAVAILABLE', reason);
  }
}

/** The nodes as the operators of ai.onnx.ml 1 and 3 list them, one entry per node in each list. */
interface NodeLists {
  readonly trees: Float64Array;
  readonly ids: Float64Array;
  readonly columns: Float64Array;
  readonly modes: readonly string[];
  readonly thresholds: Float64Array;
  readonly whenTrue: Float64Array;
  readonly whenFalse: Float64Array;
  readonly missing: Float64Array;
  readonly hits: Float64Array;
}

/** Weights of leaves: entry i belongs to the node (trees[i], ids[i]). */
interface WeightLists {
  readonly trees: Float64Array;
  readonly ids: Float64Array;
  readonly targets: Float64Array;
  readonly weights: Float64Array;
}

/** float32 lists, or a tensor where the model was trained in float64. */
export function floatsOf(node: OnnxNode, name: string): Float64Array {
  const tensor = attributeOf(node, `${name}_as_tensor`).tensor;
  return tensor?.values ?? attributeOf(node, name).numbers;
}

export function nodeListsOf(node: OnnxNode): NodeLists {
  const numbers = (name: string): Float64Array => attributeOf(node, `nodes_${name}`).numbers;
  const lists = {
    trees: numbers('treeids'), ids: numbers('nodeids'), columns: numbers('featureids'), modes: attributeOf(node, 'nodes_modes').texts,
    thresholds: floatsOf(node, 'nodes_values'), whenTrue: numbers('truenodeids'), whenFalse: numbers('falsenodeids'),
    missing: numbers('missing_value_tracks_true'), hits: floatsOf(node, 'nodes_hitrates'),
  };
  const { missing, hits, ...required } = lists;
  const nodes = lists.trees.length;
  if (nodes === 0 || Object.values(required).some(({ length }) => length !== nodes) || [missing, hits].some(({ length }) => length !== 0 && length !== nodes)) {
    throw new MillraceError('MODEL_LOAD_FAILED', `the tree ensemble’s lists of nodes have different lengths (${nodes} tree ids); export the model again`);
  }
  return lists;
}

const malformed = (what: string): MillraceError => new MillraceError('MODEL_LOAD_FAILED', `the tree ensemble is malformed: ${what}. Export the model again.`);

/** Where (tree, node id) stands in the file's lists. */
class NodeIndex {
  private readonly positions = new Map<string, number>();

  constructor({ trees, ids }: { readonly trees: Float64Array; readonly ids: Float64Array }) {
    trees.forEach((tree, position) => {
      const key = `${tree} ${ids[position]}`;
      if (this.positions.has(key)) throw malformed(`node ${ids[position]} of tree ${tree} is there twice`);
      this.positions.set(key, position);
    });
  }

  at(tree: number | undefined, id: number | undefined): number {
    const position = this.positions.get(`${tree} ${id}`);
    if (position === undefined) throw malformed(`node ${id} of tree ${tree} is named and not there`);
    return position;
  }
}

/** Positions of all nodes in pre-order, tree by tree. A tree's root is its first entry. */
function preOrder(lists: NodeLists, index: NodeIndex): { readonly order: readonly number[]; readonly roots: readonly number[] } {
  const order: number[] = [];
  const roots: number[] = [];
  const seen = new Uint8Array(lists.trees.length);
  for (let position = 0; position < lists.trees.length; position += 1) {
    if (position > 0 && lists.trees[position] === lists.trees[position - 1]) continue;
    roots.push(order.length);
    const pending = [position];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen[next] === 1) throw malformed(`node ${lists.ids[next]} of tree ${lists.trees[next]} is reached twice`);
      seen[next] = 1;
      order.push(next);
      if (lists.modes[next] === 'LEAF') continue;
      pending.push(index.at(lists.trees[next], lists.whenFalse[next]), index.at(lists.trees[next], lists.whenTrue[next]));
    }
  }
  if (order.length !== lists.trees.length) throw malformed('some of its nodes cannot be reached from the first node of their tree');
  return { order, roots };
}

/** Counts are believed when every inner node has the sum of its children; converters that know none write 1 everywhere. */
function coverOf(hits: Float64Array, ensemble: Pick<TreeEnsemble, 'column' | 'whenTrue' | 'whenFalse'>): Float64Array | null {
  if (hits.length === 0) return null;
  for (let node = 0; node < hits.length; node += 1) {
    const own = hits[node] ?? NaN;
    if (!(own >= 0 && own < Infinity)) return null;
    if ((ensemble.column[node] ?? -1) < 0) continue;
    const below = (hits[ensemble.whenTrue[node] ?? 0] ?? NaN) + (hits[ensemble.whenFalse[node] ?? 0] ?? NaN);
    if (!(own > 0 && Math.abs(own - below) <= 1e-3 * own)) return null;
  }
  return hits;
}

/** @throws MillraceError MODEL_LOAD_FAILED for lists that are no trees; UnreadableTrees for a comparison that is not known here. */
export function assembleTrees(lists: NodeLists, weights: WeightLists, targets: number, base: Float64Array, scale: number): TreeEnsemble {
  const index = new NodeIndex(lists);
  const { order, roots } = preOrder(lists, index);
  const place = new Int32Array(order.length);
  order.forEach((position, node) => (place[position] = node));
  const child = (ids: Float64Array): Int32Array =>
    Int32Array.from(order, (position) => (lists.modes[position] === 'LEAF' ? -1 : (place[index.at(lists.trees[position], ids[position])] ?? -1)));
  const column = Int32Array.from(order, (position) => (lists.modes[position] === 'LEAF' ? -1 : (lists.columns[position] ?? -1)));
  const comparison = Uint8Array.from(order, (position) => {
    const mode = lists.modes[position] ?? '';
    if (mode === 'LEAF') return 0;
    const known = comparisons.findIndex((name) => name === mode);
    if (known < 0) throw new UnreadableTrees(`its trees compare by ${mode}, which is not known here`);
    return known;
  });
  if (order.some((position, node) => lists.modes[position] !== 'LEAF' && (column[node] ?? -1) < 0)) throw malformed('a split names a negative column');
  const leaves = leafLists(weights, index, place, column, targets, scale);
  const trees = { column, whenTrue: child(lists.whenTrue), whenFalse: child(lists.whenFalse) };
  const reordered = (list: Float64Array): Float64Array => (list.length === 0 ? list : Float64Array.from(order, (position) => list[position] ?? NaN));
  return {
    ...trees, ...leaves, targets, base, comparison,
    columns: column.reduce((most, each) => Math.max(most, each), -1) + 1,
    roots: Int32Array.from(roots),
    threshold: reordered(lists.thresholds),
    missingGoesTrue: Uint8Array.from(order, (position) => (lists.missing[position] === 1 ? 1 : 0)),
    cover: coverOf(reordered(lists.hits), trees),
  };
}

function leafLists({ trees, ids, targets: targetIds, weights }: WeightLists, index: NodeIndex, place: Int32Array, column: Int32Array, targets: number, scale: number): Pick<TreeEnsemble, 'leafStart' | 'leafTarget' | 'leafWeight'> {
  if ([ids, targetIds, weights].some(({ length }) => length !== trees.length)) throw malformed('its lists of leaf weights have different lengths');
  const nodeOf = Int32Array.from(trees, (tree, entry) => place[index.at(tree, ids[entry])] ?? 0);
  const leafStart = new Int32Array(place.length + 1);
  nodeOf.forEach((node, entry) => {
    if ((column[node] ?? -1) >= 0) throw malformed('an inner node has a leaf weight');
    const target = targetIds[entry] ?? -1;
    if (!(target >= 0 && target < targets)) throw malformed(`a leaf adds to the score ${target} of ${targets}`);
    leafStart[node + 1] = (leafStart[node + 1] ?? 0) + 1;
  });
  for (let node = 0; node < place.length; node += 1) leafStart[node + 1] = (leafStart[node + 1] ?? 0) + (leafStart[node] ?? 0);
  const next = leafStart.slice();
  const [leafTarget, leafWeight] = [new Int32Array(trees.length), new Float64Array(trees.length)];
  nodeOf.forEach((node, entry) => {
    const at = next[node] ?? 0;
    next[node] = at + 1;
    leafTarget[at] = targetIds[entry] ?? 0;
    leafWeight[at] = (weights[entry] ?? 0) * scale;
  });
  return { leafStart, leafTarget, leafWeight };
}
