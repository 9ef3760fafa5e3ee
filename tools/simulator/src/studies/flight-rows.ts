import { emptyInputs, judgeInputs, observeInputs, referenceCounts, referenceParts, referenceSample, watchedOf, type DriftPolicy, type InputReference, type InputVerdict, type PartsWanted, type ServedRow } from '@millrace/core/drift';
import type { Chance } from '../chance.js';

/** Flights of a made-up airline: seven airports by their share of the traffic, and small ones that make up the rest. */
export const origins: readonly (readonly [string, number])[] = [['JFK', 0.25], ['LGA', 0.2], ['EWR', 0.15], ['BOS', 0.1], ['PHL', 0.08], ['ALB', 0.07], ['SYR', 0.05], ['BUF', 0.04], ['ROC', 0.03], ['ITH', 0.03]];
const carriers: readonly (readonly [string, number])[] = [['UA', 0.4], ['B6', 0.3], ['DL', 0.2], ['AA', 0.1]];

const features = [{ name: 'carrier', type: 'category' }, { name: 'delay', type: 'number' }, { name: 'distance', type: 'number' }, { name: 'origin', type: 'category' }, { name: 'temp', type: 'number' }] as const;
const spec = { features, task: 'binary' } as const;

const hourMs = 3_600_000;

function drawn(chance: Chance, shares: readonly (readonly [string, number])[]): string {
  let left = chance.uniform();
  for (const [name, share] of shares) {
    left -= share;
    if (left < 0) return name;
  }
  return shares.at(-1)?.[0] ?? '';
}

export interface Flight {
  readonly hour: number;
  readonly origin: string;
  readonly carrier: string;
  readonly distance: number;
  readonly delay: number;
  readonly temp: number;
}

export interface Traffic {
  /** In which hour, from 0, a flight leaves. */
  readonly hourOf: (chance: Chance) => number;
  /** At night (22 to 6) flights are longer, colder and of other carriers. */
  readonly nights: boolean;
  readonly change?: (flight: Flight) => Flight;
}

export const isNight = (hour: number): boolean => hour % 24 >= 22 || hour % 24 < 6;

function flight(chance: Chance, { hourOf, nights, change }: Traffic): Flight {
  const hour = hourOf(chance);
  const night = nights && isNight(hour);
  const origin = drawn(chance, origins);
  const place = origins.findIndex(([name]) => name === origin);
  const one: Flight = {
    hour, origin,
    carrier: night && chance.uniform() < 0.6 ? 'DL' : drawn(chance, carriers),
    // Rounded as archives have them: ties are common.
    distance: Math.round(900 - 40 * place + (night ? 500 : 0) + 250 * chance.normal()),
    delay: Math.round(10 * chance.exponential()),
    temp: Math.round(10 * (15 - (night ? 8 : 0) + 6 * chance.normal())) / 10,
  };
  return change === undefined ? one : change(one);
}

function rowsOf(chance: Chance, name: string, rows: number, traffic: Traffic): ServedRow[] {
  return Array.from({ length: rows }, (_, offset) => {
    const { hour, ...values } = flight(chance, traffic);
    return { predictionId: `${name}${offset}`, recordId: `${name}${offset}`, partition: 0, offset, eventTimeMs: hour * hourMs, features: values, output: Math.min(1, Math.max(0, 0.3 + values.delay / 100 + 0.1 * chance.normal())) };
  });
}

/** The reference that training leaves of so many rows. */
export function trainedOn(chance: Chance, rows: number, traffic: Traffic, wanted: PartsWanted): InputReference {
  const training = rowsOf(chance, 'r', rows, traffic);
  const said = training.map(({ output }) => output);
  return {
    features: new Map(features.map(({ name, type }) => [name, referenceCounts(type, training.map((row) => row.features[name]))])),
    output: referenceCounts('number', said),
    sample: referenceSample(features.map(({ name }) => name), training, wanted.reference?.season),
    parts: referenceParts(wanted, features, 'number', training, training),
  };
}

/** One window of traffic, judged. */
export function judgedWindow(chance: Chance, name: string, rows: number, traffic: Traffic, reference: InputReference, policy: DriftPolicy): InputVerdict {
  const state = emptyInputs(watchedOf(reference, spec), false);
  for (const row of rowsOf(chance, name, rows, traffic)) observeInputs(state, row);
  return judgeInputs(state, reference, policy, { volumes: null, volume: rows, spent: 0, allowed: null });
}
