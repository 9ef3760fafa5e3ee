import { MillraceError } from '@millrace/contracts';
import { seededUniforms } from '../statistics/index.js';

export interface SampledAttribution {
  /** Mean of f over the background rows. */
  readonly base: number;
  /** f of the explained row. */
  readonly output: number;
  /** Per player; base + Σ = output. */
  readonly values: Float64Array;
  /**
   * Per player: how far chance in the orders may have put the value from the exact one, as one standard deviation. 0 where all
   * coalitions were run; else 0 says that no sampled order differed.
   */
  readonly standardErrors: Float64Array;
  readonly evaluations: number;
}

type Evaluate<V> = (rows: readonly (readonly V[])[]) => Promise<ArrayLike<number>> | ArrayLike<number>;

export interface PermutationOptions {
  /**
   * Most calls of f for one explained row; default 10,000. All coalitions are run where they fit in it; at least two pairs of
   * orders per background row are run all the same.
   */
  readonly evaluationsMax?: number;
  /** The same seed gives the same orders; default 1. */
  readonly seed?: number;
}

const pairsMax = 64;
const enumeratedPlayersMax = 13;

/** Fisher-Yates. */
function order(count: number, uniform: () => number): Int32Array {
  const players = Int32Array.from({ length: count }, (_, player) => player);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = Math.floor(uniform() * (at + 1));
    [players[at], players[other]] = [players[other] ?? 0, players[at] ?? 0];
  }
  return players;
}

/** From the background row to the explained one, one player at a time; both ends left out. */
function* steps<V>(row: readonly V[], from: readonly V[], players: Iterable<number>): Generator<readonly V[]> {
  const hybrid = [...from];
  let left = row.length;
  for (const player of players) {
    left -= 1;
    if (left === 0) return;
    hybrid[player] = row[player] as V;
    yield [...hybrid];
  }
}

/** Adds what each player changed to `changes`, given f along one order. */
function addChanges(changes: Float64Array, players: Int32Array, from: number, between: ArrayLike<number>, offset: number, to: number): void {
  let before = from;
  players.forEach((player, step) => {
    const after = step === players.length - 1 ? to : (between[offset + step] ?? NaN);
    changes[player] = (changes[player] ?? 0) + (after - before) / 2;
    before = after;
  });
}

/**
 * Shapley values of any function by sampling orders of its arguments: along an order, the background row's values are replaced
 * one by one by the explained row's, and each change of f counts for its player. Every order is followed by its reverse
 * (antithetic: Mitchell et al. 2022, “Sampling permutations for Shapley value estimation”), and every background row gets
 * the same number of pairs, so that Σ values = f(row) − mean f(background) up to rounding. For an additive f the values are exact.
 *
 * The error is that of the sampled orders, given this background: within background rows, between pairs. With few players all
 * coalitions are run instead, and there is none.
 * @param f one finite number per row, in order; called with batches.
 * @param background at least one row; all are used.
 * @throws MillraceError EXPLANATION_UNAVAILABLE without background, or when f is not finite on a row.
 */
