import { detectorTraits, observeError, startDetector, type DetectorName, type DetectorSettings } from '@millrace/core/statistics';
import { chanceOf, type Chance } from '../chance.js';
import { agrawal } from '../streams/agrawal.js';
import { train, type ErrorOf } from '../streams/binned-learner.js';
import { friedman } from '../streams/friedman.js';
import { led } from '../streams/led.js';
import { mixed } from '../streams/mixed.js';
import { sea } from '../streams/sea.js';
import { sine1 } from '../streams/sine1.js';
import { shareOfNew, type LabelledStream } from '../streams/stream.js';
import type { Cell, Figures, Study } from '../study.js';

const trainingRows = 5_000;
const validationRows = 5_000;
/** Rows of each block: old, new, old, new. */
const blockRows = 20_000;
const changes = [1, 2, 3].map((block) => block * blockRows);
/** The changes that make the model worse. */
const drifts = [blockRows, 3 * blockRows];
const streamRows = 4 * blockRows;
/** Later than this after the middle of a change, an alarm is no answer to it: 5,000 rows after 88 % of the rows are new. */
const delayMax = (width: number): number => width / 2 + 5_000;
/** As long before it, one row in 400 is new: where the concepts differ much, that is enough to be seen. */
const earlyMax = (width: number): number => 1.5 * width;
const meanTimeBetweenFalseAlarms = 1_000_000;

function modelOf(stream: LabelledStream, chance: Chance): ErrorOf {
  const rows = Array.from({ length: trainingRows }, () => new Float64Array(stream.features.length));
  return train(stream, { rows, labels: rows.map((row) => stream.draw('old', chance, row)) });
}

/** Share of rows from the new concept at a row: the changes follow each other. */
function newShare(row: number, width: number): number {
  const [first = 0, second = 0, third = 0] = changes.map((change) => shareOfNew(row, change, width));
  return first * (1 - second) + third;
}

interface ErrorStream {
  readonly baseline: { readonly errors: number; readonly rows: number };
  readonly errors: Float64Array;
}

function errorStream(stream: LabelledStream, width: number, chance: Chance): ErrorStream {
  const errorOf = modelOf(stream, chance);
  const row = new Float64Array(stream.features.length);
  let wrong = 0;
  for (let index = 0; index < validationRows; index++) wrong += errorOf(row, stream.draw('old', chance, row));
  const errors = new Float64Array(streamRows);
  for (let index = 0; index < streamRows; index++) {
    const label = stream.draw(chance.uniform() < newShare(index, width) ? 'new' : 'old', chance, row);
    errors[index] = errorOf(row, label);
  }
  return { baseline: { errors: wrong, rows: validationRows }, errors };
}

interface Score {
  episodes: number;
  found: number;
  alarms: number;
  right: number;
  /** Σ of delays from the middle of the change, early alarms as 0, over the longest. */
  delay: number;
}

const emptyScore = (): Score => ({ episodes: 0, found: 0, alarms: 0, right: 0, delay: 0 });

/** Only alarms of a rise count: every detector is asked the same question. */
function risesOf(settings: DetectorSettings, errors: Float64Array): number[] {
  const state = startDetector(settings);
  const rows: number[] = [];
  for (const x of errors) {
    const alarm = observeError(state, x);
    if (alarm !== null && alarm.direction === 'rise') rows.push(alarm.row);
  }
  return rows;
}

function judge(score: Score, alarms: readonly number[], width: number): void {
  const within = (row: number, drift: number): boolean => row > drift - earlyMax(width) && row <= drift + delayMax(width);
  score.alarms += alarms.length;
  score.right += alarms.filter((row) => drifts.some((drift) => within(row, drift))).length;
  for (const drift of drifts) {
    const first = alarms.find((row) => within(row, drift));
    score.episodes += 1;
    if (first === undefined) continue;
    score.found += 1;
    score.delay += Math.max(0, first - drift) / delayMax(width);
  }
}

