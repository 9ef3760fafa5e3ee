import { calibrationOf, earlyLabels, emptyOutcomes, estimateWindow, historyOfCounts, judgeFairness, mergeDelays, observeGroup, observeOutcomeState, observeScore, startErrorWatch, watchPane, windowGap, type DelayCounts, type FairnessCounts, type ScoreCounts } from '@millrace/core/performance';
import { emptyPerformance, normalQuantileOf, observeOutcome } from '@millrace/core/statistics';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell, Figures, Study } from '../study.js';

const minute = 60_000;
const inWords = (value: number): string => value.toLocaleString('en-US');

/** Wrong answers among the rows of a pane, whose number varies by half around its mean. */
function pane(chance: Chance, startMs: number, meanRows: number, rate: number): { startMs: number; rows: number; errors: number } {
  const rows = 1 + chance.integer(2 * meanRows - 1);
  let errors = 0;
  for (let row = 0; row < rows; row += 1) errors += chance.bernoulli(rate);
  return { startMs, rows, errors };
}

function validated(chance: Chance, rate: number): { errors: number; rows: number } {
  let errors = 0;
  for (let row = 0; row < 2_000; row += 1) errors += chance.bernoulli(rate);
  return { errors, rows: 2_000 };
}

/** Clean panes up to the first alarm or 20 budgets: rows of all streams over their alarms. */
function budgetCell(meanRows: number, rate: number, budget = 10_000): Cell {
  return {
    id: `budget/${meanRows}/${rate}`, about: `no drift: budget ${inWords(budget)} rows, error ${rate}, panes of ${inWords(meanRows)} rows in the mean, known from 2,000 rows`, trials: 1_000, goals: [{ figure: 'ofBudget', atLeast: 0.9 }],
    run(trials, seed): Figures {
      let [rows, alarms] = [0, 0];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const watch = startErrorWatch({ baseline: validated(chance, rate), meanTimeBetweenFalseAlarms: budget, unit: 'row' });
        for (let index = 0; watch.rows < 20 * budget; index += 1) {
          if (watchPane(watch, pane(chance, index * minute, meanRows, rate), `${seed}/${trial}`).length === 0) continue;
          alarms += 1;
          break;
        }
        rows += watch.rows;
      }
      return { rowsPerFalseAlarm: rows / Math.max(1, alarms), ofBudget: rows / Math.max(1, alarms) / budget, standardError: rows / Math.max(1, alarms) / budget / Math.sqrt(Math.max(1, alarms)) };
    },
  };
}

/** Panes with luck of their own: each day’s error rate is drawn around the same mean. Budget in panes. */
const clusteredCell: Cell = {
  id: 'budget/clustered', about: 'no drift, but each pane of 500 rows has an error rate of its own (0.2 ± 0.1): budget 1,000 panes, known from 15,000 rows', trials: 200, goals: [{ figure: 'ofBudget', atLeast: 0.9 }],
  run(trials, seed) {
    let [panes, alarms] = [0, 0];
    for (let trial = 0; trial < trials; trial += 1) {
      const chance = chanceOf(seed, trial);
      const rate = (): number => Math.min(1, Math.max(0, 0.2 + 0.1 * chance.normal()));
      let errors = 0;
      for (let day = 0; day < 30; day += 1) errors += pane(chance, 0, 250, rate()).errors;
      const watch = startErrorWatch({ baseline: { errors: Math.min(errors, 7_500), rows: 7_500 }, meanTimeBetweenFalseAlarms: 1_000, unit: 'pane' });
      let index = 0;
      for (; index < 20_000; index += 1) {
        if (watchPane(watch, pane(chance, index * minute, 250, rate()), `${seed}/${trial}`).length === 0) continue;
        alarms += 1;
        break;
      }
      panes += index;
    }
    return { panesPerFalseAlarm: panes / Math.max(1, alarms), ofBudget: panes / Math.max(1, alarms) / 1_000 };
  },
};

function delayCell(meanRows: number, before: number, after: number, goals: Cell['goals']): Cell {
  return {
    id: `delay/${meanRows}/${before}/${after}`, about: `error ${before} → ${after} at a pane’s start: budget 1,000,000 rows, panes of ${inWords(meanRows)} rows in the mean, 5,000 clean rows before`, trials: 1_000, goals,
    run(trials, seed) {
      const delays: number[] = [];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const watch = startErrorWatch({ baseline: validated(chance, before), meanTimeBetweenFalseAlarms: 1_000_000, unit: 'row' });
        let index = 0;
        while (watch.rows < 5_000) watchPane(watch, pane(chance, (index += 1) * minute, meanRows, before), '');
        const from = watch.rows;
        while (watch.rows < from + 3_000) {
          if (watchPane(watch, pane(chance, (index += 1) * minute, meanRows, after), '').length === 0) continue;
          delays.push(watch.rows - from);
          break;
        }
      }
      delays.sort((a, b) => a - b);
      return { meanDelay: delays.reduce((sum, rows) => sum + rows, 0) / Math.max(1, delays.length), delayP95: delays[Math.ceil(0.95 * delays.length) - 1] ?? NaN, missed: (trials - delays.length) / trials };
    },
  };
}

