import { detectorTraits, observeError, startDetector, type DetectorName, type DetectorSettings } from '@millrace/core/statistics';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell, Figures, RivalFigure, Study } from '../study.js';

/** A stream that has not alarmed after this many budgets is cut off and counted with the rows that it lasted. */
const horizonBudgets = 20;
const cleanRows = 5_000;
const delayMax = 3_000;

type Errors = (chance: Chance) => number;
const wrongAt = (rate: number): Errors => (chance) => chance.bernoulli(rate);

interface Budget {
  readonly rows: number;
  readonly validationRows: number;
  readonly draw: Errors;
  readonly twoSided?: boolean;
}

/** A detector with validation rows of its own. */
function started({ rows, validationRows, draw, twoSided = false }: Budget, chance: Chance): ReturnType<typeof startDetector> {
  let errors = 0;
  for (let row = 0; row < validationRows; row++) errors += draw(chance);
  return startDetector({ detector: 'e-detector', baseline: { errors, rows: validationRows }, meanTimeBetweenFalseAlarms: rows, twoSided });
}

/** Clean streams up to their first alarm; rows of all streams over their alarms, the estimate for censored exponential times. */
function firstAlarms(budget: Budget, trials: number, seed: number): Figures {
  let rows = 0;
  let alarms = 0;
  for (let trial = 0; trial < trials; trial++) {
    const chance = chanceOf(seed, trial);
    const state = started(budget, chance);
    while (state.row < horizonBudgets * budget.rows) {
      if (observeError(state, budget.draw(chance)) === null) continue;
      alarms += 1;
      break;
    }
    rows += state.row;
  }
  return falseAlarmFigures(rows, alarms, budget.rows);
}

/** Clean streams of fixed length with every alarm counted: after each the detector has started again. */
function allAlarms(budget: Budget, trials: number, seed: number): Figures {
  let rows = 0;
  let alarms = 0;
  for (let trial = 0; trial < trials; trial++) {
    const chance = chanceOf(seed, trial);
    const state = started(budget, chance);
    while (state.row < horizonBudgets * budget.rows) alarms += observeError(state, budget.draw(chance)) === null ? 0 : 1;
    rows += state.row;
  }
  return falseAlarmFigures(rows, alarms, budget.rows);
}

function falseAlarmFigures(rows: number, alarms: number, budget: number): Figures {
  const rowsPerFalseAlarm = rows / Math.max(1, alarms);
  return { rowsPerFalseAlarm, ofBudget: rowsPerFalseAlarm / budget, standardError: rowsPerFalseAlarm / budget / Math.sqrt(Math.max(1, alarms)), falseAlarms: alarms };
}

interface Change {
  readonly before: number;
  readonly after: number;
}

/** Rows from the change to the first alarm after it; a run without one in `delayMax` rows is missed. */
function delays({ before, after }: Change, settingsOf: (chance: Chance) => DetectorSettings, trials: number, seed: number): Figures {
  const found: number[] = [];
  let falseAlarms = 0;
  for (let trial = 0; trial < trials; trial++) {
    const chance = chanceOf(seed, trial);
    const state = startDetector(settingsOf(chance));
    for (let row = 1; row <= cleanRows; row++) falseAlarms += observeError(state, chance.bernoulli(before)) === null ? 0 : 1;
    for (let row = 1; row <= delayMax; row++) {
      if (observeError(state, chance.bernoulli(after)) === null) continue;
      found.push(row);
      break;
    }
  }
  found.sort((a, b) => a - b);
  const meanDelay = found.reduce((sum, row) => sum + row, 0) / Math.max(1, found.length);
  return { meanDelay, delayP95: found[Math.ceil(0.95 * found.length) - 1] ?? delayMax, missed: (trials - found.length) / trials, falsePer10k: (falseAlarms / trials / cleanRows) * 10_000 };
}

const inWords = (value: number): string => value.toLocaleString('en-US');
const errorRates = [0.02, 0.1, 0.2, 0.3];

/** Fewer trials where each has more rows. */
const trialsOf = (budget: number): number => (budget <= 10_000 ? 4_000 : budget <= 100_000 ? 2_000 : 1_000);