export async function permutationShap<V>(
  f: Evaluate<V>,
  row: readonly V[],
  background: readonly (readonly V[])[],
  { evaluationsMax = 10_000, seed = 1 }: PermutationOptions = {},
): Promise<SampledAttribution> {
  const players = row.length;
  if (background.length === 0) throw new MillraceError('EXPLANATION_UNAVAILABLE', 'a sampled explanation compares with background rows, and none were given');
  if (players <= enumeratedPlayersMax && background.length * 2 ** players <= evaluationsMax) return enumerated(f, row, background);
  const ends = await evaluated(f, [row, ...background]);
  const inner = 2 * Math.max(0, players - 1);
  const pairs = players < 2 ? 1 : Math.max(2, Math.min(pairsMax, Math.floor(evaluationsMax / (background.length * Math.max(1, inner)))));
  const uniform = seededUniforms(seed);
  const [values, variances] = [new Float64Array(players), new Float64Array(players)];
  for (const [index, from] of background.entries()) {
    const orders = Array.from({ length: pairs }, () => order(players, uniform));
    const hybrids = orders.flatMap((each) => [...steps(row, from, each), ...steps(row, from, each.toReversed())]);
    const between = await evaluated(f, hybrids);
    const sampled = orders.map((each, pair) => {
      const changes = new Float64Array(players);
      const [low, high] = [ends[index + 1] ?? NaN, ends[0] ?? NaN];
      addChanges(changes, each, low, between, pair * inner, high);
      addChanges(changes, each.toReversed(), low, between, pair * inner + inner / 2, high);
      return changes;
    });
    gather(sampled, values, variances, background.length);
  }
  const base = Array.from(background, (_, index) => ends[index + 1] ?? NaN).reduce((sum, end) => sum + end, 0) / background.length;
  return { base, output: ends[0] ?? NaN, values, standardErrors: variances.map(Math.sqrt), evaluations: 1 + background.length * (1 + pairs * inner) };
}

/** Every coalition S counts with |S|! (n − 1 − |S|)! / n! for each player outside it. */
async function enumerated<V>(f: Evaluate<V>, row: readonly V[], background: readonly (readonly V[])[]): Promise<SampledAttribution> {
  const players = row.length;
  const coalitions = 2 ** players;
  const worth = new Float64Array(coalitions);
  for (const from of background) {
    const hybrids = Array.from({ length: coalitions }, (_, members) => from.map((value, player) => ((members >> player) & 1 ? (row[player] as V) : value)));
    (await evaluated(f, hybrids)).forEach((value, members) => (worth[members] = (worth[members] ?? 0) + value / background.length));
  }
  const weights = new Float64Array(players + 1);
  for (let size = 0; size < players; size += 1) weights[size] = size === 0 ? 1 / players : ((weights[size - 1] ?? 0) * size) / (players - size);
  const values = new Float64Array(players);
  worth.forEach((without, members) => {
    const weight = weights[sizeOf(members)] ?? 0;
    for (let player = 0; player < players; player += 1) {
      if (((members >> player) & 1) === 0) values[player] = (values[player] ?? 0) + weight * ((worth[members | (1 << player)] ?? NaN) - without);
    }
  });
  return { base: worth[0] ?? NaN, output: worth[coalitions - 1] ?? NaN, values, standardErrors: new Float64Array(players), evaluations: background.length * coalitions };
}

function sizeOf(members: number): number {
  let size = 0;
  for (let rest = members; rest !== 0; rest &= rest - 1) size += 1;
  return size;
}

/** Mean over the pairs of one background row, and the variance of that mean; both weighted for the average over `strata` rows. */
function gather(sampled: readonly Float64Array[], values: Float64Array, variances: Float64Array, strata: number): void {
  const count = sampled.length;
  for (let player = 0; player < values.length; player += 1) {
    const changes = sampled.map((each) => each[player] ?? 0);
    const mean = changes.reduce((sum, change) => sum + change, 0) / count;
    const squares = changes.reduce((sum, change) => sum + (change - mean) ** 2, 0);
    values[player] = (values[player] ?? 0) + mean / strata;
    variances[player] = (variances[player] ?? 0) + (count < 2 ? 0 : squares / (count - 1) / count / strata ** 2);
  }
}

async function evaluated<V>(f: Evaluate<V>, rows: readonly (readonly V[])[]): Promise<Float64Array> {
  const results = await f(rows);
  for (let index = 0; index < rows.length; index += 1) {
    if (!Number.isFinite(results[index])) throw new MillraceError('EXPLANATION_UNAVAILABLE', `the model gives ${String(results[index])} for a row that mixes the explained one with a background row: it cannot be explained against this background`);
  }
  return Float64Array.from(results);
}
