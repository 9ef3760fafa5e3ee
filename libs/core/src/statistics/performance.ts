import { wilsonInterval } from './intervals/index.js';
import { normalQuantileOf } from './tests/two-proportion.js';

export type Task = 'binary' | 'multiclass' | 'regression';

/** What a model said of one record, as predictions carry it. */
export interface Said {
  readonly label?: boolean | number | string;
  readonly probability?: number;
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly value?: number;
}

/** Sums from which every metric of a task follows; they add up over partitions, in any order. Plain JSON. */
export interface PerformanceSums {
  readonly v: 1;
  readonly task: Task;
  n: number;
  /** Outcomes that could not be judged, such as a prediction without probability. */
  unusable: number;
  correct: number;
  loss: number;
  lossSquares: number;
  logLoss: number;
  logLossSquares: number;
  /** Binary: counts per score bin of the positives and the negatives. */
  readonly positives: number[];
  readonly negatives: number[];
  /** Regression: Σ|e|, Σ|e|², Σe, Σy, Σy². */
  absolute: number;
  absoluteSquares: number;
  error: number;
  truth: number;
  truthSquares: number;
}

export interface MeasuredMetric {
  readonly name: string;
  readonly value: number;
  readonly n: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly better: 'higher' | 'lower' | 'neither';
}

/** Scores in 1,000 equal bins: AUC is off by at most half the share of pairs that fall into one bin. */
const scoreBins = 1_000;
const probabilityFloor = 1e-15;

export function emptyPerformance(task: Task): PerformanceSums {
  const bins = task === 'binary' ? scoreBins : 0;
  return {
    v: 1, task, n: 0, unusable: 0, correct: 0, loss: 0, lossSquares: 0, logLoss: 0, logLossSquares: 0,
    positives: new Array<number>(bins).fill(0), negatives: new Array<number>(bins).fill(0),
    absolute: 0, absoluteSquares: 0, error: 0, truth: 0, truthSquares: 0,
  };
}

/**
 * Loss of one prediction: Brier (p − y)² for binary; half the multi-class Brier score ½ Σ (p_k − y_k)² (G. W. Brier, Mon.
 * Weather Rev. 78, 1950), which is the same for two classes, for multi-class; squared error for regression. The first two
 * lie in [0, 1] and are proper: a model cannot gain by claiming more certainty than it has, as it can with 1 − p(true class).
 * null when the prediction does not carry what the task needs.
 */
export function lossOf(task: Task, said: Said, label: boolean | number | string): number | null {
  if (task === 'binary') return said.probability === undefined || typeof label !== 'boolean' ? null : (said.probability - (label ? 1 : 0)) ** 2;
  if (task === 'multiclass') return said.probabilities === undefined ? null : halfBrier(said.probabilities, String(label));
  return said.value === undefined || typeof label !== 'number' ? null : (said.value - label) ** 2;
}

function halfBrier(probabilities: Readonly<Record<string, number>>, truth: string): number {
  let sum = Object.hasOwn(probabilities, truth) ? 0 : 1;
  for (const [name, probability] of Object.entries(probabilities)) sum += (probability - (name === truth ? 1 : 0)) ** 2;
  return sum / 2;
}

/**
 * A loss of a classification on a grid of 2^-30: sums of such numbers below 2^23 are exact, so that they have no order. Off by at most
 * 5e-10. Losses of a regression have no bound, and no grid that suits all: their sums depend on the order in their last bits.
 */
const onGrid = (loss: number): number => Math.round(loss * 2 ** 30) / 2 ** 30;

/** Counts one outcome, in place. */
export function observeOutcome(sums: PerformanceSums, said: Said, label: boolean | number | string): void {
  const loss = lossOf(sums.task, said, label);
  if (loss === null) {
    sums.unusable += 1;
    return;
  }
  sums.n += 1;
  if (sums.task === 'regression') {
    sums.loss += loss;
    sums.lossSquares += loss * loss;
    return observeError(sums, (said.value ?? 0) - Number(label), Number(label));
  }
  sums.loss += onGrid(loss);
  sums.lossSquares += onGrid(loss * loss);
  const truthProbability = sums.task === 'binary' ? (label === true ? (said.probability ?? 0) : 1 - (said.probability ?? 0)) : (said.probabilities?.[String(label)] ?? 0);
  const logLoss = -Math.log(Math.max(probabilityFloor, truthProbability));
  sums.logLoss += onGrid(logLoss);
  sums.logLossSquares += onGrid(logLoss * logLoss);
  const answer = said.label ?? (sums.task === 'binary' ? (said.probability ?? 0) >= 0.5 : undefined);
  if (answer !== undefined && String(answer) === String(label)) sums.correct += 1;
  if (sums.task !== 'binary') return;
  const bin = Math.min(scoreBins - 1, Math.floor((said.probability ?? 0) * scoreBins));
  const side = label === true ? sums.positives : sums.negatives;
  side[bin] = (side[bin] ?? 0) + 1;
}

function observeError(sums: PerformanceSums, error: number, truth: number): void {
  sums.absolute += Math.abs(error);
  sums.absoluteSquares += error * error;
  sums.error += error;
  sums.truth += truth;
  sums.truthSquares += truth * truth;
}

const sumsToAdd = ['n', 'unusable', 'correct', 'loss', 'lossSquares', 'logLoss', 'logLossSquares', 'absolute', 'absoluteSquares', 'error', 'truth', 'truthSquares'] as const;

