import { logChoose } from './log-factorial.js';
import type { Proportion } from './two-proportion.js';

/** Terms that are smaller than this part of the largest change no sum in double precision. */
const negligible = 1e-18;

interface Margins {
  /** Rows of the reference and of the current sample, hits in both together. */
  readonly n: number;
  readonly m: number;
  readonly hits: number;
}

const marginsOf = (reference: Proportion, current: Proportion): Margins => ({ n: reference.n, m: current.n, hits: reference.hits + current.hits });

/** ln of P(k + 1) / P(k) of the current sample’s hits when its odds are e^logOdds times the reference’s (Fisher’s noncentral hypergeometric). */
const logStep = ({ n, m, hits }: Margins, k: number, logOdds: number): number => Math.log(((hits - k) * (m - k)) / ((k + 1) * (n - hits + k + 1))) + logOdds;

/** Largest k whose step is still upward: the steps fall with k. */
function modeOf(margins: Margins, logOdds: number): number {
  let [low, high] = [Math.max(0, margins.hits - margins.n), Math.min(margins.hits, margins.m)];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (logStep(margins, middle, logOdds) > 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** P(X ≥ k): sums outward from the mode, so that nothing overflows. */
function upperTail(margins: Margins, k: number, logOdds: number): number {
  const [first, last] = [Math.max(0, margins.hits - margins.n), Math.min(margins.hits, margins.m)];
  if (k <= first) return 1;
  if (k > last) return 0;
  const odds = Math.exp(logOdds);
  const { n, m, hits } = margins;
  const mode = modeOf(margins, logOdds);
  let [below, above] = [0, 0];
  for (let x = mode, weight = 1; x <= last && weight > negligible * (x >= k ? above : 1); x += 1) {
    if (x >= k) above += weight;
    else below += weight;
    weight *= (((hits - x) * (m - x)) / ((x + 1) * (n - hits + x + 1))) * odds;
  }
  for (let x = mode - 1, weight = 1; x >= first; x -= 1) {
    weight /= (((hits - x) * (m - x)) / ((x + 1) * (n - hits + x + 1))) * odds;
    if (weight < negligible) break;
    if (x >= k) above += weight;
    else below += weight;
  }
  return above / (above + below);
}

/**
 * P(X ≥ current hits) when the rows of both samples are exchangeable: Fisher’s exact test, one-sided (R. A. Fisher, 1934).
 * Exact at any size. Cost: some standard deviations of X.
 */
export function riseProbability(reference: Proportion, current: Proportion): number {
  const margins = marginsOf(reference, current);
  const k = current.hits;
  const [first, last] = [Math.max(0, margins.hits - margins.n), Math.min(margins.hits, margins.m)];
  if (k <= first) return 1;
  if (k <= modeOf(margins, 0) + 1) return upperTail(margins, k, 0);
  // In the tail, from its largest term on: keeps the relative precision of very small probabilities.
  let [sum, weight] = [0, 1];
  for (let x = k; x <= last && weight > negligible * sum; x += 1) {
    sum += weight;
    weight *= ((margins.hits - x) * (margins.m - x)) / ((x + 1) * (margins.n - margins.hits + x + 1));
  }
  return Math.min(1, sum * Math.exp(logChoose(margins.m, k) + logChoose(margins.n, margins.hits - k) - logChoose(margins.n + margins.m, margins.hits)));
}

/** Odds ratios beyond e^±64 are as good as infinite. */
const logOddsMax = 64;

/** Lower confidence limit of ln(odds ratio), at the level 1 − alpha (J. Cornfield, 1956: the exact conditional interval). */
function logOddsLowerBound(margins: Margins, k: number, alpha: number): number {
  if (upperTail(margins, k, -logOddsMax) >= alpha) return -Infinity;
  let [low, high] = [-logOddsMax, logOddsMax];
  for (let step = 0; step < 44; step += 1) {
    const middle = (low + high) / 2;
    if (upperTail(margins, k, middle) < alpha) low = middle;
    else high = middle;
  }
  return low;
}

/** Current share minus reference share when the odds ratio is e^logOdds and both samples together have the hits they have. */
function differenceAt({ n, m, hits }: Margins, logOdds: number): number {
  const ratio = Math.exp(logOdds);
  if (ratio === 0) return hits <= n ? -hits / n : (hits - n) / m - 1;
  const [a, b] = [n * (ratio - 1), n + m * ratio - hits * (ratio - 1)];
  const p = Math.abs(ratio - 1) < 1e-12 ? hits / (n + m) : (2 * hits) / (b + Math.sqrt(Math.max(0, b * b + 4 * a * hits)));
  return (ratio * p) / (1 - p + ratio * p) - p;
}

export interface ShareRise {
  /** Current share minus reference share. */
  readonly effect: number;
  /** Lower confidence bound of it; above 0 exactly when `pValue` is below alpha. */
  readonly lowerBound: number;
  /** Fisher’s exact test against a rise. */
  readonly pValue: number;
}

/**
 * By how much has a share risen, at least? The exact conditional lower limit of the odds ratio at the level 1 − alpha,
 * turned into a difference of shares at the pooled share. So the bound is above 0 exactly when Fisher’s one-sided test
 * rejects at alpha: at any size and share the chance of that is at most alpha when rows are exchangeable.
 * @throws RangeError when a sample is empty.
 */
export function shareRise(reference: Proportion, current: Proportion, alpha: number): ShareRise {
  if (reference.n === 0 || current.n === 0) throw new RangeError('an empty sample cannot be compared');
  const margins = marginsOf(reference, current);
  const effect = current.hits / current.n - reference.hits / reference.n;
  const bound = Math.min(effect, differenceAt(margins, logOddsLowerBound(margins, current.hits, alpha)));
  const pValue = riseProbability(reference, current);
  return { effect, lowerBound: pValue < alpha ? bound : Math.min(0, bound), pValue };
}
