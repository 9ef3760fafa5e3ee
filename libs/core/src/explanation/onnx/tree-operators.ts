import { MillraceError } from '@millrace/contracts';
import type { TreeEnsemble } from '../tree-ensemble.js';
import { attributeOf, type OnnxNode } from './graph.js';
import { assembleTrees, floatsOf, nodeListsOf, UnreadableTrees } from './tree-nodes.js';

/** A column of the operator's scores before its post-transform: sign · score[target] + offset. */
export interface ScoreColumn {
  readonly target: number;
  readonly sign: 1 | -1;
  readonly offset: number;
}

export interface TreeOperator {
  readonly ensemble: TreeEnsemble;
  readonly columns: readonly ScoreColumn[];
  /** What the operator itself does to its scores. */
  readonly postTransform: string;
  /** Index of the scores among the node's outputs. */
  readonly output: 0 | 1;
}

const ml = 'ai.onnx.ml';
const targetsMax = 100_000;
export const isTreeOperator = ({ domain, op }: OnnxNode): boolean => domain === ml && ['TreeEnsembleClassifier', 'TreeEnsembleRegressor', 'TreeEnsemble'].includes(op);

const direct = (targets: number): ScoreColumn[] => Array.from({ length: targets }, (_, target) => ({ target, sign: 1, offset: 0 }));

function weightLists(node: OnnxNode, kind: 'target' | 'class') {
  const numbers = (name: string): Float64Array => attributeOf(node, `${kind}_${name}`).numbers;
  return { trees: numbers('treeids'), ids: numbers('nodeids'), targets: numbers('ids'), weights: floatsOf(node, `${kind}_weights`) };
}

const postTransformOf = (node: OnnxNode): string => attributeOf(node, 'post_transform').text ?? 'NONE';

function regressor(node: OnnxNode): TreeOperator {
  const targets = attributeOf(node, 'n_targets').number ?? 1;
  if (!(targets >= 1 && targets <= targetsMax)) throw new MillraceError('MODEL_LOAD_FAILED', `the tree ensemble says it gives ${targets} scores; export the model again`);
  const aggregate = attributeOf(node, 'aggregate_function').text ?? 'SUM';
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE') throw new UnreadableTrees(`it takes the ${aggregate} of its trees, which is no sum that can be split`);
  const lists = nodeListsOf(node);
  const trees = new Set(lists.trees).size;
  const ensemble = assembleTrees(lists, weightLists(node, 'target'), targets, baseOf(node, targets), aggregate === 'SUM' ? 1 : 1 / trees);
  return { ensemble, columns: direct(targets), postTransform: postTransformOf(node), output: 0 };
}

/** The runtime passes over base values of any other count. */
function baseOf(node: OnnxNode, targets: number): Float64Array {
  const base = floatsOf(node, 'base_values');
  return base.length === targets ? base : new Float64Array(targets);
}

/**
 * Two classes and weights for one of them only: the one score is the second class's; the first class has its opposite, or what
 * is missing to one when no weight is negative.
 */
function classifier(node: OnnxNode): TreeOperator {
  const classes = Math.max(attributeOf(node, 'classlabels_int64s').numbers.length, attributeOf(node, 'classlabels_strings').texts.length);
  if (classes < 1 || classes > targetsMax) throw new MillraceError('MODEL_LOAD_FAILED', `the tree ensemble names ${classes} classes; export the model again`);
  const weights = weightLists(node, 'class');
  const lists = nodeListsOf(node);
  const postTransform = postTransformOf(node);
  if (classes !== 2 || new Set(weights.targets).size !== 1) {
    return { ensemble: assembleTrees(lists, weights, classes, baseOf(node, classes), 1), columns: direct(classes), postTransform, output: 1 };
  }
  const given = floatsOf(node, 'base_values');
  const base = Float64Array.of(given[given.length - 1] ?? 0);
  const ensemble = assembleTrees(lists, { ...weights, targets: new Float64Array(weights.targets.length) }, 1, base, 1);
  const opposite: ScoreColumn = { target: 0, sign: -1, offset: weights.weights.every((weight) => weight >= 0) ? 1 : 0 };
  return { ensemble, columns: [opposite, { target: 0, sign: 1, offset: 0 }], postTransform, output: 1 };
}

/**
 * Takes a tree operator apart.
 * @throws MillraceError MODEL_LOAD_FAILED for a malformed one, UnreadableTrees for one that is not supported.
 */
export function treeOperatorOf(node: OnnxNode): TreeOperator {
  if (node.op === 'TreeEnsemble') throw new UnreadableTrees('it is written with the operator TreeEnsemble of ai.onnx.ml 5, which is not read here');
  return node.op === 'TreeEnsembleRegressor' ? regressor(node) : classifier(node);
}
