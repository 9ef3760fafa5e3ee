import { judgeRow, startLogJudge, type LoggedOutcome, type LogJudge, type LogPlan } from '@millrace/core/rollout';
import { chanceOf, type Chance } from '../chance.js';

/** Draws the next row of a simulated log. */
export type DrawRow = (chance: Chance, row: number) => LoggedOutcome;

export const planOf = (changes: Partial<LogPlan> = {}): LogPlan => ({
  paired: false, share: 0.5, lossBound: 1, margin: 0, alpha: 0.05, effect: null, sampleRatioAlpha: 0.01, slices: 0, drawnPerRow: true, latencyQuantile: 0.99, ...changes,
});

export interface World {
  readonly share: number;
  /** Loss of an arm on a row: a draw. */
  loss(chance: Chance, candidate: boolean, row: number, slice: number): number;
  readonly slices?: number;
  latencyMs?(chance: Chance, candidate: boolean): number;
}

export const errors = (champion: number, candidate: number): World['loss'] => (chance, isCandidate) => chance.bernoulli(isCandidate ? candidate : champion);

export function drawOf(world: World): DrawRow {
  const { share, slices = 0 } = world;
  return (chance, row) => {
    const candidate = chance.uniform() < share;
    const slice = slices === 0 ? 0 : chance.integer(slices);
    return {
      unit: '', arm: candidate ? 'candidate' : 'champion', loss: world.loss(chance, candidate, row, slice), slice: slices === 0 ? null : `s${slice}`,
      latencyMs: world.latencyMs === undefined ? null : world.latencyMs(chance, candidate),
    };
  };
}

/** Both arms on every unit: the candidate errs where the champion does, except on `broken` of its right and `mended` of its wrong answers. */
export function drawPairs(error: number, broken: number, mended: number): DrawRow {
  let championErrs: 0 | 1 = 0;
  return (chance, row) => {
    const unit = String(Math.ceil(row / 2));
    if (row % 2 === 1) {
      championErrs = chance.bernoulli(error);
      return { unit, arm: 'champion', loss: championErrs, slice: null, latencyMs: null };
    }
    return { unit, arm: 'candidate', loss: championErrs === 1 ? 1 - chance.bernoulli(mended) : chance.bernoulli(broken), slice: null, latencyMs: null };
  };
}

/** Judges one log row by row until `until` or its last row. @returns the rows seen. */
export function runLog(plan: LogPlan, draw: DrawRow, rows: number, chance: Chance, until: (judge: LogJudge) => boolean): { judge: LogJudge; rows: number } {
  const judge = startLogJudge(plan);
  for (let row = 1; row <= rows; row += 1) {
    judgeRow(judge, draw(chance, row));
    if (until(judge)) return { judge, rows: row };
  }
  return { judge, rows };
}

export function eachTrial(trials: number, seed: number, run: (chance: Chance) => void): void {
  for (let trial = 0; trial < trials; trial += 1) run(chanceOf(seed, trial));
}

/** Rows of a fixed test of two shares: two-sided 5 %, power 80 %, the textbook’s pooled and unpooled spread. */
export function fixedHorizon(champion: number, candidate: number, share: number): number {
  const [zAlpha, zBeta] = [1.959964, 0.841621];
  const pooled = share * candidate + (1 - share) * champion;
  const none = Math.sqrt((pooled * (1 - pooled)) / (share * (1 - share)));
  const some = Math.sqrt((candidate * (1 - candidate)) / share + (champion * (1 - champion)) / (1 - share));
  return Math.ceil(((zAlpha * none + zBeta * some) / (candidate - champion)) ** 2);
}


export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? NaN;
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