const falseAlarmCells: Cell[] = [1_000, 10_000, 100_000, 500_000, 1_000_000].flatMap((budget) =>
  errorRates.flatMap((errorRate) => [2_000, 5_000].map((validationRows) => ({
    id: `false-alarms/${budget}/${errorRate}/${validationRows}`,
    about: `no drift: budget ${inWords(budget)} rows, error ${errorRate}, known from ${inWords(validationRows)} rows`,
    trials: trialsOf(budget),
    goals: [{ figure: 'ofBudget', atLeast: 0.9 }],
    run: (trials: number, seed: number) => firstAlarms({ rows: budget, validationRows, draw: wrongAt(errorRate) }, trials, seed),
  }))),
);

const restartCells: Cell[] = [10_000, 100_000].flatMap((budget) => errorRates.map((errorRate) => ({
  id: `restarts/${budget}/${errorRate}`,
  about: `no drift, going on after every alarm: budget ${inWords(budget)} rows, error ${errorRate}, known from 2,000 rows`,
  trials: budget === 10_000 ? 400 : 100,
  goals: [{ figure: 'ofBudget', atLeast: 0.9 }],
  run: (trials: number, seed: number) => allAlarms({ rows: budget, validationRows: 2_000, draw: wrongAt(errorRate) }, trials, seed),
})));

/** Losses that are not just 0 or 1. */
const losses: readonly { readonly id: string; readonly about: string; readonly draw: Errors }[] = [
  { id: 'squares', about: 'u², u uniform (mean 0.33)', draw: (chance) => chance.uniform() ** 2 },
  { id: 'mostly-right', about: 'right nine times in ten, else uniform (mean 0.05)', draw: (chance) => (chance.uniform() < 0.9 ? 0 : chance.uniform()) },
];
const lossCells: Cell[] = losses.map(({ id, about, draw }) => ({
  id: `losses/${id}`,
  about: `no drift in losses between 0 and 1, ${about}: budget 10,000 rows, 2,000 validation rows`,
  trials: 400,
  goals: [{ figure: 'ofBudget', atLeast: 0.9 }],
  run: (trials, seed) => firstAlarms({ rows: 10_000, validationRows: 2_000, draw }, trials, seed),
}));

const twoSidedCell: Cell = {
  id: 'two-sided/10000/0.2',
  about: 'no drift, falls alarm too: budget 10,000 rows, error 0.2, 2,000 validation rows, going on after every alarm',
  trials: 400,
  goals: [{ figure: 'ofBudget', atLeast: 0.9 }],
  run: (trials, seed) => allAlarms({ rows: 10_000, validationRows: 2_000, draw: wrongAt(0.2), twoSided: true }, trials, seed),
};

const changes: readonly (Change & { readonly meanMax: number; readonly p95Max: number })[] = [
  { before: 0.1, after: 0.2, meanMax: 250, p95Max: 460 },
  { before: 0.2, after: 0.5, meanMax: 56, p95Max: 96 },
];
const delayCells: Cell[] = changes.flatMap((change) => [500_000, 1_000_000].flatMap((budget) => [2_000, 5_000].map((validationRows) => ({
  id: `delay/${change.before}-${change.after}/${budget}/${validationRows}`,
  about: `error ${change.before} → ${change.after} after ${inWords(cleanRows)} clean rows: budget ${inWords(budget)} rows, ${inWords(validationRows)} validation rows`,
  trials: 4_000,
  goals: [{ figure: 'meanDelay', atMost: change.meanMax }, { figure: 'delayP95', atMost: change.p95Max }, { figure: 'missed', atMost: 0.0005 }],
  run: (trials: number, seed: number) => delays(change, (chance) => {
    let errors = 0;
    for (let row = 0; row < validationRows; row++) errors += chance.bernoulli(change.before);
    return { detector: 'e-detector', baseline: { errors, rows: validationRows }, meanTimeBetweenFalseAlarms: budget };
  }, trials, seed),
}))));

