import { isotonicAt, isotonicOfSorted, type IsotonicFit } from '../statistics/isotonic-regression.js';
import { confusionMetrics, metricOfConfusion, type Confusion, type ConfusionMetric } from './confusion-metrics.js';

/** Where labels are known: scores of the positive class in [0, 1] and truths 0 or 1, one per row. */
export interface LabelledScores {
  readonly scores: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  /** How much each row counts: p_current(x) / p_reference(x) where the mix of inputs has shifted. Default: 1. */
  readonly weights?: ArrayLike<number>;
}

export interface EstimatedMetric {
  readonly metric: ConfusionMetric;
  /** null: the metric is not defined on these rows. */
  readonly value: number | null;
  /** Where the metric that labels will show lies, at `confidence`. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface EstimateOptions {
  /** Scores from here on are called positive. Default 0.5. */
  readonly threshold?: number;
  readonly confidence?: number;
  /** Draws behind the interval. Default 200. */
  readonly draws?: number;
  /** Uniform on [0, 1); seeded by the caller. */
  readonly uniform: () => number;
}

interface SortedReference {
  readonly scores: Float64Array;
  readonly labels: Float64Array;
  readonly weights: Float64Array;
}

function sorted({ scores, labels, weights }: LabelledScores): SortedReference {
  if (scores.length !== labels.length || (weights !== undefined && weights.length !== scores.length)) throw new RangeError('scores, labels and weights must have the same length');
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const take = (values: ArrayLike<number>): Float64Array => Float64Array.from(order, (index) => values[index] ?? 0);
  return { scores: take(scores), labels: take(labels), weights: weights === undefined ? new Float64Array(scores.length).fill(1) : take(weights) };
}

function expectedConfusion(probabilities: Float64Array, positive: Uint8Array): Confusion {
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  probabilities.forEach((p, row) => {
    if (positive[row] === 1) {
      tp += p;
      fp += 1 - p;
    } else {
      fn += p;
      tn += 1 - p;
    }
  });
  return { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn };
}

/** One possible truth: each label drawn with its probability. */
function drawnConfusion(probabilities: Float64Array, positive: Uint8Array, uniform: () => number): Confusion {
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  probabilities.forEach((p, row) => {
    const truth = uniform() < p;
    if (positive[row] === 1) truth ? (tp += 1) : (fp += 1);
    else truth ? (fn += 1) : (tn += 1);
  });
  return { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn };
}

/** Poisson(1) by inversion, for bootstrap weights. */
function poissonOne(uniform: () => number): number {
  let [count, term, rest] = [0, Math.exp(-1), uniform()];
  while (rest > term && count < 12) {
    rest -= term;
    count += 1;
    term /= count;
  }
  return count;
}

const calibratedBy = (fit: IsotonicFit, scores: ArrayLike<number>): Float64Array => Float64Array.from(scores, (score) => isotonicAt(fit, score));

function quantileOf(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const ordered = [...values].sort((a, b) => a - b);
  const at = share * (ordered.length - 1);
  const low = Math.floor(at);
  const [below, above] = [ordered[low] ?? 0, ordered[Math.min(ordered.length - 1, low + 1)] ?? 0];
  return below + (above - below) * (at - low);
}

/**
 * Confidence-based performance estimation: what the metrics of rows without labels will be. Scores are calibrated by
 * isotonic regression on labelled rows, and the probabilities give the expected confusion matrix (NannyML, “CBPE”,
 * how-it-works; calibration weighted by the density ratio as in J. Białek et al., arXiv 2401.08348). The interval holds
 * the *realised* metric: each draw resamples the labelled rows (Poisson bootstrap), calibrates anew, and draws the labels.
 * It assumes that P(label | score), weighted, still holds: concept drift breaks it, and the gap to the realised metric
 * (`performanceGap`) shows that.
 * @throws RangeError for lengths that differ or no labelled rows.
 */
export function estimatePerformance(reference: LabelledScores, current: ArrayLike<number>, { threshold = 0.5, confidence = 0.95, draws = 200, uniform }: EstimateOptions): EstimatedMetric[] {
  const known = sorted(reference);
  if (known.scores.length === 0) throw new RangeError('there are no labelled rows to calibrate on');
  const positive = Uint8Array.from(current, (score) => (score >= threshold ? 1 : 0));
  const expected = expectedConfusion(calibratedBy(isotonicOfSorted(known.scores, known.labels, known.weights), current), positive);
  const drawn = new Map<ConfusionMetric, number[]>(confusionMetrics.map((metric) => [metric, []]));
  const weights = new Float64Array(known.scores.length);
  for (let draw = 0; draw < draws && current.length > 0; draw += 1) {
    known.weights.forEach((weight, row) => (weights[row] = weight * poissonOne(uniform)));
    const confusion = drawnConfusion(calibratedBy(isotonicOfSorted(known.scores, known.labels, weights), current), positive, uniform);
    for (const [metric, values] of drawn) {
      const value = metricOfConfusion(metric, confusion);
      if (value !== null) values.push(value);
    }
  }
  const tail = (1 - confidence) / 2;
  return confusionMetrics.map((metric) => {
    const values = drawn.get(metric) ?? [];
    return { metric, value: current.length === 0 ? null : metricOfConfusion(metric, expected), low: quantileOf(values, tail), high: quantileOf(values, 1 - tail) };
  });
}

/** The calibrated probability of the positive class for each score; for `performanceGap` and for pictures. */
export function calibratedScores(reference: LabelledScores, scores: ArrayLike<number>): Float64Array {
  const known = sorted(reference);
  return calibratedBy(isotonicOfSorted(known.scores, known.labels, known.weights), scores);
}
