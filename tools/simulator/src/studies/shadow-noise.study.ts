import { answerDifferenceEvidence, observeAnswers, startAnswerDifference, type ComparedAnswers } from '@millrace/core/rollout';
import type { Chance } from '../chance.js';
import type { Cell, Goal, Study } from '../study.js';
import { eachTrial, mean } from './rollout-logs.js';

const alpha = 0.05;

/** What is added to the answer of a model on one request, each time it is asked. */
type Noise = (chance: Chance, row: number) => number;
/** By how much the candidate’s answer is another than the champion’s. */
type Shift = (chance: Chance) => number;

const none: Shift = () => 0;
const gaussian: Noise = (chance) => 0.01 * chance.normal();
/** One answer in twenty is ten times as noisy: beside others in its batch. */
const byBatch: Noise = (chance) => (chance.uniform() < 0.05 ? 0.05 : 0.005) * chance.normal();
/** Ten times as noisy at noon as at midnight, 500 requests to a day. */
const daily: Noise = (chance, row) => 0.01 * (1 + 0.8 * Math.sin((2 * Math.PI * row) / 500)) * chance.normal();

function drawCompared(noise: Noise, shift: Shift, chance: Chance, row: number): ComparedAnswers {
  const first = noise(chance, row);
  return { difference: Math.abs(shift(chance) + noise(chance, row) - first), noise: Math.abs(noise(chance, row) - first) };
}

interface NoiseCell {
  readonly id: string;
  readonly about: string;
  readonly noise: Noise;
  readonly shift: Shift;
  readonly goals: readonly Goal[];
  readonly trials: number;
}

const rowsMax = 2_000;

/** `found`: at some look the candidate’s part beyond noise lies above 0. `uncalibrated`: the first two answers of the same request differ at all. */
function noiseCell({ id, about, noise, shift, goals, trials: count }: NoiseCell): Cell {
  return {
    id, about: `${about}; ${rowsMax.toLocaleString('en-US')} requests asked twice, looked at after each`, trials: count, goals,
    run(trials, seed) {
      const counts = { found: 0, uncalibrated: 0 };
      const rows: number[] = [];
      eachTrial(trials, seed, (chance) => {
        const state = startAnswerDifference(alpha);
        let differs = false;
        for (let row = 1; row <= rowsMax; row += 1) {
          const compared = drawCompared(noise, shift, chance, row);
          differs ||= compared.difference > 1e-8;
          observeAnswers(state, compared);
          if (answerDifferenceEvidence(state, 0) < Math.log(1 / alpha)) continue;
          counts.found += 1;
          rows.push(row);
          break;
        }
        if (differs) counts.uncalibrated += 1;
      });
      return { found: counts.found / trials, uncalibrated: counts.uncalibrated / trials, rowsMean: rows.length === 0 ? 0 : mean(rows) };
    },
  };
}

const falseFindings: readonly Goal[] = [{ figure: 'found', atMost: alpha }];
const power: readonly Goal[] = [{ figure: 'found', atLeast: 0.95 }];

export const shadowNoiseStudy: Study = {
  name: 'shadow-noise',
  title: 'Shadow differences beside the champion’s own noise',
  method:
    'A champion that differs from itself is asked twice for each request, and a candidate once. Both distances to the champion’s first answer are held against the 99th percentile of its own that was known before; the difference of both signs is bet on, error 0.05 at every look together. A candidate that is the same model must not be found; one that answers otherwise must. `uncalibrated` is what a comparison without the second answer says: that some answer differs.',
  cells: [
    noiseCell({ id: 'same/exact', about: 'the same model, which never differs from itself', noise: () => 0, shift: none, goals: [{ figure: 'found', atMost: 0 }], trials: 100 }),
    noiseCell({ id: 'same/gaussian', about: 'the same model, normal noise of 0.01', noise: gaussian, shift: none, goals: falseFindings, trials: 2_000 }),
    noiseCell({ id: 'same/by-batch', about: 'the same model, one answer in twenty ten times as noisy', noise: byBatch, shift: none, goals: falseFindings, trials: 2_000 }),
    noiseCell({ id: 'same/daily', about: 'the same model, noise that changes tenfold within a day', noise: daily, shift: none, goals: falseFindings, trials: 2_000 }),
    noiseCell({ id: 'other/exact', about: 'no noise, one answer in a hundred is another by 0.001', noise: () => 0, shift: (chance) => (chance.uniform() < 0.01 ? 0.001 : 0), goals: power, trials: 500 }),
    noiseCell({ id: 'other/gaussian', about: 'normal noise of 0.01, one answer in ten is another by 0.05', noise: gaussian, shift: (chance) => (chance.uniform() < 0.1 ? 0.05 : 0), goals: power, trials: 500 }),
    noiseCell({ id: 'other/all', about: 'normal noise of 0.01, every answer is another by 0.03', noise: gaussian, shift: () => 0.03, goals: power, trials: 500 }),
  ],
  rivals: [],
};
