import { meanOf, type DriftAlarm, type Tally } from './alarm.js';

/**
 * ADWIN2 (A. Bifet and R. Gavaldà, “Learning from time-changing data with adaptive windowing”, SDM 2007): a window W of the
 * latest rows, cut wherever its older part W₀ and newer part W₁ differ, in mean, by
 *
 *     |μ₀ − μ₁| ≥ √(2/m · σ²_W · ln(2/δ′)) + 2/(3m) · ln(2/δ′),   1/m = 1/n₀ + 1/n₁,   δ′ = δ / ln n
 *
 * The window is kept as an exponential histogram: at most `bucketsMax` buckets of each of the sizes 1, 2, 4, …, hence
 * O(log n) state. Every border between buckets is tested, oldest first, and the oldest bucket is dropped until no border
 * differs. Evidence is |μ₀ − μ₁| over the limit at the first border that differed; threshold 1. It alarms on falls, too, and
 * may alarm several times for one change, while the window shrinks in steps. δ bounds no mean time between false alarms.
 *
 * River 0.26 differs: it skips the last bucket of each size (online-ml/river#1539), takes n₀ − 4 for n₀ and n₁ − 4 for n₁,
 * and forgets the whole window after an alarm, where the paper keeps W₁.
 *
 * @example
 *   const state = startAdwin();
 *   const alarm = observeAdwin(state, 0);
 */
export interface AdwinSettings {
  /** Confidence of the cut, in (0, 1). */
  readonly delta?: number;
  /** Rows between two checks; the paper’s is 1, MOA’s and river’s is 32. */
  readonly clock?: number;
  readonly bucketsMax?: number;
  /** Shorter parts of the window are not compared. */
  readonly partMin?: number;
  /** No check before so many rows are in the window. */
  readonly warmUp?: number;
}

export interface AdwinState {
  readonly v: 1;
  readonly detector: 'adwin';
  readonly settings: Required<AdwinSettings>;
  row: number;
  /** Of the window. `squares` is Σ (x − μ)². */
  rows: number;
  sum: number;
  squares: number;
  /** Level i has buckets of 2^i rows, oldest first. */
  levels: Bucket[][];
}

interface Bucket {
  readonly sum: number;
  readonly squares: number;
}

/** @throws RangeError for a δ outside (0, 1). */
export function startAdwin({ delta = 0.002, clock = 32, bucketsMax = 5, partMin = 5, warmUp = 10 }: AdwinSettings = {}): AdwinState {
  if (!(delta > 0 && delta < 1)) throw new RangeError('delta must lie between 0 and 1');
  return { v: 1, detector: 'adwin', settings: { delta, clock, bucketsMax, partMin, warmUp }, row: 0, rows: 0, sum: 0, squares: 0, levels: [[]] };
}

/** Σ (x − μ)² between two groups of rows. */
const between = (n: number, sum: number, m: number, otherSum: number): number => (n === 0 || m === 0 ? 0 : ((n * m) / (n + m)) * (sum / n - otherSum / m) ** 2);

function takeIn(state: AdwinState, x: number): void {
  state.squares += between(state.rows, state.sum, 1, x);
  state.rows += 1;
  state.sum += x;
  state.levels[0]?.push({ sum: x, squares: 0 });
  for (let level = 0; level < state.levels.length; level++) {
    const buckets = state.levels[level];
    if (buckets === undefined || buckets.length <= state.settings.bucketsMax) return;
    const [first, second] = buckets.splice(0, 2);
    if (first === undefined || second === undefined) return;
    const size = 2 ** level;
    const merged = { sum: first.sum + second.sum, squares: first.squares + second.squares + between(size, first.sum, size, second.sum) };
    const next = state.levels[level + 1];
    if (next === undefined) state.levels.push([merged]);
    else next.push(merged);
  }
}

function dropOldest(state: AdwinState): Tally {
  while (state.levels.length > 1 && state.levels.at(-1)?.length === 0) state.levels.pop();
  const size = 2 ** (state.levels.length - 1);
  const bucket = state.levels.at(-1)?.shift();
  if (bucket === undefined) return { rows: 0, sum: 0 };
  state.rows -= size;
  state.sum -= bucket.sum;
  state.squares = Math.max(0, state.squares - bucket.squares - between(size, bucket.sum, state.rows, state.sum));
  while (state.levels.length > 1 && state.levels.at(-1)?.length === 0) state.levels.pop();
  return { rows: size, sum: bucket.sum };
}

/** |μ₀ − μ₁| over its limit at the first border where that reaches 1, or null. */
function differingBorder({ levels, rows, sum, squares, settings }: AdwinState): { ratio: number; rise: boolean } | null {
  const logTerm = Math.log((2 * Math.log(rows)) / settings.delta);
  const variance = squares / rows;
  let n0 = 0;
  let sum0 = 0;
  for (let level = levels.length - 1; level >= 0; level--) {
    for (const bucket of levels[level] ?? []) {
      n0 += 2 ** level;
      sum0 += bucket.sum;
      const n1 = rows - n0;
      if (n0 < settings.partMin) continue;
      if (n1 < settings.partMin) return null;
      const reciprocal = 1 / n0 + 1 / n1;
      const limit = Math.sqrt(2 * reciprocal * variance * logTerm) + (2 / 3) * reciprocal * logTerm;
      const difference = (sum - sum0) / n1 - sum0 / n0;
      if (Math.abs(difference) >= limit) return { ratio: Math.abs(difference) / limit, rise: difference > 0 };
    }
  }
  return null;
}

/** Takes in one error in [0, 1], in place. */
export function observeAdwin(state: AdwinState, x: number): DriftAlarm | null {
  state.row += 1;
  takeIn(state, x);
  if (state.row % state.settings.clock !== 0 || state.rows <= state.settings.warmUp) return null;
  let border = differingBorder(state);
  if (border === null) return null;
  const first = border;
  const dropped: Tally = { rows: 0, sum: 0 };
  while (border !== null) {
    const { rows, sum } = dropOldest(state);
    dropped.rows += rows;
    dropped.sum += sum;
    border = state.rows > state.settings.partMin ? differingBorder(state) : null;
  }
  return { row: state.row, evidence: first.ratio, threshold: 1, direction: first.rise ? 'rise' : 'fall', errorBefore: meanOf(dropped), errorNow: meanOf(state), rowsNow: state.rows };
}
