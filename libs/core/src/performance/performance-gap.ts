import { calibratedBins, drawLabels, metricsOfBins, type Calibration } from './calibration-bins.js';
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

/** Of a window whose labels have come: the share of wrong answers, what its probabilities had promised, and the difference. */
export interface WindowGap {
  readonly n: number;
  readonly realised: number;
  readonly expected: number;
  /** Realised − expected. */
  readonly gap: number;
  /** Of the gap, while the probabilities hold: noise of the labels and of the calibration. */
  readonly standardError: number;
}

const gapDraws = 400;

/**
 * The gap of one window, from labels by score bin: it adds up over partitions in any order, and is judged once, when the
 * window closes. (`PerformanceGap` above may be looked at after every row, and needs their order.) null without rows.
 * @param uniform seeded by the caller.
 */
export function windowGap(calibration: Calibration, { positives, negatives }: Calibration, uniform: () => number): WindowGap | null {
  const rows = positives.map((count, bin) => count + (negatives[bin] ?? 0));
  const accuracyOf = (p: readonly number[], q: readonly number[]): number => metricsOfBins(p, q).find(({ name }) => name === 'accuracy')?.value ?? NaN;
  const n = rows.reduce((sum, count) => sum + count, 0);
  if (n === 0 || [...calibration.positives, ...calibration.negatives].every((count) => count === 0)) return null;
  const probabilities = calibratedBins(calibration.positives, calibration.negatives);
  const promised = rows.map((count, bin) => count * (probabilities[bin] ?? 0));
  const fitted = 1 - accuracyOf(promised, rows.map((count, bin) => count - (promised[bin] ?? 0)));
  const realised = 1 - accuracyOf(positives, negatives);
  let [sum, squares] = [0, 0];
  for (let draw = 0; draw < gapDraws; draw += 1) {
    const labels = drawLabels(calibration, rows, uniform);
    const error = 1 - accuracyOf(labels.positives, labels.negatives);
    sum += error;
    squares += error * error;
  }
  // A fit that must ascend is a little too sure around the threshold; drawn anew it is so again, by as much.
  const expected = Math.min(1, Math.max(0, 2 * fitted - sum / gapDraws));
  const standardError = Math.sqrt(Math.max(0, squares / gapDraws - (sum / gapDraws) ** 2));
  return { n, realised, expected, gap: realised - expected, standardError };
}
