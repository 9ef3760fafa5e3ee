/**
 * Goal: the field’s detectors alarm where the field’s do, and every detector is well-behaved as a piece of state.
 * Method: frozen alarms of river 0.26.1, and of a brute-force ADWIN where river deviates from the paper (fixtures/detectors.py
 * says how each was made); laws over every name in the register, each seen failing on a twin that breaks it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { detectorTraits, observeError, startDetector, type DetectorName, type DetectorSettings, type DetectorState, type DriftAlarm } from './index.js';

type FieldName = Exclude<DetectorName, 'e-detector'>;
interface Vectors {
  readonly bits: readonly (Readonly<Record<FieldName, readonly number[]>> & { readonly name: string; readonly ones: string; readonly 'hddm-w as river has it': readonly number[]; readonly 'adwin as river has it': readonly number[] })[];
  readonly fractions: readonly { readonly values: readonly number[]; readonly 'page-hinkley': readonly number[]; readonly 'page-hinkley rise': readonly number[]; readonly 'hddm-a': readonly number[]; readonly adwin: readonly number[] }[];
}
const vectors = JSON.parse(readFileSync(new URL('../../../fixtures/detectors.json', import.meta.url), 'utf8')) as Vectors;

const names = Object.keys(detectorTraits) as DetectorName[];
const settingsOf = (detector: DetectorName): DetectorSettings => (detector === 'e-detector' ? { detector, baseline: { errors: 100, rows: 1_000 }, meanTimeBetweenFalseAlarms: 10_000 } : { detector });

function alarmsOf(settings: DetectorSettings, errors: readonly number[]): DriftAlarm[] {
  const state = startDetector(settings);
  return errors.flatMap((x) => observeError(state, x) ?? []);
}
const rowsOf = (settings: DetectorSettings, errors: readonly number[]): number[] => alarmsOf(settings, errors).map(({ row }) => row);
const bitsOf = (ones: string): number[] => [...ones].map(Number);

describe('alarms of the reference implementations', () => {
  const fields = names.filter((name): name is FieldName => name !== 'e-detector');
  it.each(vectors.bits.flatMap((vector) => fields.map((detector) => ({ vector, detector, name: vector.name }))))('$detector on $name', ({ vector, detector }) => {
    expect(rowsOf({ detector }, bitsOf(vector.ones))).toEqual(vector[detector]);
  });
  it.each(vectors.fractions)('fractions', (vector) => {
    expect(rowsOf({ detector: 'page-hinkley' }, vector.values)).toEqual(vector['page-hinkley']);
    expect(rowsOf({ detector: 'page-hinkley', threshold: 10, direction: 'rise' }, vector.values)).toEqual(vector['page-hinkley rise']);
    expect(rowsOf({ detector: 'hddm-a' }, vector.values)).toEqual(vector['hddm-a']);
    expect(rowsOf({ detector: 'adwin' }, vector.values)).toEqual(vector.adwin);
  });
  it('tells river’s HDDM_W from the paper’s where the first weights matter', () => {
    expect(vectors.bits.filter((vector) => vector['hddm-w'].join() !== vector['hddm-w as river has it'].join()).map(({ name }) => name)).toEqual(['30 right, then wrong']);
  });
  it('agrees with river’s ADWIN on the first alarm of each change, whose window river then forgets', () => {
    for (const vector of vectors.bits) {
      const [first] = vector['adwin as river has it'];
      expect(first === undefined || vector.adwin.includes(first)).toBe(true);
      expect(vector['adwin as river has it'].length).toBeLessThanOrEqual(vector.adwin.length);
    }
  });
});

const [rise] = vectors.bits;
const rising = bitsOf(rise?.ones ?? '');

/** What a checkpoint does to a state. */
const reborn = (state: DetectorState): DetectorState => JSON.parse(JSON.stringify(state)) as DetectorState;

function alarmsAcrossCheckpoints(detector: DetectorName, checkpoint: (state: DetectorState) => DetectorState): DriftAlarm[] {
  let state = startDetector(settingsOf(detector));
  return rising.flatMap((x, index) => {
    if (index % 500 === 250) state = checkpoint(state);
    return observeError(state, x) ?? [];
  });
}

