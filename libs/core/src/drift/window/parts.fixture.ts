import { seeded } from '@millrace/testing';
import { emptyInputs, judgeInputs, observeInputs, referenceCounts, referenceParts, referenceSample, watchedOf, type DriftPolicy, type InputReference, type InputState, type InputVerdict, type PartsWanted, type ServedRow } from '../index.js';

export interface Weather {
  readonly hour: number;
  readonly origin: string | null;
  readonly carrier: string;
  readonly temp: number | null;
}

export const features = [{ name: 'carrier', type: 'category' }, { name: 'origin', type: 'category' }, { name: 'temp', type: 'number' }] as const;
export const spec = { features, task: 'binary' } as const;
export const policy: DriftPolicy = { alpha: 0.01, ksMin: 0.1, categoryMin: 0.1, nullShareMin: 0.05, newCategoryMin: 0.01, outOfRangeMin: 0.05, jointMin: 0.2, volumeMin: 0.5, rowsMin: 100 };
export const hourMs = 3_600_000;

type Chance = () => number;
const normal = (chance: Chance): number => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
/** JFK 45 %, LGA 35 %, SYR 5 %, and 15 % of airports of which each has less than a hundredth. */
function originOf(chance: Chance): string {
  const place = chance();
  return place < 0.45 ? 'JFK' : place < 0.8 ? 'LGA' : place < 0.85 ? 'SYR' : `small-${Math.floor(chance() * 30)}`;
}

/** Rows over all hours of a week, made from a seed; `change` may put them elsewhere. */
export function rowsOf(seed: number, n: number, change: (row: Weather, index: number) => Weather = (row) => row): ServedRow[] {
  const chance = seeded(seed);
  return Array.from({ length: n }, (_, index) => {
    const { hour, ...values } = change({ hour: Math.floor(chance() * 168), origin: originOf(chance), carrier: chance() < 0.5 ? 'UA' : 'B6', temp: 40 + 10 * normal(chance) }, index);
    return { predictionId: `${seed}-${index}/p`, recordId: `${seed}-${index}`, partition: index % 3, offset: index, eventTimeMs: hour * hourMs, features: values, output: chance() };
  });
}

export function referenceOf(rows: readonly ServedRow[], wanted: PartsWanted): InputReference {
  return {
    features: new Map(features.map(({ name, type }) => [name, referenceCounts(type, rows.map((row) => row.features[name]))])),
    output: referenceCounts('number', rows.map(({ output }) => output)),
    sample: referenceSample(features.map(({ name }) => name), rows, wanted.reference?.season),
    parts: referenceParts(wanted, features, 'number', rows, rows),
  };
}

export function stateOf(reference: InputReference | null, rows: readonly ServedRow[], open = false): InputState {
  const state = emptyInputs(watchedOf(reference, spec), open);
  for (const row of rows) observeInputs(state, row);
  return state;
}

export const judge = (rows: readonly ServedRow[], reference: InputReference, wanted: PartsWanted, changes: Partial<DriftPolicy> = {}): InputVerdict =>
  judgeInputs(stateOf(reference, rows), reference, { ...policy, ...wanted, ...changes }, { volumes: null, volume: rows.length, spent: 0, allowed: null });

export const failed = ({ findings }: InputVerdict): string[] => findings.filter(({ outcome }) => outcome === 'failed').map(({ subject }) => subject);
