import { budgetOf, revisionLevel, windowLevel, type DriftPolicy, type InputReference, type InputVerdict, type PartsWanted } from '@millrace/core/drift';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell, Figures, Goal, Study } from '../study.js';
import { isNight, judgedWindow, origins, trainedOn, type Flight, type Traffic } from './flight-rows.js';

const budget = 'at most one false incident per model per 30 days';
const minimums = { ksMin: 0.1, categoryMin: 0.1, nullShareMin: 0.05, newCategoryMin: 0.01, outOfRangeMin: 0.05, jointMin: 0.2, volumeMin: 0.5 };
const anyEffect = { ksMin: 0, categoryMin: 0, nullShareMin: 0, newCategoryMin: 0, outOfRangeMin: 0, jointMin: 0, volumeMin: 0 };
const byPlace: PartsWanted = { segments: ['origin', 'carrier'] };
const byHour: PartsWanted = { reference: { season: 'hour-of-day' } };
const hourly = revisionLevel(windowLevel(budgetOf(budget), 'PT1H'), 1, 1);
const [referenceRows, rowsMin] = [20_000, 100];

const policyOf = (wanted: PartsWanted, alpha: number, least: typeof minimums = minimums): DriftPolicy => ({ ...least, ...wanted, alpha, rowsMin });

const allDay: Traffic = { hourOf: (chance) => chance.integer(24), nights: false };
const withNights: Traffic = { ...allDay, nights: true };
/** Most of the traffic in a few hours, as at a hub. */
const banked = (chance: Chance): number => (chance.uniform() < 0.7 ? [7, 8, 17, 18][chance.integer(4)] ?? 7 : chance.integer(24));

interface Trial {
  readonly rows: number;
  readonly policy: DriftPolicy;
  readonly training: Traffic;
  /** Of the so-manieth window. */
  readonly now: (window: number) => Traffic;
  /** Windows against one reference. */
  readonly windows?: number;
}

function eachWindow({ rows, policy, training, now, windows = 24 }: Trial, trials: number, seed: number, look: (verdict: InputVerdict, window: number) => void): void {
  let reference: InputReference | null = null;
  for (let trial = 0; trial < trials; trial += 1) {
    const chance = chanceOf(seed, trial);
    if (reference === null || trial % windows === 0) reference = trainedOn(chance, referenceRows, training, policy);
    look(judgedWindow(chance, `${trial}-`, rows, now(trial), reference, policy), trial);
  }
}

const failed = ({ findings }: InputVerdict): string[] => findings.filter(({ outcome }) => outcome === 'failed').map(({ subject }) => subject);
const ofSegments = (subjects: readonly string[]): string[] => subjects.filter((subject) => subject.includes('='));

/** Part of the windows with any alarm, and with one of a segment. */
function alarmRates(trial: Trial, trials: number, seed: number): { windows: number; segments: number } {
  let [windows, segments] = [0, 0];
  eachWindow(trial, trials, seed, (verdict) => {
    const subjects = failed(verdict);
    windows += Number(subjects.length > 0);
    segments += Number(ofSegments(subjects).length > 0);
  });
  return { windows: windows / trials, segments: segments / trials };
}

const cell = (id: string, about: string, trials: number, goals: readonly Goal[], run: (trials: number, seed: number) => Figures): Cell => ({ id, about, trials, goals, run });

/** Something happens at the airport that has 5 % of the traffic. */
const atSyracuse = (change: (flight: Flight) => Flight) => (flight: Flight): Flight => (flight.origin === 'SYR' ? change(flight) : flight);

function foundIn(change: (flight: Flight) => Flight, trials: number, seed: number): Figures {
  let [whole, segment, others] = [0, 0, 0];
  eachWindow({ rows: 4_000, policy: policyOf(byPlace, hourly), training: allDay, now: () => ({ ...allDay, change: atSyracuse(change) }) }, trials, seed, (verdict) => {
    const [subjects, sits] = [failed(verdict), 'origin=SYR'];
    whole += Number(subjects.length > ofSegments(subjects).length);
    segment += Number(subjects.includes(sits));
    others += Number(subjects.some((name) => name.startsWith('origin=') && name !== sits));
  });
  return { foundRate: segment / trials, wholeRate: whole / trials, otherAirportRate: others / trials };
}

function toldOnce(trials: number, seed: number): Figures {
  let [whole, again] = [0, 0];
  eachWindow({ rows: 4_000, policy: policyOf(byPlace, hourly), training: allDay, now: () => ({ ...allDay, change: (flight) => ({ ...flight, distance: flight.distance + 250 }) }) }, trials, seed, (verdict) => {
    const subjects = failed(verdict);
    whole += Number(subjects.includes('distance'));
    again += Number(ofSegments(subjects).length > 0);
  });
  return { foundRate: whole / trials, toldAgainRate: again / trials };
}

/** Windows of an hour each, one day after the other. */
const hourWindows = (traffic: Traffic) => (window: number): Traffic => ({ ...traffic, hourOf: () => window % 24 });

