/**
 * Goal: with a season, rows are compared with training rows of the same hours or days: what changes every night is no drift, nor is
 * traffic that moves from one hour to another; a true shift is; hours that training never saw prove nothing.
 * Method: seeded rows whose nights differ; known calendar days; counts that the mix must have, from its definition.
 */
import { describe, expect, it } from '@jest/globals';
import { rowsCounted } from '../../statistics/index.js';
import { bucketOf, referenceCounts, type InputReference, type PartsWanted } from '../index.js';
import { failed, judge, referenceOf, rowsOf, type Weather } from './parts.fixture.js';
import { mixedReference } from './seasonal-reference.js';

const byHour: PartsWanted = { reference: { season: 'hour-of-day' } };
const isNight = (hour: number): boolean => hour % 24 < 6;
const nights = (row: Weather): Weather => (isNight(row.hour) ? { ...row, temp: (row.temp ?? 0) - 25, carrier: 'UA' } : row);
const hourly = (hour: number, change = nights) => (row: Weather): Weather => change({ ...row, hour });
const trained = rowsOf(1, 12_000, nights);
const seasonal = referenceOf(trained, byHour);
const plain = referenceOf(trained, {});
const missing = ({ parts, ...rest }: InputReference, gone: (bucket: number) => boolean): InputReference => (parts === null || parts === undefined ? rest : { ...rest, parts: { ...parts, seasons: new Map([...parts.seasons].filter(([bucket]) => !gone(bucket))) } });

describe('a season', () => {
  it.each<['hour-of-day' | 'day-of-week' | 'hour-of-week', string, number]>([
    // 21 November 2026 is a Saturday, 5 January 1969 was a Sunday.
    ['hour-of-day', '2026-11-21T15:59:59.999Z', 15], ['hour-of-day', '1969-01-05T00:00:00Z', 0],
    ['day-of-week', '2026-11-21T00:00:00Z', 5], ['day-of-week', '2026-11-23T00:00:00Z', 0], ['day-of-week', '1969-01-05T23:00:00Z', 6],
    ['hour-of-week', '2026-11-21T15:00:00Z', 5 * 24 + 15], ['hour-of-week', '2026-11-22T23:59:00Z', 167],
  ])('%s of %s is %d', (season, instant, bucket) => expect(bucketOf(season, Date.parse(instant))).toBe(bucket));
});

describe('the mix of a window’s season', () => {
  const counts = (n: number, value: number) => referenceCounts('number', Array.from({ length: n }, (_, index) => value + index / n));
  const mix = (byBucket: [number, number][], rows: [number, number][], all = rows.reduce((sum, [, n]) => sum + n, 0)) => mixedReference('hour-of-day', new Map(byBucket.map(([bucket, n]) => [bucket, counts(n, bucket)])), new Map(rows), all);

  it('has the proportions of the window’s rows, and is as large as the scarcest bucket allows', () => {
    const mixed = mix([[0, 1_000], [1, 600]], [[0, 100], [1, 300]]);
    if (typeof mixed === 'string') throw new Error(mixed);
    // 600 rows for three quarters: 800 in all.
    expect([rowsCounted(mixed.counts), mixed.leftOut]).toEqual([800, 0]);
    const below = mixed.counts.kind === 'number' ? [...mixed.counts.values.cells].reduce((sum, [, n]) => sum + n, 0) : 0;
    expect(below).toBe(800);
  });
  it('is the bucket itself when the window is of one', () => expect(mix([[3, 700], [4, 9]], [[3, 50]])).toMatchObject({ leftOut: 0, counts: { values: { n: 700 } } }));
  it('leaves out what training hardly has, of at most a twentieth', () => {
    expect(mix([[0, 1_000]], [[0, 960], [1, 40]])).toMatchObject({ leftOut: 0.04 });
    expect(mix([[0, 1_000], [1, 2]], [[0, 960], [1, 40]])).toMatchObject({ leftOut: 0.04 });
    expect(mix([[0, 1_000]], [[0, 900], [1, 100]])).toBe('training has no rows of 01:00, which 10 % of the rows here are of');
    // Rows of panes that did not count seasons.
    expect(mix([[0, 1_000]], [[0, 100]], 200)).toBe('the rows were counted without their season');
  });
});

describe('a window of a seasonal model', () => {
  it('of the night alarms by the plain reference and not by the seasonal one', () => {
    for (const hour of [0, 3, 5]) {
      const rows = rowsOf(20 + hour, 400, hourly(hour));
      expect(failed(judge(rows, plain, {}))).toEqual(expect.arrayContaining(['temp', 'carrier']));
      expect(judge(rows, seasonal, byHour).findings.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    }
    expect(failed(judge(rowsOf(30, 400, hourly(14)), seasonal, byHour))).toEqual([]);
  });
  it('still shows a true shift, and says with what it was compared', () => {
    const verdict = judge(rowsOf(31, 500, hourly(3, (row) => ({ ...nights(row), temp: (nights(row).temp ?? 0) + 8 }))), seasonal, byHour);
    expect(failed(verdict)).toEqual(['temp']);
    expect(verdict.findings.find(({ subject }) => subject === 'temp')?.reason).toMatch(/^median rose from 1[456][.\d]* to 2[234][.\d]*; .* 500 rows against \d+ in training at the same hours of the day$/u);
  });
  it('takes traffic that moves into the night for no drift', () => {
    const later = rowsOf(32, 3_000, (row, index) => nights({ ...row, hour: index % 3 === 0 ? row.hour : row.hour % 6 }));
    expect(failed(judge(later, plain, {}))).toEqual(expect.arrayContaining(['temp']));
    expect(failed(judge(later, seasonal, byHour))).toEqual([]);
  });
  it('has not enough evidence where training has no such rows, or is not by that season', () => {
    const rows = rowsOf(33, 2_000, nights);
    const verdict = judge(rows, missing(seasonal, isNight), byHour);
    expect([verdict.outcome, new Set(verdict.findings.filter(({ subject }) => subject !== 'inputs').map(({ outcome }) => outcome))]).toEqual(['inconclusive', new Set(['inconclusive'])]);
    expect(verdict.findings[0]?.reason).toMatch(/^not enough evidence: training has no rows of 00:00, 01:00, 02:00, 03:00 and 2 more, which 2\d % of the rows here are of$/u);
    expect(judge(rows, plain, byHour).findings[0]?.reason).toContain('train it anew');
    expect(judge(rows, seasonal, { reference: { season: 'day-of-week' } }).outcome).toBe('inconclusive');
  });
  it('alarms no more often than asked while only the traffic moves', () => {
    const sharp = { ksMin: 0, categoryMin: 0, nullShareMin: 0, newCategoryMin: 0, outOfRangeMin: 0, jointMin: 0, alpha: 0.05 };
    let alarms = 0;
    for (let window = 0; window < 150; window += 1) if (judge(rowsOf(2_000 + window, 800, (row, index) => nights({ ...row, hour: index % 4 === 0 ? row.hour : [7, 8, 17, 2][index % 7 % 4] ?? 7 })), seasonal, byHour, sharp).outcome === 'failed') alarms += 1;
    // Binomial(150, 0.05) is above 17 with probability 0.0005.
    expect(alarms).toBeLessThanOrEqual(17);
  });
});

