/**
 * Goal: the e-detector’s evidence is what its formula says, and its promise holds: E[M_t] = t while nothing changes, and stopped
 * at any horizon the rows per false alarm are at least the budget, with the error rate unknown.
 * Method: frozen values of the double sum over alternatives and change points (fixtures/detectors.py); exact sums over every
 * stream of a few rows under the beta-binomial distribution; seeded streams. Each promise is seen broken by a twin.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { evidenceOf, observeEDetector, startEDetector, type EDetectorState } from './index.js';

interface Vectors {
  readonly evidence: readonly { readonly wrong: number; readonly rows: number; readonly errors: readonly number[]; readonly values: readonly { readonly row: number; readonly value: number }[] }[];
}
const vectors = JSON.parse(readFileSync(new URL('../../../fixtures/detectors.json', import.meta.url), 'utf8')) as Vectors;

const never = 1e280;
const start = (errors: number, rows: number, meanTimeBetweenFalseAlarms = never, twoSided = false): EDetectorState => startEDetector({ baseline: { errors, rows }, meanTimeBetweenFalseAlarms, twoSided });

describe('the evidence', () => {
  it.each(vectors.evidence)('is the double sum: $wrong wrong of $rows', ({ wrong, rows, errors, values }) => {
    const state = start(wrong, rows);
    for (const x of errors) {
      observeEDetector(state, x);
      const expected = values.find(({ row }) => row === state.row);
      if (expected !== undefined) expect(evidenceOf(state) / expected.value).toBeCloseTo(1, 9);
    }
    expect(state.row).toBe(errors.length);
  });
});

/** Every stream of `length` rows with its probability when the error rate is drawn from Beta(k + ½, n − k + ½) and stays. */
function everyStream(k: number, n: number, length: number): { errors: number[]; probability: number }[] {
  return Array.from({ length: 2 ** length }, (_, code) => {
    let wrong = k + 0.5;
    let probability = 1;
    const errors = Array.from({ length }, (__, index) => (code >> index) & 1);
    errors.forEach((x, index) => {
      const chance = wrong / (n + 1 + index);
      probability *= x === 1 ? chance : 1 - chance;
      wrong += x;
    });
    return { errors, probability };
  });
}

function meanEvidence(k: number, n: number, length: number, learns: boolean): number {
  return everyStream(k, n, length).reduce((sum, { errors, probability }) => {
    const state = start(k, n);
    for (const x of errors) {
      observeEDetector(state, x);
      // The twin forgets every row as soon as it has judged it: its rate stays the estimate.
      if (!learns) state.beliefs = [{ errors: k, rows: n, weight: 1 }];
    }
    return sum + probability * evidenceOf(state);
  }, 0);
}

describe('the promise, summed over every stream', () => {
  it.each([{ k: 3, n: 20 }, { k: 0, n: 5 }, { k: 9, n: 10 }])('E[M] = 12 after 12 rows, from $k wrong of $n', ({ k, n }) => {
    expect(meanEvidence(k, n, 12, true)).toBeCloseTo(12, 8);
  });
  it('is broken by a twin that plugs the estimate in', () => {
    expect(meanEvidence(3, 20, 12, false)).toBeGreaterThan(14);
  });
  it.each([{ k: 3, n: 20, budget: 5 }, { k: 1, n: 40, budget: 12 }])('rows per alarm are at least $budget at a horizon of 14, from $k wrong of $n', ({ k, n, budget }) => {
    let rows = 0;
    let alarms = 0;
    for (const { errors, probability } of everyStream(k, n, 14)) {
      const state = start(k, n, budget);
      const alarmed = errors.some((x) => observeEDetector(state, x) !== null);
      rows += probability * state.row;
      alarms += alarmed ? probability : 0;
    }
    expect(alarms).toBeGreaterThan(0.05);
    expect(rows / alarms).toBeGreaterThanOrEqual(budget);
  });
  it('two-sided: both directions together keep the budget', () => {
    let rows = 0;
    let alarms = 0;
    for (const { errors, probability } of everyStream(10, 20, 14)) {
      const state = start(10, 20, 6, true);
      alarms += errors.some((x) => observeEDetector(state, x) !== null) ? probability : 0;
      rows += probability * state.row;
    }
    expect(rows / alarms).toBeGreaterThanOrEqual(6);
  });
});

