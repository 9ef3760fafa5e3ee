/**
 * Goal: a window’s state and verdict depend on the set of its rows alone; clean windows pass as often as promised; what has changed
 * is named, with the place of the change and in words; missing data never passes.
 * Method: property tests over orders and splits; seeded rows with known changes; closed forms and tables (Student’s t, budgets).
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '@millrace/testing';
import { studentCritical, studentTail } from '../../statistics/index.js';
import {
  budgetOf, budgetUse, emptyInputs, judgeInputs, judgeJointly, judgeVolume, mergeInputs, observeInputs, paneLength, parseInputs, referenceCounts, referenceSample, revisionLevel, rootCauses, serialiseInputs, watchedOf, windowLevel,
  type DriftPolicy, type InputReference, type InputState, type InputVerdict, type ServedRow, type WindowHistory,
} from '../index.js';

const policy: DriftPolicy = { alpha: 0.01, ksMin: 0.1, categoryMin: 0.1, nullShareMin: 0.05, newCategoryMin: 0.01, outOfRangeMin: 0.05, jointMin: 0.2, volumeMin: 0.5, rowsMin: 200 };
const alone: WindowHistory = { volumes: null, volume: 0, spent: 0, allowed: null };
type Chance = () => number;
interface Weather { readonly temp: number | null; readonly carrier: string | null; readonly origin: string }

const normal = (chance: Chance): number => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
const weather = (chance: Chance): Weather => ({ temp: 40 + 10 * normal(chance), carrier: chance() < 0.5 ? 'UA' : 'B6', origin: ['JFK', 'LGA', 'EWR'][Math.floor(3 * chance())] ?? 'JFK' });
const kinds = { temp: 'number', carrier: 'category', origin: 'category' } as const;

function rowsOf(chance: Chance, n: number, change: (row: Weather, index: number) => Weather = (row) => row, name = 'w'): ServedRow[] {
  return Array.from({ length: n }, (_, index) => ({ predictionId: `${name}${index}/p`, recordId: `${name}${index}`, partition: index % 3, offset: index, eventTimeMs: index * 60_000, features: { ...change(weather(chance), index) }, output: chance() }));
}

function referenceOf(rows: readonly ServedRow[]): InputReference {
  const features = new Map(Object.entries(kinds).map(([name, kind]) => [name, referenceCounts(kind, rows.map((row) => row.features[name]))]));
  return { features, output: referenceCounts('number', rows.map(({ output }) => output)), sample: referenceSample(Object.keys(kinds), rows) };
}

const spec = { task: 'binary', features: Object.entries(kinds).map(([name, type]) => ({ name, type })) } as const;

function stateOf(reference: InputReference | null, rows: readonly ServedRow[], open = false): InputState {
  const state = emptyInputs(watchedOf(reference, spec), open);
  for (const row of rows) observeInputs(state, row);
  return state;
}

const chance = seeded(11);
const reference = referenceOf(rowsOf(chance, 5_000, undefined, 'r'));
const judge = (rows: readonly ServedRow[], history = alone): InputVerdict => judgeInputs(stateOf(reference, rows), reference, policy, history);
const failed = (verdict: InputVerdict): string[] => verdict.findings.filter(({ outcome }) => outcome === 'failed').map(({ subject, reasons = [] }) => `${subject}: ${reasons.join(', ')}`);

describe('the state of a window', () => {
  it('does not depend on order, splits or merging', () => {
    const value = fc.oneof(fc.constant(null), fc.double(), fc.integer({ min: -5, max: 5 }), fc.constant('text'));
    const row = fc.record({ id: fc.uuid(), temp: value, carrier: fc.oneof(fc.constant(null), fc.string({ maxLength: 60 }), fc.constantFrom('UA', 'B6')), cut: fc.integer({ min: 0, max: 3 }), order: fc.double({ noNaN: true }) });
    fc.assert(
      fc.property(fc.uniqueArray(row, { maxLength: 150, selector: ({ id }) => id }), (drawn) => {
        const served = drawn.map(({ id, temp, carrier }, index): ServedRow => ({ predictionId: id, recordId: id, partition: 0, offset: index, eventTimeMs: index * 60_000, features: { temp, carrier, origin: 'JFK' }, output: 0.5 }));
        const whole = stateOf(null, served);
        const parts = [0, 1, 2, 3].map((part) => {
          const own = served.filter((_, index) => drawn[index]?.cut === part);
          return stateOf(null, [...own].sort((a, b) => (drawn[a.offset]?.order ?? 0) - (drawn[b.offset]?.order ?? 0)));
        });
        const merged = [...parts].reverse().reduce(mergeInputs);
        expect(serialiseInputs(merged)).toEqual(serialiseInputs(whole));
        expect(serialiseInputs(parseInputs(serialiseInputs(whole)))).toEqual(serialiseInputs(whole));
      }),
      { numRuns: 100 },
    );
  });
  it('counts a prediction once that was logged twice, while its pane is open', () => {
    const rows = rowsOf(chance, 50);
    const open = stateOf(null, [...rows, ...rows], true);
    expect(open.rows).toBe(50);
    expect(parseInputs(serialiseInputs(open)).seen?.size).toBe(50);
    expect(stateOf(null, [...rows, ...rows], false).rows).toBe(100);
  });
  it('takes at most 8 KB a feature, with the sample beside', () => {
    const many = rowsOf(chance, 20_000, (row, index) => ({ ...row, carrier: `name-${index % 3_000}` }));
    const { features } = stateOf(null, many);
    const bytes = (name: string): number => serialiseInputs({ ...stateOf(null, []), features: new Map([...features].filter(([each]) => each === name)) }).length;
    for (const name of Object.keys(kinds)) expect(bytes(name)).toBeLessThan(8_192);
  });
});

describe('judging a window', () => {
  it('alarms on clean windows no more often than α', () => {
    const sharp = { ...policy, ksMin: 0, categoryMin: 0, nullShareMin: 0, newCategoryMin: 0, outOfRangeMin: 0, jointMin: 0 };
    let alarms = 0;
    for (let window = 0; window < 200; window += 1) if (judgeInputs(stateOf(reference, rowsOf(chance, 500)), reference, sharp, alone).outcome === 'failed') alarms += 1;
    // Binomial(200, 0.01) is above 7 with probability 0.001.
    expect(alarms).toBeLessThanOrEqual(7);
  });
  it.each<[string, (row: Weather, index: number) => Weather, string[]]>([
    ['a shifted feature', (row) => ({ ...row, temp: (row.temp ?? 0) + 8 }), ['temp: distribution']],
    ['a change of unit', (row) => ({ ...row, temp: (row.temp ?? 0) * 1.8 + 32 }), ['temp: distribution, range, unit']],
    ['a mix that moved', (row, index) => ({ ...row, carrier: index % 5 < 4 ? 'UA' : 'B6' }), ['carrier: distribution']],
    ['a new category', (row, index) => ({ ...row, carrier: index % 20 === 0 ? 'XX' : row.carrier }), ['carrier: new-category']],
    ['a category that objects inherit', (row, index) => ({ ...row, carrier: index % 20 === 0 ? 'constructor' : row.carrier }), ['carrier: new-category']],
    ['values that go missing', (row, index) => ({ ...row, temp: index % 8 === 0 ? null : row.temp }), ['temp: nulls']],
    ['values out of range', (row, index) => ({ ...row, temp: index % 8 === 0 ? 999 : row.temp }), ['temp: distribution, new-category, range']],
    ['a significant trifle', (row) => ({ ...row, temp: (row.temp ?? 0) + 0.5 }), []],
    ['nothing', (row) => row, []],
  ])('names %s', (_name, change, expected) => {
    const names = failed(judge(rowsOf(chance, 4_000, change))).filter((name) => name !== 'inputs: joint');
    if (expected.length === 1 && expected[0]?.includes('range')) expect(names[0]).toContain(expected[0].includes('unit') ? 'unit' : 'range');
    else expect(names).toEqual(expected);
  });
  it('says what happened in a sentence', () => {
    const verdict = judgeInputs(stateOf(reference, rowsOf(chance, 4_120, (row) => ({ ...row, temp: (row.temp ?? 0) + 27 }))), reference, policy, { ...alone, spent: 0.01, allowed: 1 });
    // N(40, 10) and N(67, 10): D = 2Φ(1.35) − 1 = 0.823.
    expect(verdict.findings.find(({ subject }) => subject === 'temp')?.reason).toMatch(/^median rose from (39|40|41)[.\d]* to (66|67|68)[.\d]*; KS distance 0\.8\d \(at least 0\.7\d with 99\.\d+ % confidence; more than 0\.1 matters\); .*4,120 rows against 5,000 in training; false-alarm budget spent: 2\.0 %$/u);
  });
  it('is inconclusive with few rows, whatever they say, and spends nothing', () => {
    const few = judge(rowsOf(chance, 199, (row) => ({ ...row, temp: 999 })));
    expect([few.outcome, few.level]).toEqual(['inconclusive', 0]);
  });
  it('is errored when a feature is not there at all, or nothing is', () => {
    const state = stateOf(reference, rowsOf(chance, 500));
    expect(judgeInputs({ ...state, features: new Map([...state.features].slice(1)) }, reference, policy, alone).outcome).toBe('errored');
    expect(judgeInputs(state, { features: new Map(), output: null, sample: null }, policy, alone).outcome).toBe('errored');
  });
  it('takes a long tail of names for no drift, in any order', () => {
    const tail = (n: number): ServedRow[] => rowsOf(chance, n, (row) => ({ ...row, carrier: `tail-${Math.floor(chance() ** 2 * 2_000)}` }));
    const long = referenceOf(tail(5_000));
    expect(judgeInputs(stateOf(long, tail(5_000)), long, { ...policy, categoryMin: 0 }, alone).findings.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  });
});

describe('all inputs together', () => {
  const pair = (n: number, correlation: number, name: string): ServedRow[] =>
    Array.from({ length: n }, (_, index) => {
      const [x, y] = [normal(chance), normal(chance)];
      return { predictionId: `${name}${index}`, recordId: `${name}${index}`, partition: 0, offset: index, eventTimeMs: index * 60_000, features: { x, y: correlation * x + Math.sqrt(1 - correlation ** 2) * y }, output: null };
    });
  const sampleOf = (rows: readonly ServedRow[]) => referenceSample(['x', 'y'], rows);
  it('drift when a correlation turns round that no single feature shows', () => {
    const turned = judgeJointly(sampleOf(pair(2_000, 0.9, 'a')), sampleOf(pair(2_000, -0.9, 'b')), 'output', 0.001, 0.2);
    // P(xy > 0) is ½ + arcsin(0.9)/π = 0.856 before and 0.144 after: 0.71 apart.
    expect(turned).toMatchObject({ outcome: 'failed' });
    expect(Math.abs((turned?.statistic ?? 0) - 0.71)).toBeLessThan(0.15);
    expect(turned?.lowerBound).toBeGreaterThan(0.4);
  });
  it('alarm no more often than asked', () => {
    let alarms = 0;
    for (let run = 0; run < 300; run += 1) if (judgeJointly(sampleOf(pair(500, 0.5, `c${run}-`)), sampleOf(pair(500, 0.5, `d${run}-`)), 'output', 0.02, 0)?.outcome === 'failed') alarms += 1;
    // Binomial(300, 0.02) is above 15 with probability 0.0003.
    expect(alarms).toBeLessThanOrEqual(15);
  });
  it('are not judged from few rows, or other fields', () => {
    expect(judgeJointly(sampleOf(pair(99, 0, 'e')), sampleOf(pair(500, 0, 'f')), 'output', 0.01, 0.2)).toBeNull();
    expect(judgeJointly(sampleOf(pair(500, 0, 'g')), referenceSample(['x', 'z'], pair(500, 0, 'h')), 'output', 0.01, 0.2)).toBeNull();
  });
});

describe('volume', () => {
  const before = [1_000, 1_040, 980, 1_010, 990, 1_020, 1_000, 970];
  it.each<[string, number, string]>([['as ever', 1_030, 'passed'], ['a tenth less', 900, 'passed'], ['a quarter', 250, 'failed'], ['nothing', 0, 'failed'], ['five times as much', 5_000, 'failed']])('%s: %d rows', (_name, rows, outcome) => expect(judgeVolume(rows, before, 0.001, 0.5).outcome).toBe(outcome));
  it('is not judged by a few windows, nor by wild ones', () => {
    expect(judgeVolume(1, before.slice(0, 4), 0.001, 0.5).outcome).toBe('passed');
    expect(judgeVolume(250, [1_000, 200, 5_000, 100, 3_000, 700], 0.001, 0.5).outcome).toBe('passed');
  });
  it('alarms no more often than asked', () => {
    let alarms = 0;
    for (let run = 0; run < 2_000; run += 1) {
      const rows = Array.from({ length: 9 }, () => Math.round(1_000 * Math.exp(0.2 * normal(chance))));
      if (judgeVolume(rows[8] ?? 0, rows.slice(0, 8), 0.02, 0).outcome === 'failed') alarms += 1;
    }
    // Binomial(2000, 0.02) is above 62 with probability 0.0004.
    expect(alarms).toBeLessThanOrEqual(62);
  });
  // Two-sided critical values of the usual tables.
  it.each([[0.05, 1, 12.7062], [0.05, 10, 2.22814], [0.001, 5, 6.86883], [0.01, 30, 2.75]])('t at %d with %d degrees of freedom is %d', (level, freedom, t) => {
    expect(studentCritical(level, freedom)).toBeCloseTo(t, 4);
    expect(studentTail(t, freedom)).toBeCloseTo(level, 6);
  });
});

describe('root causes', () => {
  it('finds the segment that shifted, by two attributes, and rows of it', () => {
    const rows = rowsOf(chance, 20_000, (row) => (row.origin === 'JFK' && row.carrier === 'UA' ? { ...row, temp: (row.temp ?? 0) + 60 } : row));
    const { causes } = judge(rows);
    expect(causes[0]).toMatchObject({ subject: 'temp', share: 1 });
    expect(causes[0]?.segments.slice(0, 2).map(({ segment }) => segment.split(' & ').sort().join(' & '))).toContain('carrier=UA & origin=JFK');
    const example = causes[0]?.examples[0];
    expect(example?.value).toBeGreaterThan(80);
    expect(rows.find(({ recordId }) => recordId === example?.recordId)).toMatchObject({ partition: example?.partition, offset: example?.offset });
  });
  it('is silent where everything moved', () => {
    const [state] = [stateOf(reference, rowsOf(chance, 5_000, (row) => ({ ...row, temp: (row.temp ?? 0) + 60 })))];
    expect(reference.sample === null ? [] : rootCauses(reference.sample, state.sample, [{ subject: 'temp', weight: 0.5 }])[0]?.segments).toEqual([]);
  });
});

describe('the budget', () => {
  const month = budgetOf('at most one false incident per model per 30 days');
  it('reads durations of ISO 8601, too', () => expect(budgetOf('at most 1 false incident per model per P30D')).toEqual(month));
  it('is shared by windows, kinds of verdicts, versions and revisions', () => {
    expect(windowLevel(month, 'PT1H')).toBeCloseTo(1 / 1_440, 12);
    expect(windowLevel(month, 'P7D')).toBe(0.05);
    const spent = [1, 2, 3, 4, 5, 6, 7, 8].reduce((sum, revision) => sum + 2 * revisionLevel(0.01, 2, revision), 0);
    expect(spent).toBeLessThanOrEqual(0.01);
    expect(revisionLevel(0.01, 1, 1)).toBeCloseTo(0.009, 12);
  });
  it('says what is spent', () => expect(budgetUse(budgetOf('two false incidents a week'), 0.06)).toEqual({ allowed: 2, per: 'P7D', spent: 0.03 }));
});

describe('the length of panes', () => {
  const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
  it.each<[string, number, number, number | null, number]>([
    ['a minute', hour, 10 * minute, null, minute], ['longer for long lateness', 7 * day, day, null, 24 * minute], ['as asked', day, hour, 5 * minute, 5 * minute],
    ['longer until it divides', hour, minute, 7 * minute, 7.5 * minute], ['no more than 1,440 in the lateness', 7 * day, 2 * day, minute, 2 * minute], ['the window itself', 30_000, minute, null, 30_000],
  ])('%s', (_name, window, lateness, asked, expected) => expect(paneLength(window, lateness, asked)).toBe(expected));
});
