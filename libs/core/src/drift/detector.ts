import type { FeatureProfile } from '../statistics/index.js';

export interface DriftPolicy {
  /** Chance of any false alarm in a window, over all subjects and detectors together. */
  readonly alpha: number;
  /** Effects below these do not matter, however significant: KS distance, total variation, difference of null shares. */
  readonly ksMin: number;
  readonly categoryMin: number;
  readonly nullShareMin: number;
  /** Windows with fewer rows are inconclusive, never stable. */
  readonly rowsMin: number;
}

/** One detector’s measurement; whether it counts as drift is decided over all of them together. */
export interface Measurement {
  readonly detector: string;
  readonly effect: number;
  readonly effectMin: number;
  readonly pValue: number;
  /** The true effect is at least this, but for a chance of `level`. */
  lowerBound(level: number): number;
}

/** One way to compare a window with its reference. One file each; add one by listing it in `detectors`. */
export interface DriftDetector {
  readonly name: string;
  /** null when it has nothing to say on this pair. */
  measure(reference: FeatureProfile, current: FeatureProfile, policy: DriftPolicy): Measurement | null;
}
