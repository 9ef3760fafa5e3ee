import { correctedMean, delayHistoryOf, densityRatio, estimatePerformance, gapOf, groupRate, observeGap, observeGroup, rateDifference, startGap, type FairnessCounts, type LabelledOutcome } from '@millrace/core/performance';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell, Figures, Study } from '../study.js';

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

interface World {
  /** Mean of each of the three inputs. */
  readonly means: readonly [number, number, number];
}

interface Row {
  readonly x: readonly [number, number, number];
  readonly score: number;
  readonly truth: 0 | 1;
  readonly chanceOfTruth: number;
}

/** Three normal inputs; the truth has an interaction that the model’s score does not know, so the score is not calibrated. */
function draw(chance: Chance, { means }: World): Row {
  const x: Row['x'] = [means[0] + chance.normal(), means[1] + chance.normal(), means[2] + chance.normal()];
  const chanceOfTruth = logistic(-1.5 + 2.2 * x[0] + 1.4 * x[1] - 0.8 * x[2] + 0.5 * x[0] * x[1]);
  return { x, score: logistic(-0.8 + 1.2 * x[0] + 0.9 * x[1] - 0.5 * x[2]), truth: chance.bernoulli(chanceOfTruth), chanceOfTruth };
}
const rowsOf = (chance: Chance, count: number, world: World): Row[] => Array.from({ length: count }, () => draw(chance, world));

/** What one who knows every probability expects of the accuracy. */
const knownAccuracy = (rows: readonly Row[]): number => rows.reduce((sum, { score, chanceOfTruth }) => sum + (score >= 0.5 ? chanceOfTruth : 1 - chanceOfTruth), 0) / rows.length;

const accuracyOf = (rows: readonly Row[]): number => rows.filter(({ score, truth }) => (score >= 0.5 ? 1 : 0) === truth).length / rows.length;

function estimateCell(id: string, about: string, world: World, weighted: boolean): Cell {
  return {
    id, about, trials: 400,
    goals: weighted ? [{ figure: 'meanAbsoluteErrorPoints', atMost: 1 }, { figure: 'coverage', atLeast: 0.93, atMost: 0.97 }] : [],
    run(trials, seed) {
      let [error, noise, covered] = [0, 0, 0];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const reference = rowsOf(chance, 5_000, { means: [0, 0, 0] });
        const current = rowsOf(chance, 1_000, world);
        const weights = weighted ? densityRatio(reference.map(({ x }) => x), current.map(({ x }) => x)).weights : undefined;
        const labelled = { scores: reference.map(({ score }) => score), labels: reference.map(({ truth }) => truth), ...(weights === undefined ? {} : { weights }) };
        const estimate = estimatePerformance(labelled, current.map(({ score }) => score), { uniform: () => chance.uniform() }).find(({ metric }) => metric === 'accuracy');
        const realised = accuracyOf(current);
        error += Math.abs((estimate?.value ?? NaN) - realised);
        noise += Math.abs(knownAccuracy(current) - realised);
        if (realised >= (estimate?.low ?? 1) && realised <= (estimate?.high ?? 0)) covered += 1;
      }
      return { meanAbsoluteErrorPoints: (100 * error) / trials, noisePoints: (100 * noise) / trials, coverage: covered / trials };
    },
  };
}

function gapCell(id: string, about: string, flipped: number): Cell {
  const drifts = flipped > 0;
  return {
    id, about, trials: 200, goals: drifts ? [{ figure: 'found', atLeast: 0.95 }] : [{ figure: 'found', atMost: 0.01 }],
    run(trials, seed) {
      let [found, rows] = [0, 0];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const gap = startGap(0.01);
        for (let row = 1; row <= 5_000; row += 1) {
          const p = 0.02 + 0.96 * chance.uniform() ** 3;
          const truth = chance.uniform() < p ? 1 : 0;
          const label = chance.uniform() < flipped ? 1 - truth : truth;
          observeGap(gap, (p >= 0.5 ? 1 : 0) !== label, Math.min(p, 1 - p));
          if (row % 10 === 0 && gapOf(gap).drifted) {
            found += 1;
            rows += row;
            break;
          }
        }
      }
      return { found: found / trials, ...(found > 0 && drifts ? { meanRows: rows / found } : {}) };
    },
  };
}

/** Delays in days: lognormal of median 1 and 99 % quantile 30; positives take twice as long. A fifth of all labels never comes. */
const delayOf = (chance: Chance, positive: boolean): number => (positive ? 2 : 1) * Math.exp((Math.log(30) / 2.326) * chance.normal());

