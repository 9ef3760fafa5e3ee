import { MillraceError, type Tensor, type Tensors, type TensorSpec } from '@millrace/contracts';
import type { Feature, Features } from '../inference/index.js';
import type { ExplanationUnit } from './onnx/raw-score.js';

/** Loads model files: any runtime of ONNX will do. */
export interface ExplanationRuntime {
  /** @throws MillraceError MODEL_LOAD_FAILED */
  load(bytes: Uint8Array): Promise<RunnableModel>;
}
export interface RunnableModel {
  readonly inputs: readonly TensorSpec[];
  run(feeds: Tensors): Promise<Tensors>;
  close(): Promise<void>;
}

export interface Contribution {
  readonly feature: string;
  /** As it was asked for; null: unknown. */
  readonly value: number | string | null;
  readonly contribution: number;
  /** Only where the contribution was sampled. */
  readonly standardError?: number;
}

/** base + Σ contributions = output, up to additivityError. */
export interface Explanation {
  /**
   * The model's score for the row. Of trees: the exact sum of the leaves that the row reaches; the runtime adds the same leaves in
   * float32, and `runtimeDifference` is what it loses thereby.
   */
  readonly output: number;
  /** The score when nothing of the row is known; `Explainer.against` says what stands in for it. */
  readonly base: number;
  readonly unit: ExplanationUnit;
  /** Whose score is explained; absent for a regression. */
  readonly class?: string;
  /** One per feature, in the model's order. */
  readonly contributions: readonly Contribution[];
  readonly additivityError: number;
  /** Between output and what the runtime gave for this row; more than rounding explains is refused. */
  readonly runtimeDifference: number;
}

export type ExplanationMethod = 'tree-path-dependent' | 'tree-interventional' | 'permutation';

export interface Explainer {
  readonly method: ExplanationMethod;
  readonly unit: ExplanationUnit;
  /** What a row is compared with, for people. */
  readonly against: string;
  /** Why the exact method for trees was not taken; null where it was. */
  readonly because: string | null;
  readonly features: readonly Feature[];
  /**
   * @param rows judged before by `judgeFeatures`.
   * @param target the class to explain; default: the positive class of a binary model, else the one with the highest score.
   * @throws MillraceError EXPLANATION_UNAVAILABLE, EXPLANATION_INEXACT, REQUEST_INVALID for a class that the model does not have, and what a run throws.
   */
  explain(rows: readonly Features[], target?: string): Promise<Explanation[]>;
  close(): Promise<void>;
}

export interface ExplainerOptions {
  /** Names of the columns of a model that takes all features in one tensor. */
  readonly featureNames?: readonly string[];
  /** Rows to compare with, judged before. Not needed for trees that carry their training counts. */
  readonly background?: readonly Features[];
  /** Of the sampled orders; the same seed gives the same answer. */
  readonly seed?: number;
  /** Calls of the model for one row where orders are sampled; default 10,000. */
  readonly evaluationsMax?: number;
  /** Default: trees by their training counts where they carry them, else against the background, else sampled. */
  readonly method?: ExplanationMethod;
  /** Columns that a feature becomes in the graph (one-hot): their contributions summed (default), or known and unknown together. */
  readonly columns?: 'summed' | 'joint';
  /** Awaited now and then, so that long work does not hold the event loop. */
  readonly pause?: () => Promise<void>;
}

/**
 * How rows are explained whose attributions are compared over time: at training and in service alike, since an error of sampled orders
 * makes attributions larger. Fewer runs of the model than a person who asks is given; all coalitions of up to nine features fit.
 */
export const watchedExplanations: Pick<ExplainerOptions, 'evaluationsMax'> = { evaluationsMax: 1_000 };

/** One way to split a row's score; everything in the order of the layout's features. */
export interface Attributor {
  readonly method: ExplanationMethod;
  readonly against: string;
  /** @param column of the scores. */
  attribute(input: AttributedRow, column: number): Promise<Attributed>;
}
export interface AttributedRow {
  readonly features: Features;
  /** The scores of all classes, as the model gives them. */
  readonly scores: Float64Array;
  /** The values of the trees' columns; empty where there are no trees. */
  readonly columns: Float64Array;
}
export interface Attributed {
  readonly base: number;
  readonly output: number;
  readonly contributions: Float64Array;
  readonly standardErrors?: Float64Array;
  /** Largest difference to the runtime's own score that rounding explains. */
  readonly tolerance: number;
}

/** A tensor [n, k] as n rows, in the numbers that the runtime compares: integers are rounded to float32 there. */
export function rowsOf(tensor: Tensor | undefined, rows: number): Float64Array[] {
  if (tensor === undefined || tensor.datatype === 'BYTES' || tensor.data.length % Math.max(1, rows) !== 0) throw new MillraceError('EXPLANATION_INEXACT', 'the model does not give what its trees take as one row of numbers per row');
  const width = tensor.data.length / Math.max(1, rows);
  const isFloat = tensor.datatype === 'FP32' || tensor.datatype === 'FP64';
  const numbers = Float64Array.from(tensor.data as ArrayLike<number | bigint>, (value) => (isFloat ? Number(value) : Math.fround(Number(value))));
  return Array.from({ length: rows }, (_, row) => numbers.slice(row * width, (row + 1) * width));
}