/** @throws RangeError when the tasks differ. */
export function mergePerformance(a: PerformanceSums, b: PerformanceSums): PerformanceSums {
  if (a.task !== b.task) throw new RangeError(`a ${a.task} and a ${b.task} performance cannot be merged`);
  const add = (x: readonly number[], y: readonly number[]): number[] => x.map((count, bin) => count + (y[bin] ?? 0));
  const merged: PerformanceSums = { ...a, positives: add(a.positives, b.positives), negatives: add(a.negatives, b.negatives) };
  for (const name of sumsToAdd) merged[name] = a[name] + b[name];
  return merged;
}

/**
 * Area under the ROC curve from score counts, ties counting half, with DeLong’s variance (E. R. DeLong et al.,
 * Biometrics 44, 1988) computed on the same counts. null when a class is missing.
 */
export function aucOf(positives: readonly number[], negatives: readonly number[]): { value: number; standardError: number } | null {
  const [p, q] = [positives.reduce((a, b) => a + b, 0), negatives.reduce((a, b) => a + b, 0)];
  if (p === 0 || q === 0) return null;
  let [below, positivesBelow, area, squaresP, squaresQ] = [0, 0, 0, 0, 0];
  for (let bin = 0; bin < positives.length; bin += 1) {
    const [x, y] = [positives[bin] ?? 0, negatives[bin] ?? 0];
    const placementP = (below + y / 2) / q;
    const placementQ = (p - positivesBelow - x / 2) / p;
    area += x * placementP;
    squaresP += x * placementP * placementP;
    squaresQ += y * placementQ * placementQ;
    below += y;
    positivesBelow += x;
  }
  const value = area / p;
  const variance = (squares: number, n: number): number => (n < 2 ? 0 : Math.max(0, squares - n * value * value) / (n - 1));
  return { value, standardError: Math.sqrt(variance(squaresP, p) / p + variance(squaresQ, q) / q) };
}

function meanMetric(name: string, sum: number, squares: number, n: number, z: number, better: 'higher' | 'lower' | 'neither'): MeasuredMetric {
  const value = sum / n;
  const error = n < 2 ? null : Math.sqrt(Math.max(0, squares - n * value * value) / (n - 1) / n);
  return { name, value, n, low: error === null ? null : value - z * error, high: error === null ? null : value + z * error, better };
}

function binaryMetrics(sums: PerformanceSums, z: number, confidence: number): MeasuredMetric[] {
  const { n } = sums;
  const positives = sums.positives.reduce((a, b) => a + b, 0);
  const auc = aucOf(sums.positives, sums.negatives);
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  const metrics: MeasuredMetric[] = [];
  if (auc !== null) metrics.push({ name: 'auc', value: auc.value, n, low: within(auc.value - z * auc.standardError), high: within(auc.value + z * auc.standardError), better: 'higher' });
  metrics.push({ name: 'accuracy', value: sums.correct / n, n, ...wilsonInterval(sums.correct, n, confidence), better: 'higher' });
  metrics.push(meanMetric('log-loss', sums.logLoss, sums.logLossSquares, n, z, 'lower'), meanMetric('brier', sums.loss, sums.lossSquares, n, z, 'lower'));
  metrics.push({ name: 'positive-rate', value: positives / n, n, ...wilsonInterval(positives, n, confidence), better: 'neither' });
  return metrics;
}

function regressionMetrics(sums: PerformanceSums, z: number): MeasuredMetric[] {
  const { n } = sums;
  const mse = meanMetric('mse', sums.loss, sums.lossSquares, n, z, 'lower');
  const root = (value: number | null): number | null => (value === null ? null : Math.sqrt(Math.max(0, value)));
  const spread = sums.truthSquares - (sums.truth * sums.truth) / n;
  const metrics: MeasuredMetric[] = [
    meanMetric('mae', sums.absolute, sums.absoluteSquares, n, z, 'lower'),
    { name: 'rmse', value: Math.sqrt(mse.value), n, low: root(mse.low), high: root(mse.high), better: 'lower' },
  ];
  const explained = (meanSquare: number | null): number | null => (meanSquare === null ? null : 1 - (meanSquare * n) / spread);
  // The interval of R² is that of the squared errors, given the spread of these labels.
  if (spread > 0) metrics.push({ name: 'r2', value: 1 - sums.loss / spread, n, low: explained(mse.high), high: explained(mse.low), better: 'higher' });
  metrics.push(meanMetric('mean-error', sums.error, sums.loss, n, z, 'neither'));
  return metrics;
}

/** Every metric of the task, with a normal or Wilson interval at `confidence`; none when nothing was observed. */
export function metricsOf(sums: PerformanceSums, confidence = 0.95): MeasuredMetric[] {
  if (sums.n === 0) return [];
  const z = normalQuantileOf(1 - (1 - confidence) / 2);
  if (sums.task === 'binary') return binaryMetrics(sums, z, confidence);
  if (sums.task === 'regression') return regressionMetrics(sums, z);
  return [
    { name: 'accuracy', value: sums.correct / sums.n, n: sums.n, ...wilsonInterval(sums.correct, sums.n, confidence), better: 'higher' },
    meanMetric('log-loss', sums.logLoss, sums.logLossSquares, sums.n, z, 'lower'),
  ];
}
