/**
 * Anytime-valid interval for the mean of bounded observations by betting, exact at every sample size.
 *
 * For a fixed bet λ with 1 + λy > 0 for every possible y, the wealth Π (1 + λ yᵢ) / (1 + λ dᵢ) is a non-negative martingale
 * when dᵢ is the mean of yᵢ given its past (I. Waudby-Smith and A. Ramdas, “Estimating means of bounded random variables by
 * betting”, JRSS B 86, 2024, §4). log is concave, so replacing each dᵢ by their running average only lowers the wealth: the
 * interval holds the *running average* of the means at every look together, though the means change from one observation
 * to the next. Upper and lower bets are fixed mixtures (F. Orabona and K.-S. Jun, “Tight concentrations and confidence
 * sequences from the regret of universal portfolio”, IEEE Trans. Inf. Theory 70, 2024), and each bound errs with
 * probability at most α by Ville’s inequality.
 *
 * A mixture has a part for every size of effect, geometric over all possible bets from the first observation on, and a part
 * for the effects that are looked for: the bet that grows fastest against a mean that is off by e is about e / variance. The
 * variance has to be known before that part bets, so it starts after the first observations have shown it; until then its
 * money lies still. The promise of the running average then is, for this part, one over the observations since it began.
 */
export interface BettingSequence {
  readonly v: 1;
  readonly alpha: number;
  /** Bounds of every observation. */
  readonly lowest: number;
  readonly highest: number;
  readonly aimUp: Aim;
  readonly aimDown: Aim;
  n: number;
  sum: number;
  squares: number;
  fourths: number;
  /** Observations that the tuned part let pass; null while it waits. */
  waited: number | null;
  /** Bets on a higher mean, which push the lower bound up, and on a lower mean. */
  readonly up: Bets;
  readonly down: Bets;
}

/** Differences that are looked for: in units of the observations, and in their standard deviations. */
export interface Aim {
  readonly effects: readonly number[];
  readonly deviations: readonly number[];
}

/** Wealth of each bet is shareᵢ · exp(growthᵢ) / (1 + betᵢ · mean)^rows. The first `wide` bets run from the first observation. */
export interface Bets {
  readonly bets: number[];
  readonly shares: number[];
  readonly growths: number[];
}

export interface BettingPlan {
  readonly lowest: number;
  readonly highest: number;
  /** Error of each bound. */
  readonly alpha: number;
  readonly aimUp: Aim;
  readonly aimDown: Aim;
}

// Looked up once: these run some forty times per observation.
const { exp, log, log1p, max } = Math;

const wideCount = 12;
const wideRatio = 2.2;
const wideShare = 0.1;
/** Share of the largest possible bet that is ever bet. */
const betShareMax = 0.9;
/** Tuned bets as multiples of the best one for an effect, with shares like a bell over the logarithm. */
const tunedMultiples = [0.35, 0.5, 0.7, 1, 1.4, 2] as const;
const tunedSpread = 0.55;
const tunedWaitMin = 50;
const tunedWaitMax = 400;
/** Enough observations away from zero to trust their variance: (Σy²)² / Σy⁴, which is a count for equal sizes. */
const tunedCountMin = 8;

function wideBets(betMax: number): Bets {
  const bets = Array.from({ length: wideCount }, (_, index) => (betMax * betShareMax) / wideRatio ** index);
  return { bets, shares: bets.map(() => wideShare / wideCount), growths: bets.map(() => 0) };
}

/** @throws RangeError for bounds or an error that make no sense. */
export function startBetting({ lowest, highest, alpha, aimUp, aimDown }: BettingPlan): BettingSequence {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError('alpha must lie between 0 and 1');
  if (!(lowest < 0 && highest > 0)) throw new RangeError('observations must be able to lie on both sides of 0');
  return { v: 1, alpha, lowest, highest, aimUp, aimDown, n: 0, sum: 0, squares: 0, fourths: 0, waited: null, up: wideBets(-1 / lowest), down: wideBets(1 / highest) };
}

