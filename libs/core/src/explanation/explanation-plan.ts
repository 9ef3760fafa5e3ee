import { MillraceError, type ModelSignature } from '@millrace/contracts';
import type { FeatureLayout } from '../inference/index.js';
import { ColumnOrigins, fromSeveral, type Origin } from './onnx/column-origin.js';
import { readOnnxGraph, type OnnxGraph, type OnnxNode } from './onnx/graph.js';
import { renamed, withProbes } from './onnx/probe.js';
import { rawScoreBehind, scoreOf, unitOfTrees, type ExplanationUnit, type RawScore } from './onnx/raw-score.js';
import { isTreeOperator, treeOperatorOf, type ScoreColumn } from './onnx/tree-operators.js';
import { UnreadableTrees } from './onnx/tree-nodes.js';
import type { TreeEnsemble } from './tree-ensemble.js';

/** Names under which the probed model gives what an explanation needs. */
export const probes = { columns: 'millrace-explanation/columns', scores: 'millrace-explanation/scores' } as const;

export interface PlannedTrees {
  readonly ensemble: TreeEnsemble;
  /** What the columns of the scores are made of. */
  readonly scores: readonly ScoreColumn[];
  /** Per column of the ensemble's input: the feature it is made from. */
  readonly origins: readonly Origin[];
}

export interface ExplanationPlan {
  /** The model file with the probes among its outputs. */
  readonly probed: Uint8Array;
  readonly unit: ExplanationUnit;
  readonly trees: PlannedTrees | null;
  /** Why the model is not taken apart as trees; null where it is. */
  readonly because: string | null;
}

export type ExplainedSignature = Pick<ModelSignature, 'inputs' | 'outputs' | 'task' | 'classes' | 'positiveIndex'>;

/** The output with the probabilities or the value. @throws MillraceError EXPLANATION_UNAVAILABLE when it cannot be told. */
function answerOf({ outputs, task, classes }: ExplainedSignature): string {
  const floats = outputs.filter(({ datatype }) => datatype === 'FP32' || datatype === 'FP64');
  const named = floats.find(({ name }) => name === (task === 'regression' ? 'prediction' : 'probabilities'));
  const widths = task === 'regression' ? [1] : task === 'binary' ? [2, 1, -1] : [classes.length, -1];
  const fitting = floats.filter(({ shape }) => widths.includes(shape.length < 2 ? 1 : (shape.at(-1) ?? -1)));
  const [only, another] = named === undefined ? fitting : [named];
  if (only === undefined || another !== undefined) throw new MillraceError('EXPLANATION_UNAVAILABLE', `${fitting.length} outputs of the model could be its ${task === 'regression' ? 'prediction' : 'probabilities'}; name one so`);
  return only.name;
}

/** Whether callers' inputs reach the answer only through this node. */
function isOnlyWay(graph: OnnxGraph, through: OnnxNode, answer: string): boolean {
  const reached = new Set(graph.inputs);
  for (let grown = true; grown; ) {
    grown = false;
    for (const node of graph.nodes) {
      if (node === through || !node.inputs.some((input) => reached.has(input))) continue;
      for (const output of node.outputs) {
        grown ||= !reached.has(output);
        reached.add(output);
      }
    }
  }
  return !reached.has(answer);
}

/** Per graph input, the features of its columns. */
function featuresOfInputs({ features }: FeatureLayout, { inputs }: ExplainedSignature): Map<string, Origin[]> {
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined && features.length > 1) return new Map([[only.name, features.map((_, index) => index)]]);
  return new Map(inputs.map(({ name }, index): [string, Origin[]] => [name, [index]]));
}

type Found = PlannedTrees & { readonly raw: RawScore; readonly columnsTensor: string };

/** The model as one ensemble of trees, or why it is none. */
function findTrees(graph: OnnxGraph, layout: FeatureLayout, signature: ExplainedSignature, answer: string): Found | string {
  const [node, another] = graph.nodes.filter(isTreeOperator);
  if (node === undefined) return 'the model has no trees';
  if (another !== undefined) return 'the model has more than one ensemble of trees';
  if (graph.nodes.some(({ op }) => op === 'If' || op === 'Loop' || op === 'Scan')) return 'the model’s graph has branches or loops';
  if (!isOnlyWay(graph, node, answer)) return 'features reach the answer beside the trees, too';
  const { ensemble, columns, output } = treeOperatorOf(node);
  const [input] = node.inputs;
  const origins = input === undefined ? null : new ColumnOrigins(graph, featuresOfInputs(layout, signature)).of(input);
  if (input === undefined || origins === null) return 'the columns of its trees cannot be followed back to features: an operator between is not known here';
  const mixed = ensemble.column.some((column) => column >= 0 && (origins[column] ?? fromSeveral) < 0);
  if (mixed) return 'its trees split on columns that are not made from one feature each';
  const raw = scoreOf(node, output, unitOfTrees(graph, node, output, answer, signature.task !== 'regression'));
  return { ensemble, scores: columns, origins, raw, columnsTensor: input };
}

/**
 * How to explain a model file: as trees where it is one ensemble of them, otherwise as a function.
 * @throws MillraceError MODEL_LOAD_FAILED for bytes that are no whole ONNX file; EXPLANATION_UNAVAILABLE.
 */
export function planExplanation(bytes: Uint8Array, layout: FeatureLayout, signature: ExplainedSignature): ExplanationPlan {
  const graph = readOnnxGraph(bytes);
  const answer = answerOf(signature);
  let found: Found | string;
  try {
    found = findTrees(graph, layout, signature, answer);
  } catch (error) {
    if (!(error instanceof UnreadableTrees)) throw error;
    found = error.message;
  }
  const raw = typeof found === 'string' ? rawScoreBehind(graph, answer, signature.task !== 'regression') : found.raw;
  const nodes = [...(raw.addedNode === null ? [] : [raw.addedNode]), renamed(raw.tensor, probes.scores)];
  if (typeof found === 'string') return { probed: withProbes(bytes, nodes, [probes.scores]), unit: raw.unit, trees: null, because: found };
  const { ensemble, scores, origins, columnsTensor } = found;
  const probed = withProbes(bytes, [...nodes, renamed(columnsTensor, probes.columns)], [probes.scores, probes.columns]);
  return { probed, unit: raw.unit, trees: { ensemble, scores, origins }, because: null };
}

/** Σ over the columns of each feature: the convention of the shap package for one-hot columns. */
export function summedByFeature(values: Float64Array, origins: readonly Origin[], features: number): Float64Array {
  const sums = new Float64Array(features);
  values.forEach((value, column) => {
    const origin = origins[column] ?? fromSeveral;
    if (origin >= 0) sums[origin] = (sums[origin] ?? 0) + value; // no tree splits on the others
  });
  return sums;
}