const fieldCells: Cell[] = changes.flatMap((change) => (Object.keys(detectorTraits) as DetectorName[]).flatMap((detector) => (detector === 'e-detector' ? [] : [{
  id: `field/${detector}/${change.before}-${change.after}`,
  about: `${detector} as written here, usual settings: error ${change.before} → ${change.after} after ${inWords(cleanRows)} clean rows`,
  trials: 1_000,
  goals: [],
  run: (trials: number, seed: number) => delays(change, () => ({ detector }), trials, seed),
}])));

const source = 'tools/simulator/rivals/river_detectors.py (river 0.26.1, 500 runs, 1,000,000 clean rows)';
/** Printed by the script on 2026-11-21. A long stream makes EDDM’s maximum firm: on fresh 5,000-row streams it alarms 19 to 28 times in 10,000 rows. */
const river: readonly RivalFigure[] = [
  { tool: 'river ADWIN', about: 'error 0.1 → 0.2', figures: { meanDelay: 329.9, delayP95: 568, missed: 0, falseAlarmsPerMillion: 0 }, source },
  { tool: 'river ADWIN', about: 'error 0.2 → 0.5', figures: { meanDelay: 90.3, delayP95: 152, missed: 0, falseAlarmsPerMillion: 0 }, source },
  { tool: 'river Page-Hinkley', about: 'error 0.1 → 0.2', figures: { meanDelay: 462.1, delayP95: 689, missed: 0.002, falseAlarmsPerMillion: 29 }, source },
  { tool: 'river Page-Hinkley', about: 'error 0.2 → 0.5', figures: { meanDelay: 133.6, delayP95: 193, missed: 0, falseAlarmsPerMillion: 53 }, source },
  { tool: 'river DDM', about: 'error 0.1 → 0.2', figures: { meanDelay: 741.1, delayP95: 2200, missed: 0.094, falseAlarmsPerMillion: 2 }, source },
  { tool: 'river DDM', about: 'error 0.2 → 0.5', figures: { meanDelay: 533.5, delayP95: 1676, missed: 0, falseAlarmsPerMillion: 0 }, source },
  { tool: 'river EDDM', about: 'error 0.1 → 0.2', figures: { meanDelay: 187.2, delayP95: 664, missed: 0, falseAlarmsPerMillion: 20 }, source },
  { tool: 'river EDDM', about: 'error 0.2 → 0.5', figures: { meanDelay: 167.8, delayP95: 530, missed: 0, falseAlarmsPerMillion: 19 }, source },
  { tool: 'river HDDM_A', about: 'error 0.1 → 0.2', figures: { meanDelay: 477.1, delayP95: 903, missed: 0, falseAlarmsPerMillion: 0 }, source },
  { tool: 'river HDDM_A', about: 'error 0.2 → 0.5', figures: { meanDelay: 92.8, delayP95: 216, missed: 0, falseAlarmsPerMillion: 2 }, source },
  { tool: 'river HDDM_W', about: 'error 0.1 → 0.2', figures: { meanDelay: 1344.2, delayP95: 2767, missed: 0.476, falseAlarmsPerMillion: 0 }, source },
  { tool: 'river HDDM_W', about: 'error 0.2 → 0.5', figures: { meanDelay: 44.2, delayP95: 71, missed: 0, falseAlarmsPerMillion: 88 }, source },
];

export const conceptDriftStudy: Study = {
  name: 'concept-drift',
  title: 'Concept drift in a stream of errors',
  method: `Errors are Bernoulli. Each trial draws validation rows of its own, tells the detector only how many of them were wrong, and then a stream. Without drift, streams run to their first alarm or ${horizonBudgets} budgets; ofBudget is all rows over all alarms over the budget, with its standard error, and the bound that theory gives is 1 at any horizon (libs/core, e-detector). With drift, ${inWords(cleanRows)} clean rows come before the change; a run without an alarm in ${inWords(delayMax)} rows is missed. falsePer10k are alarms in the clean rows. The few misses are runs in which a false alarm shortly before the change had already raised what the detector expects.`,
  cells: [...falseAlarmCells, ...restartCells, ...lossCells, twoSidedCell, ...delayCells, ...fieldCells],
  rivals: river,
};
