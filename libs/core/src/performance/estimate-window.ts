import { calibratedBins, calibrationBins, drawLabels, metricsOfBins, type BinnedMetric, type Calibration, type ScoreCounts } from './calibration-bins.js';

/** What the labels of a window will show, before they come. */
export interface WindowEstimate {
  readonly name: BinnedMetric['name'];
  readonly value: number;
  /** Where the metric that the labels will show lies, 95 %. */
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

const draws = 400;

export const rowsByBin = (scores: ScoreCounts): number[] => Array.from({ length: calibrationBins }, (_, bin) => scores[bin] ?? 0);

function quantileOf(ascending: readonly number[], share: number): number {
  const at = share * (ascending.length - 1);
  const low = Math.floor(at);
  const [below, above] = [ascending[low] ?? NaN, ascending[Math.min(ascending.length - 1, low + 1)] ?? NaN];
  return below + (above - below) * (at - low);
}

/**
 * Confidence-based estimation on binned scores (`estimatePerformance` is the same on rows): expected labels by calibrated
 * probability, and an interval for the realised metric from draws of the calibration and of the labels. The mix of scores
 * may shift; P(label | score) must hold. What the features say beyond the score is not weighted for: that needs rows.
 * Nothing for a window or a calibration without rows.
 * @param uniform seeded by the caller, so that the same window gives the same bytes.
 */
export function estimateWindow(calibration: Calibration, scores: ScoreCounts, uniform: () => number): WindowEstimate[] {
  const rows = rowsByBin(scores);
  const n = rows.reduce((sum, count) => sum + count, 0);
  if (n === 0 || [...calibration.positives, ...calibration.negatives].every((count) => count === 0)) return [];
  const probabilities = calibratedBins(calibration.positives, calibration.negatives);
  const expected = rows.map((count, bin) => count * (probabilities[bin] ?? 0));
  const drawn = new Map<string, number[]>();
  for (let draw = 0; draw < draws; draw += 1) {
    const labels = drawLabels(calibration, rows, uniform);
    for (const { name, value } of metricsOfBins(labels.positives, labels.negatives)) drawn.set(name, [...(drawn.get(name) ?? []), value]);
  }
  return metricsOfBins(expected, rows.map((count, bin) => count - (expected[bin] ?? 0))).flatMap(({ name, value }) => {
    const values = [...(drawn.get(name) ?? [])].sort((a, b) => a - b);
    return values.length === 0 ? [] : [{ name, value, low: quantileOf(values, 0.025), high: quantileOf(values, 0.975), n }];
  });
}