interface Scored {
  readonly score: number;
  readonly truth: boolean;
  readonly chanceOfTruth: number;
}

/** A score that is too sure of itself: the truth is likelier than it says near 0 and less likely near 1. `shift` moves the mix of scores. */
function scored(chance: Chance, rows: number, shift = 0): Scored[] {
  return Array.from({ length: rows }, () => {
    const x = chance.normal() * 1.6 + shift - 0.5;
    const score = 1 / (1 + Math.exp(-1.7 * x));
    const chanceOfTruth = 0.03 + 0.92 / (1 + Math.exp(-1.2 * x));
    return { score, truth: chance.uniform() < chanceOfTruth, chanceOfTruth };
  });
}

function sumsOf(rows: readonly Scored[]): ReturnType<typeof emptyPerformance> {
  const sums = emptyPerformance('binary');
  for (const { score, truth } of rows) observeOutcome(sums, { probability: score, label: score >= 0.5 }, truth);
  return sums;
}
const calibrated = (rows: readonly Scored[]): { readonly positives: readonly number[]; readonly negatives: readonly number[] } => calibrationOf(sumsOf(rows)) ?? { positives: [], negatives: [] };

function estimateCell(id: string, about: string, shift: number): Cell {
  return {
    id, about, trials: 1_000, goals: [{ figure: 'beyondNoisePoints', atMost: 0.3 }, { figure: 'coverage', atLeast: 0.93, atMost: 0.97 }],
    run(trials, seed) {
      let [error, noise, covered] = [0, 0, 0];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const calibration = calibrated(scored(chance, 5_000));
        const current = scored(chance, 1_000, shift);
        const scores: ScoreCounts = {};
        for (const { score } of current) observeScore(scores, score);
        const estimate = estimateWindow(calibration, scores, () => chance.uniform()).find(({ name }) => name === 'accuracy');
        const realised = current.filter(({ score, truth }) => score >= 0.5 === truth).length / current.length;
        error += Math.abs((estimate?.value ?? NaN) - realised);
        noise += Math.abs(current.reduce((sum, { score, chanceOfTruth }) => sum + (score >= 0.5 ? chanceOfTruth : 1 - chanceOfTruth), 0) / current.length - realised);
        if (realised >= (estimate?.low ?? 1) && realised <= (estimate?.high ?? 0)) covered += 1;
      }
      return { meanAbsoluteErrorPoints: (100 * error) / trials, noisePoints: (100 * noise) / trials, beyondNoisePoints: (100 * (error - noise)) / trials, coverage: covered / trials };
    },
  };
}

function gapCell(id: string, about: string, flipped: number, goals: Cell['goals']): Cell {
  return {
    id, about, trials: 1_000, goals,
    run(trials, seed) {
      let found = 0;
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const calibration = calibrated(scored(chance, 5_000));
        const current = scored(chance, 1_000).map((row) => ({ ...row, truth: chance.uniform() < flipped ? !row.truth : row.truth }));
        const gap = windowGap(calibration, calibrated(current), () => chance.uniform());
        if (gap !== null && gap.gap - normalQuantileOf(0.99) * gap.standardError > 0) found += 1;
      }
      return { found: found / trials };
    },
  };
}

