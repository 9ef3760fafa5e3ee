import { attributeOf, producersOf, type OnnxGraph, type OnnxNode } from './graph.js';
import { withoutPostTransform } from './probe.js';
import { constantOf } from './tensor.js';

/**
 * What a contribution is measured in. `log-odds`: ln(p / (1 − p)); `score`: what the softmax over the classes takes; `value`: the
 * prediction itself; `raw-score`: what the trees sum up to before the model computes its answer from it.
 */
export type ExplanationUnit = 'log-odds' | 'score' | 'probability' | 'value' | 'raw-score';

/** Where a model's answer is still additive: a tensor [n, k] of the graph, or of a node that is added to it. */
export interface RawScore {
  readonly tensor: string;
  readonly unit: ExplanationUnit;
  /** NodeProto to add. */
  readonly addedNode: Uint8Array | null;
}

const addedName = (name: string): string => `millrace-explanation/${name}`;
const passing = new Set(['Identity', 'Cast', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);
/** Between a score and the probabilities of all classes: 1 − p, side by side, scaled to sum 1. */
const completing = new Set(['Concat', 'Sub', 'Normalizer', 'ZipMap']);
const classifiers = new Set(['LinearClassifier', 'SVMClassifier', 'TreeEnsembleClassifier', 'TreeEnsembleRegressor', 'LinearRegressor']);
const units: Readonly<Record<string, ExplanationUnit>> = { LOGISTIC: 'log-odds', SOFTMAX: 'score' };

/** The one input of a node that only carries values through; undefined for any other node. */
function carriedInput(graph: OnnxGraph, node: OnnxNode): string | undefined {
  if (passing.has(node.op)) return node.inputs[0]; // the second input of a reshaping operator says how, not what
  if (node.op !== 'Mul') return undefined;
  const isOne = (input: string): boolean => {
    const constant = graph.constants.get(input);
    return constant !== undefined && constantOf(constant).values?.every((value) => value === 1) === true;
  };
  const [first, second] = node.inputs;
  return first !== undefined && second !== undefined && isOne(second) ? first : undefined;
}

/** Tensors that are not just carried through, seen from an output backwards. */
function sources(graph: OnnxGraph, output: string, isClassification: boolean): Set<string> {
  const producers = producersOf(graph);
  const found = new Set<string>();
  const seen = new Set<string>();
  const pending = [output];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (tensor === '' || seen.has(tensor) || graph.constants.has(tensor)) continue;
    seen.add(tensor);
    const node = producers.get(tensor);
    if (node?.op === 'Constant') continue;
    const carried = node === undefined ? undefined : carriedInput(graph, node);
    if (carried !== undefined) pending.push(carried);
    else if (node !== undefined && isClassification && completing.has(node.op)) pending.push(...node.inputs);
    else found.add(tensor);
  }
  return found;
}

/** The scores of an operator of ai.onnx.ml before its own post-transform: itself, or a copy that has none. */
export function scoreOf(node: OnnxNode, output: number, unit: ExplanationUnit): RawScore {
  const transform = attributeOf(node, 'post_transform').text ?? 'NONE';
  if (transform === 'NONE') return { tensor: node.outputs[output] ?? '', unit, addedNode: null };
  const outputs = node.outputs.map((_, index) => addedName(`output-${index}`));
  return { tensor: outputs[output] ?? '', unit, addedNode: withoutPostTransform(node, outputs) };
}

/**
 * The tensor behind a model's answer on which features act most nearly additively: what the last logistic function or softmax
 * takes, when that is all that lies between; otherwise the answer itself.
 * @param answer the output with the probabilities or the value.
 */
export function rawScoreBehind(graph: OnnxGraph, answer: string, isClassification: boolean): RawScore {
  const itself: RawScore = { tensor: answer, unit: isClassification ? 'probability' : 'value', addedNode: null };
  const [source, ...others] = sources(graph, answer, isClassification);
  const node = source === undefined ? undefined : producersOf(graph).get(source);
  if (source === undefined || node === undefined || others.length > 0 || !isClassification) return itself;
  const [input] = node.inputs;
  if (node.op === 'Sigmoid' && input !== undefined) return { tensor: input, unit: 'log-odds', addedNode: null };
  if (node.op === 'Softmax' && input !== undefined) return { tensor: input, unit: 'score', addedNode: null };
  const unit = units[attributeOf(node, 'post_transform').text ?? 'NONE'];
  if (unit === undefined || !classifiers.has(node.op) || isOnePerClass(graph, unit)) return itself;
  return scoreOf(node, node.outputs.indexOf(source), unit);
}

/** One logistic function per class, then scaled to sum 1: a class's own score is not the log-odds of its probability. With two classes they agree. */
function isOnePerClass(graph: OnnxGraph, unit: ExplanationUnit): boolean {
  if (unit !== 'log-odds') return false;
  const classes = graph.nodes.map((node) => Math.max(attributeOf(node, 'classlabels_ints').numbers.length, attributeOf(node, 'classlabels_int64s').numbers.length, attributeOf(node, 'classlabels_strings').texts.length));
  return Math.max(0, ...classes) > 2;
}

/** How the model goes on from its trees' scores: decides what their sum is measured in. */
export function unitOfTrees(graph: OnnxGraph, node: OnnxNode, output: number, answer: string, isClassification: boolean): ExplanationUnit {
  const own = units[attributeOf(node, 'post_transform').text ?? 'NONE'];
  const scores = node.outputs[output] ?? '';
  const found = [...sources(graph, answer, isClassification)];
  const isDirect = found.length === 1 && found[0] === scores;
  if (own !== undefined) return isDirect || !isClassification ? own : 'raw-score';
  if (isDirect) return isClassification ? 'probability' : 'value';
  const next = found.length === 1 ? producersOf(graph).get(found[0] ?? '') : undefined;
  const feeds = next?.inputs[0] === undefined ? new Set<string>() : sources(graph, next.inputs[0], false);
  if (feeds.size !== 1 || !feeds.has(scores)) return 'raw-score';
  return next?.op === 'Sigmoid' ? 'log-odds' : next?.op === 'Softmax' ? 'score' : 'raw-score';
}