const delayCell: Cell = {
  id: 'label-delay', about: 'accuracy of a day’s 4,000 predictions after a quarter of the labels; positives twice as slow, a fifth never labelled', trials: 300,
  goals: [{ figure: 'meanAbsoluteErrorPoints', atMost: 1.5 }],
  run(trials, seed) {
    const day = 86_400_000;
    let [raw, corrected] = [0, 0];
    for (let trial = 0; trial < trials; trial += 1) {
      const chance = chanceOf(seed, trial);
      const history = delayHistoryOf(Object.fromEntries(['0', '1'].map((label) => [label, Array.from({ length: 2_000 }, () => delayOf(chance, label === '1') * day)])));
      const rows = Array.from({ length: 4_000 }, () => {
        const positive = chance.uniform() < 0.2;
        return { positive, right: chance.uniform() < (positive ? 0.6 : 0.95), delay: delayOf(chance, positive), comes: chance.uniform() < 0.8 };
      });
      const final = rows.filter(({ right }) => right).length / rows.length;
      const delays = rows.filter(({ comes }) => comes).map(({ delay }) => delay).sort((a, b) => a - b);
      const age = delays[Math.floor(delays.length / 4)] ?? 1;
      const outcomes: LabelledOutcome[] = rows.filter(({ comes, delay }) => comes && delay <= age).map(({ positive, right }) => ({ value: right ? 1 : 0, label: positive ? '1' : '0', ageMs: age * day }));
      const answer = correctedMean(outcomes, history);
      raw += Math.abs((answer.raw ?? NaN) - final);
      corrected += Math.abs((answer.mean ?? NaN) - final);
    }
    return { meanAbsoluteErrorPoints: (100 * corrected) / trials, uncorrectedPoints: (100 * raw) / trials };
  },
};

function fairnessCell(n: number): Cell {
  return {
    id: `fairness/${n}`, about: `selection rate of a group of ${n}, and its difference to a group of ${4 * n}; rates from 0.1 to 0.9`, trials: 20_000,
    goals: [{ figure: 'rateCoverage', atLeast: 0.93, atMost: 0.97 }, { figure: 'differenceCoverage', atLeast: 0.93, atMost: 0.97 }],
    run(trials, seed): Figures {
      let [rate, difference] = [0, 0];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const [p, q] = [0.1 + 0.8 * chance.uniform(), 0.1 + 0.8 * chance.uniform()];
        const counts: FairnessCounts = {};
        for (let row = 0; row < n; row += 1) observeGroup(counts, { group: 'a', selected: chance.uniform() < p, positive: null });
        for (let row = 0; row < 4 * n; row += 1) observeGroup(counts, { group: 'b', selected: chance.uniform() < q, positive: null });
        const [a, b] = [counts['a'], counts['b']];
        if (a === undefined || b === undefined) continue;
        const [ra, rb] = [groupRate('selection-rate', a), groupRate('selection-rate', b)];
        const d = rateDifference(ra, rb);
        if (p >= (ra.low ?? 1) && p <= (ra.high ?? 0)) rate += 1;
        if (p - q >= (d.low ?? 1) && p - q <= (d.high ?? -1)) difference += 1;
      }
      return { rateCoverage: rate / trials, differenceCoverage: difference / trials };
    },
  };
}

const shifted: World = { means: [0.4, -0.3, 0.2] };

export const performanceStudy: Study = {
  name: 'performance',
  title: 'Performance before labels, late labels, fairness',
  method: 'Estimates of accuracy from scores alone (CBPE; calibrated on 5,000 labelled rows, chunks of 1,000, a score that is not calibrated and inputs that shift), against the accuracy that the labels then show, and beside it the error of one who knows every probability (noisePoints), which no estimate can beat; the gap to it as a sign of concept drift (anytime-valid, looked at every ten labels); the correction of early labels; intervals of group rates (Wilson) and of their differences (Newcombe).',
  cells: [
    estimateCell('cbpe/no-shift', 'no shift, weighted by the density ratio', { means: [0, 0, 0] }, true),
    estimateCell('cbpe/shift', 'three inputs shifted by 0.4, −0.3 and 0.2 σ, weighted by the density ratio', shifted, true),
    estimateCell('cbpe/shift-unweighted', 'the same shift without weighting, as CBPE is usually done', shifted, false),
    gapCell('gap/none', 'no concept drift, 5,000 labels, α 0.01', 0),
    gapCell('gap/flips', 'a tenth of the labels flipped, 5,000 labels, α 0.01', 0.1),
    delayCell,
    fairnessCell(30), fairnessCell(100), fairnessCell(1_000),
  ],
  rivals: [],
};
