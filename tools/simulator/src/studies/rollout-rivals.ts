import { alwaysValidInterval } from '@millrace/core/statistics';
import { chanceOf } from '../chance.js';
import type { Cell, Figures } from '../study.js';
import { drawOf, errors, mean } from './rollout-logs.js';

/** What another tool says of two arms: the sign it claims for candidate − champion, or 0. */
type Rival = (n: readonly [number, number], hits: readonly [number, number]) => -1 | 0 | 1;

function estimate([champions, candidates]: readonly [number, number], hits: readonly [number, number]): { difference: number; error: number } | null {
  if (champions < 2 || candidates < 2) return null;
  const [p, q] = [hits[0] / champions, hits[1] / candidates];
  // As gbstats does: nothing is said while an arm shows no spread.
  if (p * (1 - p) === 0 || q * (1 - q) === 0) return null;
  const error = Math.sqrt((p * (1 - p)) / (champions - 1) + (q * (1 - q)) / (candidates - 1));
  return { difference: q - p, error };
}

/** A two-sided z-test at 5 %, looked at after every row from the hundredth on as if it were the last. */
export const naiveZ: Rival = (n, hits) => {
  const seen = estimate(n, hits);
  if (seen === null || n[0] + n[1] < 100 || Math.abs(seen.difference) < 1.959964 * seen.error) return 0;
  return seen.difference > 0 ? 1 : -1;
};

/** GrowthBook’s sequential interval at 5 %, tuned to 5,000 rows as it is by default. */
export const growthBook: Rival = (n, hits) => {
  const seen = estimate(n, hits);
  if (seen === null) return 0;
  const { low, high } = alwaysValidInterval(seen.difference, seen.error, n[0] + n[1], 0.05);
  return low > 0 ? 1 : high < 0 ? -1 : 0;
};

export interface RivalRun {
  readonly champion: number;
  readonly candidate: number;
  readonly share: number;
  readonly rows: number;
}

/** The rival’s first claim in each log. */
export function runRival(rival: Rival, { champion, candidate, share, rows }: RivalRun, trials: number, seed: number): Figures {
  const draw = drawOf({ share, loss: errors(champion, candidate) });
  let better = 0;
  const worseAt: number[] = [];
  for (let trial = 0; trial < trials; trial += 1) {
    const chance = chanceOf(seed, trial);
    const n: [number, number] = [0, 0];
    const hits: [number, number] = [0, 0];
    for (let row = 1; row <= rows; row += 1) {
      const { arm, loss } = draw(chance, row);
      const index = arm === 'candidate' ? 1 : 0;
      n[index] += 1;
      hits[index] += loss;
      const claim = rival(n, hits);
      if (claim === 0) continue;
      if (claim < 0) better += 1;
      else worseAt.push(row);
      break;
    }
  }
  return { worse: worseAt.length / trials, better: better / trials, ...(champion === candidate ? {} : { worseRowsMean: mean(worseAt) }) };
}

const settings: readonly { readonly id: string; readonly about: string; readonly run: RivalRun }[] = [
  { id: 'aa', about: 'equal arms, 0.10 errors, 50/50, 10,000 rows', run: { champion: 0.1, candidate: 0.1, share: 0.5, rows: 10_000 } },
  { id: 'aa-canary', about: 'equal arms, 0.10 errors, 10 % canary, 10,000 rows', run: { champion: 0.1, candidate: 0.1, share: 0.1, rows: 10_000 } },
  { id: 'worse', about: '0.10 → 0.13, 50/50, margin 0', run: { champion: 0.1, candidate: 0.13, share: 0.5, rows: 60_000 } },
];

/** The same questions put to the rivals; no goals of ours. */
export const rivalCells: readonly Cell[] = [
  { name: 'naive-z', rival: naiveZ },
  { name: 'growthbook', rival: growthBook },
].flatMap(({ name, rival }) => settings.map(({ id, about, run }): Cell => ({ id: `rival/${name}/${id}`, about: `${name}: ${about}`, trials: 2_000, goals: [], run: (trials, seed) => runRival(rival, run, trials, seed) })));