const f1Of = (recall: number, precision: number): number => (recall + precision === 0 ? 0 : (2 * recall * precision) / (recall + precision));
const recallOf = ({ found, episodes }: Score): number => found / episodes;
/** A detector that never fires is never wrong, and never right. */
const precisionOf = ({ right, alarms }: Score): number => (alarms === 0 ? 0 : right / alarms);

const settingsOf = (detector: DetectorName, baseline: ErrorStream['baseline']): DetectorSettings => (detector === 'e-detector' ? { detector, baseline, meanTimeBetweenFalseAlarms } : { detector });

function run(stream: LabelledStream, width: number, trials: number, seed: number): Figures {
  const names = (Object.keys(detectorTraits) as DetectorName[]).filter((name) => stream.classes !== null || detectorTraits[name].takes === 'fractions');
  const scores = new Map(names.map((name) => [name, emptyScore()]));
  for (let trial = 0; trial < trials; trial++) {
    const { baseline, errors } = errorStream(stream, width, chanceOf(seed, trial));
    for (const [name, score] of scores) judge(score, risesOf(settingsOf(name, baseline), errors), width);
  }
  const own = scores.get('e-detector') ?? emptyScore();
  const f1 = f1Of(recallOf(own), precisionOf(own));
  // Fires at every row: finds every episode at once, and is right as often as a row lies in one.
  const alwaysF1 = f1Of(1, (drifts.length * (earlyMax(width) + delayMax(width))) / streamRows);
  const rivals = [...scores].filter(([name]) => name !== 'e-detector').map(([name, score]) => [`${name} f1`, f1Of(recallOf(score), precisionOf(score))] as const);
  return {
    recall: recallOf(own), precision: precisionOf(own), detectionTime: own.found === 0 ? 1 : own.delay / own.found, alarmsPerEpisode: own.right / own.episodes, f1,
    'always-fire f1': alwaysF1, 'never-fire f1': 0, f1AboveAlwaysFire: f1 - alwaysF1, ...Object.fromEntries(rivals),
  };
}

const cells: Cell[] = [sea, sine1, mixed, agrawal, led, friedman].flatMap((stream) =>
  [1, 500, 5_000].map((width) => ({
    id: `${stream.name}/${width}`,
    about: `${stream.about}; ${width === 1 ? 'abrupt' : `over ${width.toLocaleString('en-US')} rows`}`,
    trials: 100,
    goals: [{ figure: 'recall', atLeast: 0.95 }, { figure: 'precision', atLeast: 0.95 }, { figure: 'detectionTime', atMost: 0.25 }, { figure: 'f1AboveAlwaysFire', atLeast: 0.01 }],
    run: (trials, seed) => run(stream, width, trials, seed),
  })),
);

export const conceptStreamsStudy: Study = {
  name: 'concept-streams',
  title: 'Concept drift on the field’s synthetic streams',
  method: `A small model (naive Bayes on bins; an additive model for Friedman) learns ${trainingRows.toLocaleString('en-US')} rows of the old concept and is frozen; ${validationRows.toLocaleString('en-US')} more give its validation error. Its errors on ${streamRows.toLocaleString('en-US')} rows, old, new, old, new by ${blockRows.toLocaleString('en-US')}, feed the detector, at a budget of one false alarm per ${meanTimeBetweenFalseAlarms.toLocaleString('en-US')} rows. Rows are joined by the sigmoid of MOA with width w. Each of the two changes to the new concept is an episode, from 1.5 w rows before its middle (one row in 400 is new) to w/2 + 5,000 after it: recall is the share of episodes with an alarm of a rise, precision the share of such alarms that lie in an episode, detectionTime the delay of the first from the middle (early: 0) over w/2 + 5,000 (V. Cerqueira and others, KDD 2026). The return to the old concept is no episode, but an error that has fallen must not hide the next rise. The other detectors run on the same errors with their usual settings, and a detector that fires at every row is scored by arithmetic.`,
  cells,
  rivals: [],
};
