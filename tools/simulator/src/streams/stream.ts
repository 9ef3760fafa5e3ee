import type { Chance } from '../chance.js';

/** A feature, and how a learner of counts cuts it: `bins` equal parts of [low, high). */
export interface Feature {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly bins: number;
}

export type Concept = 'old' | 'new';

/** Rows drawn one by one, with a label that depends on the features by one of two concepts. */
export interface LabelledStream {
  readonly name: string;
  readonly about: string;
  readonly features: readonly Feature[];
  /** Labels are 0 … classes − 1; null: a real number. */
  readonly classes: number | null;
  /** Fills `row` and returns the label. */
  draw(concept: Concept, chance: Chance, row: Float64Array): number;
}

export const features = (names: readonly string[], low: number, high: number, bins: number): Feature[] => names.map((name) => ({ name, low, high, bins }));

/**
 * Probability that the row at t is drawn from the new concept, in a change of width w around t0 (A. Bifet and others, “New
 * ensemble methods for evolving data streams”, KDD 2009): 1 / (1 + exp(−4 (t − t0) / w)). 12 % at t0 − w/2, 88 % at t0 + w/2.
 */
export const shareOfNew = (row: number, change: number, width: number): number => 1 / (1 + Math.exp((-4 * (row - change)) / width));
