/**
 * What every sketch and every detector tells about itself, so that one runner can hold all of them to the same laws
 * (`laws.spec.ts`). A file of `sketches/` or `detectors/` exports its descriptor, the folder's `index.ts` passes it on, and it
 * is enrolled; `name` is the name of the file. The spec fails when a file of these folders enrols nothing.
 */

/** What a sketch takes in: finite numbers, names (any text), or pairs of names. */
export interface SketchInputs {
  readonly number: number;
  readonly name: string;
  readonly 'name-pair': readonly [string, string];
}
export type SketchInput = keyof SketchInputs;

/** One thing that a sketch answers. */
export interface SketchAnswer {
  readonly about: string;
  /** null where there is nothing to say, as for the mean of nothing; never NaN. */
  readonly value: number | null;
  /**
   * Stated bound on |value − truth|, in the unit of the value, at the confidence that the kind documents; 0 for what is exact, Infinity
   * for what is bounded in another unit only (a quantile is bounded in rank).
   */
  readonly error: number;
  /** What becomes of the value when every number x of the input becomes a·x + b, a > 0: nothing, a·value + b, a·value, a²·value. */
  readonly moves?: 'not' | 'as-place' | 'as-length' | 'as-square';
}

/** A mergeable summary of fixed size. State is changed in place by `observe` only; `merge` makes a new one. */
export interface SketchKind<S, T extends SketchInput = SketchInput> {
  readonly role: 'sketch';
  readonly name: string;
  readonly takes: T;
  /** The same seed and the same values in the same order give the same bytes. */
  empty(seed: number): S;
  observe(sketch: S, value: SketchInputs[T]): void;
  merge(a: S, b: S): S;
  /** Stable and versioned; the same state always gives the same bytes. */
  serialise(sketch: S): Uint8Array;
  /** @throws RangeError for bytes that are not such a sketch. */
  parse(bytes: Uint8Array): S;
  /** @param probes values that may be asked about, as counts of a name or ranks of a number are. */
  answers(sketch: S, probes: readonly SketchInputs[T][]): SketchAnswer[];
  /** The bytes do not depend on the order of the values, nor on how they were split and merged. Without it, answers agree within twice their errors. */
  readonly orderIndependent: boolean;
}

/** A sequential detector. State is plain JSON, changed in place by `observe`. */
export interface DetectorKind<S> {
  readonly role: 'detector';
  readonly name: string;
  /** Errors that are 0 or 1 only, or anything in [0, 1]. */
  readonly takes: 'bits' | 'fractions';
  /** With the defaults of the detector, watching for changes both ways where it can. */
  start(): S;
  /** An alarm has finite numbers only, and its `row` counts from 1. */
  observe(state: S, x: number): { readonly row: number; readonly evidence: number; readonly threshold: number } | null;
}

export const isSketchKind = (value: unknown): value is SketchKind<unknown> => typeof value === 'object' && value !== null && 'role' in value && value.role === 'sketch';
export const isDetectorKind = (value: unknown): value is DetectorKind<unknown> => typeof value === 'object' && value !== null && 'role' in value && value.role === 'detector';
