import type { Feature, LabelledStream } from './stream.js';

/** A model that no longer learns: from features to its error on the label, 0 or 1 for classes, a loss in [0, 1] for numbers. */
export type ErrorOf = (row: Float64Array, label: number) => number;

export interface TrainingRows {
  readonly rows: readonly Float64Array[];
  readonly labels: readonly number[];
}

function binOf({ low, high, bins }: Feature, value: number): number {
  return Math.max(0, Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins)));
}

/** Features of a row as places in one table of all bins. */
function placer(features: readonly Feature[]): { readonly size: number; place(row: Float64Array, index: number): number } {
  const starts: number[] = [];
  let size = 0;
  for (const { bins } of features) {
    starts.push(size);
    size += bins;
  }
  return { size, place: (row, index) => (starts[index] ?? 0) + binOf(features[index] ?? { name: '', low: 0, high: 1, bins: 1 }, row[index] ?? 0) };
}

/** Naive Bayes on equal bins with one count added to each (P. Domingos and M. Pazzani, Machine Learning 29, 1997). */
function naiveBayes(features: readonly Feature[], classes: number, { rows, labels }: TrainingRows): ErrorOf {
  const { size, place } = placer(features);
  const counts = new Float64Array(classes * size).fill(1);
  const perClass = new Float64Array(classes).fill(1);
  rows.forEach((row, at) => {
    const label = labels[at] ?? 0;
    perClass[label] = (perClass[label] ?? 0) + 1;
    for (let index = 0; index < features.length; index++) counts[label * size + place(row, index)] = (counts[label * size + place(row, index)] ?? 0) + 1;
  });
  const logs = counts.map((count, at) => Math.log(count / (perClass[Math.floor(at / size)] ?? 1)));
  const priors = perClass.map((count) => Math.log(count));
  const places = new Int32Array(features.length);
  return (row, label) => {
    for (let index = 0; index < places.length; index++) places[index] = place(row, index);
    let best = 0;
    let bestScore = -Infinity;
    for (let candidate = 0; candidate < classes; candidate++) {
      let score = priors[candidate] ?? 0;
      for (let index = 0; index < places.length; index++) score += logs[candidate * size + (places[index] ?? 0)] ?? 0;
      if (score > bestScore) [best, bestScore] = [candidate, score];
    }
    return Number(best !== label);
  };
}

/** Rounds of backfitting; on independent features the second changes little. */
const rounds = 4;

/** Additive model on equal bins by backfitting (A. Buja, T. Hastie and R. Tibshirani, Annals of Statistics 17, 1989); the loss is |error| over the 99 % quantile of the training rows’, at most 1. */
function additiveModel(features: readonly Feature[], { rows, labels }: TrainingRows): ErrorOf {
  const { size, place } = placer(features);
  const effects = new Float64Array(size);
  const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  const predict = (row: Float64Array): number => features.reduce((sum, _, index) => sum + (effects[place(row, index)] ?? 0), mean);
  const residuals = labels.map((label) => label - mean);
  for (let round = 0; round < rounds * features.length; round++) {
    const index = round % features.length;
    const sums = new Float64Array(size);
    const counts = new Float64Array(size);
    rows.forEach((row, at) => {
      const spot = place(row, index);
      sums[spot] = (sums[spot] ?? 0) + (residuals[at] ?? 0);
      counts[spot] = (counts[spot] ?? 0) + 1;
    });
    const steps = sums.map((sum, spot) => sum / Math.max(1, counts[spot] ?? 1));
    steps.forEach((step, spot) => (effects[spot] = (effects[spot] ?? 0) + step));
    rows.forEach((row, at) => (residuals[at] = (residuals[at] ?? 0) - (steps[place(row, index)] ?? 0)));
  }
  const sorted = residuals.map(Math.abs).sort((a, b) => a - b);
  const scale = sorted[Math.floor(0.99 * sorted.length)] ?? 1;
  return (row, label) => Math.min(1, Math.abs(label - predict(row)) / scale);
}

/** A small model of the stream’s old concept. It is meant to be wrong in honest ways, not to be good. */
export function train(stream: LabelledStream, training: TrainingRows): ErrorOf {
  return stream.classes === null ? additiveModel(stream.features, training) : naiveBayes(stream.features, stream.classes, training);
}
