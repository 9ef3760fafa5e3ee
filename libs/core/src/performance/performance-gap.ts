import { extendSequence, sequenceInterval, startSequence, type ConfidenceSequence } from '../statistics/index.js';

/**
 * Realised minus expected error rate, row by row as labels come. While the calibrated probabilities hold, each difference
 * has mean 0 given the past, whatever the mix of inputs; a gap that stays is concept drift (or a calibration that has
 * aged). The interval is anytime-valid, so it may be looked at after every label. Plain JSON.
 */
export interface PerformanceGap {
  readonly v: 1;
  /** Differences, mapped from [−1, 1] to [0, 1]. */
  readonly sequence: ConfidenceSequence;
}

export const startGap = (alpha: number): PerformanceGap => ({ v: 1, sequence: startSequence(alpha) });

/** @param wrong the decision was not the label; @param probabilityWrong that it is not, before the label was known. In place. */
export function observeGap(gap: PerformanceGap, wrong: boolean, probabilityWrong: number): void {
  extendSequence(gap.sequence, Math.min(1, Math.max(0, ((wrong ? 1 : 0) - probabilityWrong + 1) / 2)));
}

/** Error rate realised beyond what was expected: drifted when the whole interval lies above 0. */
export function gapOf(gap: PerformanceGap): { readonly n: number; readonly mean: number | null; readonly low: number; readonly high: number; readonly drifted: boolean } {
  const { n, mean, low, high } = sequenceInterval(gap.sequence);
  return { n, mean: mean === null ? null : 2 * mean - 1, low: 2 * low - 1, high: 2 * high - 1, drifted: 2 * low - 1 > 0 };
}