/** A young version: labels that are slow for one class, of which the first day’s are judged. */
function earlyCell(id: string, about: string, slowness: number, goals: Cell['goals']): Cell {
  const day = 86_400_000;
  const counted = (chance: Chance, rows: number, upToMs: number): { counts: DelayCounts; final: number } => {
    const state = emptyOutcomes('binary');
    let wrong = 0;
    for (let row = 0; row < rows; row += 1) {
      const label = chance.uniform() < 0.3;
      const right = chance.uniform() < (label ? 0.6 : 0.9);
      const delay = (label ? slowness : 1) * 6 * 3_600_000 * chance.exponential();
      const at = chance.uniform() * day;
      if (!right) wrong += 1;
      if (at + delay < upToMs) observeOutcomeState(state, { said: { probability: right === label ? 1 : 0 }, label, predictedAtMs: at, labelledAtMs: at + delay, groups: {}, cohortMs: 0 });
    }
    return { counts: state.delays, final: wrong / rows };
  };
  return {
    id, about, trials: 300, goals,
    run(trials, seed) {
      let [misleading, raw, corrected] = [0, 0, 0];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const history = historyOfCounts(mergeDelays(counted(chance, 10_000, Infinity).counts, {}));
        const { counts, final } = counted(chance, 4_000, day);
        const early = earlyLabels(counts, history, { fromMs: 0, toMs: day }, 0);
        if (early === null) continue;
        if (early.misleading) misleading += 1;
        raw += Math.abs(early.raw - final);
        corrected += Math.abs(early.corrected - final);
      }
      return { misleading: misleading / trials, correctedErrorPoints: (100 * corrected) / trials, uncorrectedErrorPoints: (100 * raw) / trials };
    },
  };
}

/** Groups of a tenth, a third and the rest; the smallest is selected more often by `gap`. Judged once, on a window of 5,000. */
function fairnessCell(id: string, about: string, gap: number, goals: Cell['goals']): Cell {
  return {
    id, about, trials: 4_000, goals,
    run(trials, seed) {
      let failed = 0;
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const counts: FairnessCounts = {};
        for (let row = 0; row < 5_000; row += 1) {
          const u = chance.uniform();
          const group = u < 0.1 ? 'a' : u < 0.43 ? 'b' : 'c';
          observeGroup(counts, { group, selected: chance.uniform() < (group === 'a' ? 0.3 + gap : 0.3), positive: null });
        }
        if (judgeFairness(counts, [{ measure: 'selection-rate', differenceMax: 0.1 }], { nMin: 30, alpha: 0.05 })[0]?.outcome === 'failed') failed += 1;
      }
      return { failed: failed / trials };
    },
  };
}

export const performanceWatchStudy: Study = {
  name: 'performance-watch',
  title: 'Performance in the ring: errors by the pane, windows without labels, early labels, groups',
  method: 'What drift-monitoring does with counts. Errors come as k of n per pane, in an order that is drawn; budgets and delays are in rows, to the end of the pane that alarms. A window’s accuracy is estimated from scores in 200 bins, calibrated on 5,000 test rows; noisePoints is the error of one who knows every probability, which no estimate can beat; the gap to what labels then show is judged at 1 %, once per window. A young version’s first day of labels is corrected by the pace of each class. Groups are judged at 5 % against a tolerated difference of 10 points.',
  cells: [
    ...[1, 20, 500].flatMap((rows) => [0.05, 0.2].map((rate) => budgetCell(rows, rate))),
    clusteredCell,
    delayCell(1, 0.1, 0.2, [{ figure: 'meanDelay', atMost: 250 }, { figure: 'delayP95', atMost: 460 }, { figure: 'missed', atMost: 0.005 }]),
    delayCell(1, 0.2, 0.5, [{ figure: 'meanDelay', atMost: 56 }, { figure: 'delayP95', atMost: 96 }, { figure: 'missed', atMost: 0.005 }]),
    delayCell(20, 0.1, 0.2, [{ figure: 'meanDelay', atMost: 270 }, { figure: 'missed', atMost: 0.005 }]),
    delayCell(500, 0.1, 0.2, [{ figure: 'meanDelay', atMost: 750 }, { figure: 'missed', atMost: 0.005 }]),
    estimateCell('estimate/no-shift', 'accuracy of 1,000 unlabelled rows, from binned scores', 0),
    estimateCell('estimate/shift', 'the same where the mix of scores has shifted', 0.8),
    gapCell('gap/none', 'no concept drift, windows of 1,000 labels, α 0.01, nothing tolerated', 0, [{ figure: 'found', atMost: 0.02 }]),
    gapCell('gap/flips', 'a fifth of the labels flipped', 0.2, [{ figure: 'found', atLeast: 0.95 }]),
    earlyCell('early/slow-positives', 'positives eight times as slow', 8, [{ figure: 'misleading', atLeast: 0.95 }, { figure: 'correctedErrorPoints', atMost: 1.5 }]),
    earlyCell('early/same-pace', 'both classes as quick', 1, [{ figure: 'misleading', atMost: 0.01 }]),
    fairnessCell('fairness/at-the-limit', 'a group of a tenth selected 10 points more often, which is tolerated', 0.1, [{ figure: 'failed', atMost: 0.05 }]),
    fairnessCell('fairness/beyond', 'the same group 20 points more often', 0.2, [{ figure: 'failed', atLeast: 0.95 }]),
  ],
  rivals: [],
};