function nights(policy: DriftPolicy, change: ((flight: Flight) => Flight) | undefined, trials: number, seed: number): { night: number; day: number } {
  const [alarms, windows] = [{ night: 0, day: 0 }, { night: 0, day: 0 }];
  eachWindow({ rows: 500, policy, training: withNights, now: hourWindows({ ...withNights, ...(change === undefined ? {} : { change }) }), windows: 120 }, trials, seed, (verdict, window) => {
    const part = isNight(window % 24) ? 'night' : 'day';
    windows[part] += 1;
    alarms[part] += Number(failed(verdict).length > 0);
  });
  return { night: alarms.night / Math.max(1, windows.night), day: alarms.day / Math.max(1, windows.day) };
}

const level = 0.05;

export const segmentsStudy: Study = {
  name: 'segments',
  title: 'Data drift by segment and by season',
  method:
    `Flights of ${origins.length} airports and 4 carriers with five features and a score, ${referenceRows.toLocaleString('en-US')} training rows, judged by \`judgeInputs\` as monitoring does: the whole and, where said, the segments of origin and carrier, or against the training rows of the same hour. ` +
    `“At the budget” is the level of an hourly window under “${budget}”; “any effect” sets all minimum effects to 0 and the level of a window to ${level}, so that the level itself is seen. At night (22 to 6) flights are longer, colder and of other carriers where said.`,
  cells: [
    cell('clean/any-effect', `no drift, segments, any effect: windows of 2,000 rows with an alarm`, 1_500, [{ figure: 'falseWindowRate', atMost: level }, { figure: 'falseSegmentRate', atMost: level / 2 }], (trials, seed) => {
      const { windows, segments } = alarmRates({ rows: 2_000, policy: policyOf(byPlace, level, anyEffect), training: allDay, now: () => allDay }, trials, seed);
      return { falseWindowRate: windows, falseSegmentRate: segments };
    }),
    cell('clean/month', 'no drift, segments, at the budget: false incidents in 30 days of hourly windows of 1,000 rows', 720, [{ figure: 'falseIncidentsPer30Days', atMost: 1 }], (trials, seed) => ({ falseIncidentsPer30Days: 720 * alarmRates({ rows: 1_000, policy: policyOf(byPlace, hourly), training: allDay, now: () => allDay, windows: 240 }, trials, seed).windows })),
    cell('one-segment/distance', 'distances of one airport with 5 % of the traffic grow by one standard deviation; windows of 4,000 rows', 200, [{ figure: 'foundRate', atLeast: 0.95 }, { figure: 'wholeRate', atMost: 0.01 }, { figure: 'otherAirportRate', atMost: 0.01 }], (trials, seed) => foundIn((flight) => ({ ...flight, distance: flight.distance + 250 }), trials, seed)),
    cell('one-segment/carrier', 'half of the flights of one airport with 5 % of the traffic change to one carrier', 200, [{ figure: 'foundRate', atLeast: 0.95 }, { figure: 'wholeRate', atMost: 0.01 }, { figure: 'otherAirportRate', atMost: 0.01 }], (trials, seed) => foundIn((flight) => (flight.delay % 2 === 0 ? { ...flight, carrier: 'AA' } : flight), trials, seed)),
    cell('everywhere', 'distances grow everywhere: told of the whole, and not of every segment again', 100, [{ figure: 'foundRate', atLeast: 0.95 }, { figure: 'toldAgainRate', atMost: 0.01 }], toldOnce),
    cell('nights/plain', 'nights differ, hourly windows of 500 rows, at the budget, against all of training', 240, [{ figure: 'nightAlarmRate', atLeast: 0.95 }], (trials, seed) => ({ nightAlarmRate: nights(policyOf({}, hourly), undefined, trials, seed).night })),
    cell('nights/season', 'the same against the training rows of the same hour', 720, [{ figure: 'falseIncidentsPer30Days', atMost: 1 }], (trials, seed) => {
      const { night, day } = nights(policyOf(byHour, hourly), undefined, trials, seed);
      return { falseIncidentsPer30Days: 240 * night + 480 * day };
    }),
    cell('nights/shift', 'the same, and delays grow by 7 minutes (half of the flights)', 240, [{ figure: 'foundRate', atLeast: 0.95 }], (trials, seed) => {
      const { night, day } = nights(policyOf(byHour, hourly), (flight) => ({ ...flight, delay: flight.delay + 7 }), trials, seed);
      return { foundRate: (night + 2 * day) / 3 };
    }),
    cell('season/any-effect', 'no drift but of traffic, which moves into four hours; days of 2,000 rows, any effect, against the mix of the same hours', 600, [{ figure: 'falseWindowRate', atMost: level }], (trials, seed) => ({ falseWindowRate: alarmRates({ rows: 2_000, policy: policyOf(byHour, level, anyEffect), training: withNights, now: () => ({ ...withNights, hourOf: banked }) }, trials, seed).windows })),
    cell('season/traffic', 'the same with the usual minimums at the budget: plain reference, and seasonal one', 100, [{ figure: 'plainAlarmRate', atLeast: 0.95 }, { figure: 'seasonalAlarmRate', atMost: 0.01 }], (trials, seed) => {
      const busyNights: Traffic = { ...withNights, hourOf: (chance) => (chance.uniform() < 0.6 ? [23, 0, 1, 2][chance.integer(4)] ?? 0 : chance.integer(24)) };
      const rate = (wanted: PartsWanted): number => alarmRates({ rows: 2_000, policy: policyOf(wanted, hourly), training: withNights, now: () => busyNights }, trials, seed).windows;
      return { plainAlarmRate: rate({}), seasonalAlarmRate: rate(byHour) };
    }),
  ],
  rivals: [],
};