function addTuned(side: Bets, betMax: number, { effects, deviations }: Aim, variance: number): void {
  const best = [...effects.map((effect) => effect / variance), ...deviations.map((count) => count / Math.sqrt(variance))];
  const bell = tunedMultiples.map((multiple) => Math.exp(-0.5 * (Math.log(multiple) / tunedSpread) ** 2));
  const total = bell.reduce((sum, weight) => sum + weight, 0) * best.length;
  for (const centre of best) {
    tunedMultiples.forEach((multiple, index) => {
      side.bets.push(Math.min(betMax * betShareMax, centre * multiple));
      side.shares.push(((1 - wideShare) * (bell[index] ?? 0)) / total);
      side.growths.push(0);
    });
  }
}

function beginTuned(sequence: BettingSequence): void {
  const { n, squares, lowest, highest } = sequence;
  const smallest = (highest - lowest) ** 2 / 400;
  const variance = (smallest + squares) / (n + 1);
  addTuned(sequence.up, -1 / lowest, sequence.aimUp, variance);
  addTuned(sequence.down, 1 / highest, sequence.aimDown, variance);
  sequence.waited = n;
}

function grow({ bets, growths }: Bets, y: number, sign: 1 | -1): void {
  // ln(1 + x) to 1e-16 is enough for sums of this kind, and much faster than log1p.
  for (let k = 0; k < bets.length; k += 1) growths[k] = (growths[k] ?? 0) + log(1 + sign * (bets[k] ?? 0) * y);
}

/** Takes in one observation, in place; about 36 logarithms. @throws RangeError outside the bounds. */
export function extendBetting(sequence: BettingSequence, y: number): void {
  if (!(y >= sequence.lowest && y <= sequence.highest)) throw new RangeError(`${y} lies outside [${sequence.lowest}, ${sequence.highest}]`);
  const { n, squares, fourths } = sequence;
  const known = n >= tunedWaitMin && squares * squares >= tunedCountMin * fourths && squares > 0;
  if (sequence.waited === null && (known || n >= tunedWaitMax)) beginTuned(sequence);
  grow(sequence.up, y, 1);
  grow(sequence.down, y, -1);
  const square = y * y;
  sequence.n = n + 1;
  sequence.sum += y;
  sequence.squares += square;
  sequence.fourths += square * square;
}

/**
 * Logarithm of the wealth that has been won by betting against “the mean is `mean` or lower” (`up`) or “or higher” (`down`).
 * An e-process: it passes ln(1/α) with probability at most α where that is true. May answer −∞ when it is certain to lie below `needed`.
 */
export function bettingEvidence(sequence: BettingSequence, side: 'up' | 'down', mean: number, needed = -Infinity): number {
  const { bets, shares, growths } = sequence[side];
  const sign = side === 'up' ? 1 : -1;
  const { n, waited } = sequence;
  let largest = waited === null ? 0 : -Infinity;
  for (let k = 0; k < bets.length; k += 1) largest = max(largest, logWealth(k));
  if (largest < needed) return -Infinity;
  // Money that waits.
  let sum = waited === null ? (1 - wideShare) * exp(-largest) : 0;
  for (let k = 0; k < bets.length; k += 1) sum += (shares[k] ?? 0) * exp(logWealth(k) - largest);
  return largest + log(sum);

  function logWealth(k: number): number {
    if (mean === 0) return growths[k] ?? 0;
    const rows = k < wideCount ? n : n - (waited ?? n);
    return (growths[k] ?? 0) - rows * log1p(sign * (bets[k] ?? 0) * mean);
  }
}

/** The mean at which the wealth passes 1/α, by bisection between the bounds of the observations: it is monotone in the mean. */
function boundOf(sequence: BettingSequence, side: 'up' | 'down'): number {
  const needed = log(1 / sequence.alpha);
  let [refused, kept] = side === 'up' ? [sequence.lowest, sequence.highest] : [sequence.highest, sequence.lowest];
  if (bettingEvidence(sequence, side, refused, needed) < needed) return refused;
  for (let step = 0; step < 40; step += 1) {
    const middle = (refused + kept) / 2;
    if (bettingEvidence(sequence, side, middle, needed) >= needed) refused = middle;
    else kept = middle;
  }
  return refused;
}

/** Mean of the observations, and the interval at this look. Costs about 2,000 exponentials, and is good to a range / 2^40. */
export function bettingInterval(sequence: BettingSequence): { n: number; mean: number | null; low: number; high: number } {
  const { n, sum, lowest, highest } = sequence;
  if (n === 0) return { n, mean: null, low: lowest, high: highest };
  return { n, mean: sum / n, low: boundOf(sequence, 'up'), high: boundOf(sequence, 'down') };
}