/** xorshift32, so that this file needs nothing. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

/** Rows per alarm of streams of at most 20,000 rows at error 0.2, each with 300 validation rows of its own. */
function rowsPerAlarm(budget: number, goesOn: boolean, baselineOf: (wrong: number) => { errors: number; rows: number }): number {
  const uniform = uniforms(2_463_534_242);
  let rows = 0;
  let alarms = 0;
  for (let trial = 0; trial < 60; trial++) {
    let wrong = 0;
    for (let row = 0; row < 300; row++) wrong += Number(uniform() < 0.2);
    const state = startEDetector({ baseline: baselineOf(wrong), meanTimeBetweenFalseAlarms: budget });
    for (let row = 0, alarmed = false; row < 20_000 && (goesOn || !alarmed); row++) {
      alarmed = observeEDetector(state, Number(uniform() < 0.2)) !== null;
      alarms += alarmed ? 1 : 0;
    }
    rows += state.row;
  }
  return rows / alarms;
}

describe('on streams', () => {
  it('keeps the budget from 300 validation rows, restarts included', () => {
    expect(rowsPerAlarm(20_000, false, (errors) => ({ errors, rows: 300 }))).toBeGreaterThan(0.9 * 20_000);
    expect(rowsPerAlarm(20_000, true, (errors) => ({ errors, rows: 300 }))).toBeGreaterThan(0.9 * 20_000);
  });
  it('would not, if 300 rows were taken for 300,000', () => {
    expect(rowsPerAlarm(20_000, false, (errors) => ({ errors: errors * 1_000, rows: 300_000 }))).toBeLessThan(0.9 * 20_000);
  });
  it('says where and how the error changed, and starts again from the rows since', () => {
    const uniform = uniforms(7);
    const state = start(500, 5_000, 1_000_000);
    for (let row = 1; row <= 8_000; row++) {
      const alarm = observeEDetector(state, Number(uniform() < (row <= 5_000 ? 0.1 : 0.25)));
      if (alarm === null) continue;
      expect(alarm.row).toBeGreaterThan(5_000);
      expect(Math.abs(alarm.row - alarm.rowsNow - 5_000)).toBeLessThan(100);
      expect(alarm.errorBefore).toBeCloseTo(0.1, 1.5);
      expect(Math.abs(alarm.errorNow - 0.25)).toBeLessThan(0.08);
      const wrongNow = Math.round(alarm.errorNow * alarm.rowsNow);
      const [fresh, old] = state.beliefs;
      expect(fresh).toEqual({ errors: wrongNow, rows: alarm.rowsNow, weight: 0.5 });
      expect(old).toEqual({ errors: Math.round(alarm.errorBefore * (5_001 + row - alarm.rowsNow) - 0.5) + wrongNow, rows: 5_000 + row, weight: 0.5 });
      expect(evidenceOf(state)).toBe(0);
      for (let more = 0; more < 400; more++) observeEDetector(state, Number(uniform() < 0.25));
      expect(state.beliefs).toHaveLength(1);
      expect(state.beliefs[0]?.rows).toBe(alarm.rowsNow + 400);
      return;
    }
    throw new Error('the change was not found');
  });
  it('holds a model that got better to its better rate', () => {
    const rate = (row: number): number => (row <= 4_000 ? 0.3 : row <= 8_000 ? 0.05 : 0.15);
    const alarmRows = (state: EDetectorState): number[] => {
      const uniform = uniforms(4_711);
      return Array.from({ length: 9_000 }, (_, index) => observeEDetector(state, Number(uniform() < rate(index + 1)))?.row ?? []).flat();
    };
    const [found, ...others] = alarmRows(start(300, 1_000, 100_000));
    expect(found).toBeGreaterThan(8_000);
    expect(found).toBeLessThan(8_400);
    expect(others).toEqual([]);
    // Without the alternatives of a fall the old, worse rate lasts, and the rise within it is not seen.
    expect(alarmRows({ ...start(300, 1_000, 100_000), falls: [] })).toEqual([]);
  });
});
