import { observeUnit, startSampleRatio } from '@millrace/core/statistics';
import type { Cell, Goal, Study } from '../study.js';
import { eachTrial, mean } from './rollout-logs.js';

interface Setting {
  readonly id: string;
  readonly share: number;
  readonly truth: number;
  readonly units: number;
  readonly trials: number;
  readonly goal: Goal;
  readonly concentration?: number;
}

function ratioCell({ id, share, truth, units, trials: count, goal, concentration }: Setting): Cell {
  return {
    id, about: `meant ${share}, really ${truth}, ${units.toLocaleString('en-US')} units, α 0.01, looked at after every unit`, trials: count, goals: [goal],
    run(trials, seed) {
      const found: number[] = [];
      eachTrial(trials, seed, (chance) => {
        const ratio = startSampleRatio(share, 0.01, concentration);
        for (let unit = 1; unit <= units && ratio.mismatchAt === null; unit += 1) observeUnit(ratio, chance.uniform() < truth);
        if (ratio.mismatchAt !== null) found.push(ratio.mismatchAt);
      });
      return { found: found.length / trials, ...(share === truth ? {} : { unitsMean: mean(found) }) };
    },
  };
}

const none: Goal = { figure: 'found', atMost: 0.01 };
const most: Goal = { figure: 'found', atLeast: 0.95 };

export const sampleRatioStudy: Study = {
  name: 'sample-ratio',
  title: 'Sample ratio',
  method: 'Units are drawn with the true share and tested after each of them against the share that was meant, by the beta-binomial mixture martingale (Lindon and Malek 2022) at α 0.01.',
  cells: [
    ratioCell({ id: 'aa/half', share: 0.5, truth: 0.5, units: 20_000, trials: 5_000, goal: none }),
    ratioCell({ id: 'aa/canary', share: 0.1, truth: 0.1, units: 20_000, trials: 5_000, goal: none }),
    ratioCell({ id: 'found/52-48', share: 0.5, truth: 0.52, units: 20_000, trials: 1_000, goal: most }),
    ratioCell({ id: 'found/10-11.5', share: 0.1, truth: 0.115, units: 20_000, trials: 1_000, goal: most }),
    { ...ratioCell({ id: 'rival/ssrm', share: 0.5, truth: 0.52, units: 20_000, trials: 1_000, goal: most, concentration: 10_000 }), about: 'the same martingale with the concentration 10,000 of ssrm: 52/48 in 20,000 units', goals: [] },
  ],
  rivals: [],
};