const finite = (value: unknown): boolean => (typeof value === 'number' ? Number.isFinite(value) : typeof value !== 'object' || value === null || Object.values(value).every(finite));

describe('laws of every detector', () => {
  it.each(names)('%s goes on after a checkpoint as if there had been none', (detector) => {
    expect(alarmsAcrossCheckpoints(detector, reborn)).toEqual(alarmsOf(settingsOf(detector), rising));
  });
  it('would notice a checkpoint that forgets', () => {
    expect(alarmsAcrossCheckpoints('page-hinkley', () => startDetector(settingsOf('page-hinkley')))).not.toEqual(alarmsOf(settingsOf('page-hinkley'), rising));
  });
  it.each(names)('%s says and keeps only finite numbers, and describes its alarms within bounds', (detector) => {
    for (const { ones } of vectors.bits) {
      const state = startDetector(settingsOf(detector));
      for (const [index, x] of bitsOf(ones).entries()) {
        const alarm = observeError(state, x);
        if (!finite(alarm)) throw new Error(`row ${index + 1}: ${JSON.stringify(alarm)}`);
        if (alarm === null) continue;
        expect(alarm.row).toBe(index + 1);
        expect(alarm.rowsNow).toBeGreaterThan(0);
        // EDDM judges the gaps’ spread as well as their mean, and may call a more regular stream a rise.
        if (detector !== 'eddm') expect(alarm.errorNow > alarm.errorBefore).toBe(alarm.direction === 'rise');
        expect(Math.min(alarm.errorBefore, 1 - alarm.errorBefore, alarm.errorNow, 1 - alarm.errorNow)).toBeGreaterThanOrEqual(0);
      }
      expect(finite(state)).toBe(true);
    }
  });
  it.each(names)('%s stays silent on a constant stream', (detector) => {
    // The e-detector knows that 0.1 was promised: to it, errors without end are a change.
    expect(rowsOf(settingsOf(detector), new Array<number>(3_000).fill(0))).toEqual([]);
    if (detector !== 'e-detector') expect(rowsOf(settingsOf(detector), new Array<number>(3_000).fill(1))).toEqual([]);
  });
  it.each(names)('%s finds 0.1 → 0.9 within 400 rows', (detector) => {
    const errors = Array.from({ length: 4_000 }, (_, index) => (index < 3_000 ? Number(index % 10 === 0) : Number(index % 10 !== 0)));
    const found = rowsOf(settingsOf(detector), errors).find((row) => row > 3_000);
    expect(found).toBeLessThan(3_400);
  });
  it.each(names)('%s refuses what is no error', (detector) => {
    const state = startDetector(settingsOf(detector));
    for (const x of [-0.1, 1.1, NaN, Infinity]) expect(() => observeError(state, x)).toThrow(RangeError);
    if (detectorTraits[detector].takes === 'bits') expect(() => observeError(state, 0.5)).toThrow('0 or 1');
    else expect(observeError(state, 0.5)).toBeNull();
  });
});

describe('settings out of range', () => {
  it.each<DetectorSettings>([
    { detector: 'e-detector', baseline: { errors: 1, rows: 0 }, meanTimeBetweenFalseAlarms: 1_000 },
    { detector: 'e-detector', baseline: { errors: 11, rows: 10 }, meanTimeBetweenFalseAlarms: 1_000 },
    { detector: 'e-detector', baseline: { errors: 1, rows: 10 }, meanTimeBetweenFalseAlarms: 0.5 },
    { detector: 'adwin', delta: 0 },
    { detector: 'page-hinkley', threshold: 0 },
    { detector: 'ddm', threshold: -1 },
    { detector: 'eddm', threshold: 1 },
    { detector: 'hddm-a', alpha: 1 },
    { detector: 'hddm-w', newWeight: 0 },
  ])('%j', (settings) => expect(() => startDetector(settings)).toThrow(RangeError));
});
