import { sha256Hex, type Finding } from '@millrace/contracts';
import { estimateWindow, observeScore, type ScoreCounts, type WindowEstimate } from '../performance/index.js';
import { gridSample, normalQuantileOf, seededUniforms, type FeatureCounts } from '../statistics/index.js';
import type { MonitoredModel } from './monitored-model.js';
import type { PaneKey } from './pane.js';
import type { Reference } from './reference.js';
import { verdictIdOf } from './window-verdict.js';

/** Scores of a window by bin, from the counts of its output; a cell of the counts is finer than a bin. */
function scoresOf(output: FeatureCounts): ScoreCounts {
  const scores: ScoreCounts = {};
  if (output.kind !== 'number') return scores;
  const { values, counts } = gridSample(output.values);
  values.forEach((score, cell) => observeScore(scores, score, counts[cell] ?? 0));
  return scores;
}

function findingOf({ name, value, low, high, n }: WindowEstimate, { calibration, metrics }: Reference, { estimation: { worseByMax }, policy: { alpha, rowsMin } }: MonitoredModel): Finding {
  const reference = metrics.find((metric) => metric.name === name)?.value ?? null;
  const threshold = name !== 'accuracy' || worseByMax === null || reference === null ? null : reference - worseByMax;
  // The interval is one of 95 %; an alarm wants the level of the window.
  const certain = value + (normalQuantileOf(1 - alpha) * (high - low)) / (2 * normalQuantileOf(0.975));
  const outcome = threshold === null ? 'passed' : n < rowsMin ? 'inconclusive' : certain < threshold ? 'failed' : value < threshold ? 'inconclusive' : 'passed';
  const was = reference === null ? '' : `, ${reference.toFixed(3)} at training`;
  return {
    subject: name, detector: 'estimated', outcome, statistic: value, threshold, pValue: null, pAdjusted: null, reference, low, high,
    referenceRows: [...(calibration?.positives ?? []), ...(calibration?.negatives ?? [])].reduce((sum, rows) => sum + rows, 0), currentRows: n,
    reason: `${name} is estimated at ${value.toFixed(3)} before labels (95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}, ${n.toLocaleString('en-US')} predictions${was}), if the scores mean what they meant${threshold === null ? '' : `; at least ${threshold.toFixed(3)} is wanted`}`,
  };
}

/** What the labels of a window will show, as far as its scores tell. Nothing for a version without calibration, or without scores. */
export function estimateFindings([pane]: readonly PaneKey[], output: FeatureCounts, reference: Reference, model: MonitoredModel): Finding[] {
  if (reference.calibration === null || pane === undefined) return [];
  // Seeded by the window’s name: the same window gives the same bytes.
  const uniform = seededUniforms(Number.parseInt(sha256Hex(verdictIdOf('drift', pane)).slice(0, 8), 16));
  return estimateWindow(reference.calibration, scoresOf(output), uniform).map((estimate) => findingOf(estimate, reference, model));
}
