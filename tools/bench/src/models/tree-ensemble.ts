import { writeOnnx, type OnnxNode, type OnnxValue } from '@millrace/model-runtime/testing';
import { seeded } from '@millrace/testing';

export const featureCount = 10;
export const featureNames: readonly string[] = Array.from({ length: featureCount }, (_, index) => `f${index}`);

interface Nodes {
  readonly trees: number[];
  readonly ids: number[];
  readonly features: number[];
  readonly thresholds: number[];
  readonly modes: string[];
  readonly yes: number[];
  readonly no: number[];
  readonly leaves: { readonly tree: number; readonly node: number; readonly weight: number }[];
}

type Box = readonly (readonly [low: number, high: number])[];

/** Splits lie inside the box that a node’s rows come from, so that every leaf is reached by some row of [0, 1]^10. */
function grow(nodes: Nodes, tree: number, depth: number, chance: () => number): void {
  let nextId = 0;
  const place = (level: number, box: Box): number => {
    const id = nextId;
    nextId += 1;
    const leaf = level === depth;
    const feature = leaf ? 0 : Math.floor(chance() * featureCount);
    const [low, high] = box[feature] ?? [0, 1];
    const threshold = leaf ? 0 : low + (high - low) * (0.2 + 0.6 * chance());
    const at = nodes.ids.length;
    nodes.trees.push(tree);
    nodes.ids.push(id);
    nodes.features.push(feature);
    nodes.thresholds.push(threshold);
    nodes.modes.push(leaf ? 'LEAF' : 'BRANCH_LEQ');
    nodes.yes.push(0);
    nodes.no.push(0);
    if (leaf) nodes.leaves.push({ tree, node: id, weight: (chance() - 0.5) * 0.1 });
    else {
      nodes.yes[at] = place(level + 1, box.map((side, index) => (index === feature ? [low, threshold] : side)));
      nodes.no[at] = place(level + 1, box.map((side, index) => (index === feature ? [threshold, high] : side)));
    }
    return id;
  };
  place(0, featureNames.map(() => [0, 1] as const));
}

function ensembleNode(input: string, trees: number, depth: number, seed: number): OnnxNode {
  const chance = seeded(seed);
  const nodes: Nodes = { trees: [], ids: [], features: [], thresholds: [], modes: [], yes: [], no: [], leaves: [] };
  for (let tree = 0; tree < trees; tree += 1) grow(nodes, tree, depth, chance);
  return {
    op: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    inputs: [input],
    outputs: ['y'],
    attributes: {
      n_targets: { int: 1 },
      nodes_treeids: { ints: nodes.trees },
      nodes_nodeids: { ints: nodes.ids },
      nodes_featureids: { ints: nodes.features },
      nodes_values: { floats: nodes.thresholds },
      nodes_modes: { texts: nodes.modes },
      nodes_truenodeids: { ints: nodes.yes },
      nodes_falsenodeids: { ints: nodes.no },
      target_treeids: { ints: nodes.leaves.map(({ tree }) => tree) },
      target_nodeids: { ints: nodes.leaves.map(({ node }) => node) },
      target_ids: { ints: nodes.leaves.map(() => 0) },
      target_weights: { floats: nodes.leaves.map(({ weight }) => weight) },
      post_transform: { text: 'NONE' },
    },
  };
}

const output: OnnxValue = { name: 'y', type: 'FP32', shape: ['n', 1] };

export interface EnsembleOptions {
  readonly trees: number;
  readonly depth: number;
  readonly seed: number;
  /** vector: one input `x` FP32 [-1, 10]; columns: ten inputs f0 … f9 FP32 [-1, 1]. Both give the same numbers. */
  readonly inputs: 'vector' | 'columns';
}

/** A gradient-boosted regression as a library would have exported it: full binary trees over ten numbers from [0, 1). */
export function treeEnsemble({ trees, depth, seed, inputs }: EnsembleOptions): Buffer {
  if (inputs === 'vector') return writeOnnx({ inputs: [{ name: 'x', type: 'FP32', shape: ['n', featureCount] }], outputs: [output], nodes: [ensembleNode('x', trees, depth, seed)] });
  return writeOnnx({
    inputs: featureNames.map((name) => ({ name, type: 'FP32', shape: ['n', 1] })),
    outputs: [output],
    nodes: [{ op: 'Concat', inputs: featureNames, outputs: ['row'], attributes: { axis: { int: 1 } } }, ensembleNode('row', trees, depth, seed)],
  });
}

/** Rows that the ensemble was made for. */
export function featureRows(count: number, seed: number): number[][] {
  const chance = seeded(seed);
  return Array.from({ length: count }, () => featureNames.map(() => Math.fround(chance())));
}
