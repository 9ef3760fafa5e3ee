/**
 * Goal: segments of a window are counted without order within a bound, judged as the whole is, named, and told once; without
 * segments nothing changes.
 * Method: property tests over orders and splits; seeded rows with a change in one airport of 5 %; bytes of the form before segments.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emptyInputs, judgeInputs, mergeInputs, parseInputs, parseReferenceParts, serialiseInputs, serialiseReferenceParts, watchedOf, type InputReference, type PartsWanted, type ReferenceParts } from '../index.js';
import { failed, judge, policy, referenceOf, rowsOf, spec, stateOf, type Weather } from './parts.fixture.js';

const byOrigin: PartsWanted = { segments: ['origin'], segmentValuesMax: 3 };
const both: PartsWanted = { segments: ['origin', 'carrier'], segmentValuesMax: 3, reference: { season: 'hour-of-day' } };
const trained = rowsOf(1, 8_000);
const reference = referenceOf(trained, byOrigin);
const seasoned = referenceOf(trained, both);
function partsOf({ parts }: InputReference): ReferenceParts {
  if (parts === null || parts === undefined) throw new Error('this reference has no parts');
  return parts;
}
const at = (origin: string, change: (row: Weather) => Weather) => (row: Weather): Weather => (row.origin === origin ? change(row) : row);

describe('the segments of a window', () => {
  it('are the frequent values of training, and all others together', () => {
    expect([...(reference.parts?.segments.keys() ?? [])]).toEqual(['origin=JFK', 'origin=LGA', 'origin=SYR', 'origin=(all others)']);
    const rows = rowsOf(2, 3_000, (row, index) => (index % 100 === 0 ? { ...row, origin: null } : index % 100 === 1 ? { ...row, origin: 'never seen' } : row));
    const { parts } = stateOf(reference, rows);
    const counted = (wanted: (origin: unknown) => boolean): number => rows.filter(({ features }) => wanted(features['origin'])).length;
    for (const origin of ['JFK', 'LGA', 'SYR']) expect(parts?.segments.get(`origin=${origin}`)?.rows).toBe(counted((each) => each === origin));
    expect(parts?.segments.get('origin=(all others)')?.rows).toBe(counted((each) => !['JFK', 'LGA', 'SYR'].includes(String(each))));
    // A segment’s own attribute says nothing in it.
    expect([...(parts?.segments.get('origin=JFK')?.features.keys() ?? [])]).toEqual(['carrier', 'temp']);
  });

  it('do not depend on order, splits, merging or being kept in between', () => {
    const row = fc.record({ hour: fc.integer({ min: 0, max: 200 }), origin: fc.constantFrom('JFK', 'LGA', 'SYR', 'small-1', 'other', null), carrier: fc.constantFrom('UA', 'B6', 'XX', 'a long name of a carrier that is shortened by all'), temp: fc.oneof(fc.double(), fc.constant(null)), cut: fc.integer({ min: 0, max: 3 }), order: fc.double({ noNaN: true }) });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 150 }), (drawn) => {
        const rows = rowsOf(3, drawn.length, (own, index) => ({ ...own, ...drawn[index] }));
        const whole = stateOf(seasoned, rows);
        const parts = [0, 1, 2, 3].map((part) => stateOf(seasoned, rows.filter((_, index) => drawn[index]?.cut === part).sort((a, b) => (drawn[a.offset]?.order ?? 0) - (drawn[b.offset]?.order ?? 0))));
        const merged = [...parts].reverse().map((part) => parseInputs(serialiseInputs(part))).reduce(mergeInputs);
        expect(serialiseInputs(merged)).toEqual(serialiseInputs(whole));
        expect(serialiseInputs(parseInputs(serialiseInputs(whole)))).toEqual(serialiseInputs(whole));
      }),
      { numRuns: 60 },
    );
  });

  it('count a prediction once that was logged twice, while their pane is open', () => {
    const rows = rowsOf(4, 200);
    expect(serialiseInputs({ ...stateOf(seasoned, [...rows, ...rows], true), seen: null })).toEqual(serialiseInputs(stateOf(seasoned, rows)));
  });

  it('stay within their bound, however many rows and names come', () => {
    const rows = rowsOf(5, 20_000, (row, index) => ({ ...row, carrier: `carrier-${index % 3_000}`, temp: index * 1.000_1 }));
    const bytes = serialiseInputs(stateOf(seasoned, rows)).length - serialiseInputs({ ...stateOf(seasoned, rows), parts: null }).length;
    // 4 and 3 segments, 3 subjects each, at most 256 cells of 5 bytes.
    expect(bytes).toBeLessThan(7 * 3 * 256 * 5);
    expect(serialiseReferenceParts(partsOf(seasoned)).length).toBeLessThan(250_000);
  });

  it('leave no trace where a spec names none: the bytes are those of the form before', () => {
    const plain = referenceOf(trained, {});
    expect(plain.parts).toBeNull();
    const bytes = serialiseInputs(stateOf(plain, rowsOf(6, 300)));
    expect([bytes[0], bytes[1]]).toEqual([12, 1]);
    expect(watchedOf(plain, spec)).not.toHaveProperty('parts');
    expect(judge(rowsOf(6, 1_000), reference, {})).toEqual(judge(rowsOf(6, 1_000), plain, {}));
  });

  it('merge with panes of before that did not count them', () => {
    const [old, now] = [stateOf(null, rowsOf(7, 100)), stateOf(reference, rowsOf(8, 300))];
    const merged = mergeInputs(old, now);
    expect(merged.rows).toBe(400);
    expect(serialiseInputs(merged)).toEqual(serialiseInputs(mergeInputs(now, old)));
    expect([...(merged.parts?.segments.values() ?? [])].reduce((sum, { rows }) => sum + rows, 0)).toBe(300);
  });

  it('of a reference survive being written', () => {
    const parts = partsOf(seasoned);
    const bytes = serialiseReferenceParts(parts);
    expect(serialiseReferenceParts(parseReferenceParts(bytes))).toEqual(bytes);
    expect(parseReferenceParts(bytes).segments.get('origin=SYR')?.seasons.size).toBe(24);
    expect(() => parseReferenceParts(bytes.slice(0, -1))).toThrow(RangeError);
  });
});

describe('a segment', () => {
  const warm = (row: Weather): Weather => ({ ...row, temp: (row.temp ?? 0) + 15 });

  it('of 5 % of the traffic that drifts is found and named, where the whole shows nothing', () => {
    const rows = rowsOf(10, 6_000, at('SYR', warm));
    expect(failed(judge(rows, referenceOf(trained, {}), {}))).toEqual([]);
    const verdict = judge(rows, reference, byOrigin);
    expect([verdict.outcome, failed(verdict)]).toEqual(['failed', ['origin=SYR']]);
    const finding = verdict.findings.find(({ subject }) => subject === 'origin=SYR');
    expect(finding).toMatchObject({ detector: 'distribution', features: ['temp'], reasons: expect.arrayContaining(['distribution']) });
    expect(finding?.reason).toMatch(/^where origin=SYR, temp: median rose from (39|40|41)[.\d]* to 5[3-7][.\d]*; KS distance 0\.\d\d .* rows against \d+ in training$/u);
    // Examples are rows of the segment.
    const [cause] = verdict.causes;
    expect(cause).toMatchObject({ subject: 'origin=SYR', share: 1 });
    expect(cause?.examples.length).toBeGreaterThan(0);
    for (const { recordId } of cause?.examples ?? []) expect(rows.find((row) => row.recordId === recordId)?.features['origin']).toBe('SYR');
  });

  it('is not told again for what drifted as a whole', () => {
    const verdict = judge(rowsOf(11, 6_000, warm), reference, byOrigin);
    expect(failed(verdict)).toEqual(expect.arrayContaining(['temp']));
    expect(failed(verdict).filter((subject) => subject.includes('='))).toEqual([]);
    expect(verdict.findings.find(({ subject }) => subject === 'origin=JFK')?.reason).toContain('temp drifted as a whole, which is told there');
  });

  it('that is too small says so, and does not take the pass of the whole', () => {
    const verdict = judge(rowsOf(12, 1_500), reference, byOrigin);
    expect(verdict.outcome).toBe('passed');
    expect(verdict.findings.find(({ subject }) => subject === 'origin=SYR')).toMatchObject({ outcome: 'inconclusive', reason: expect.stringMatching(/^not enough evidence: \d\d rows are fewer than the 100 needed$/u) });
  });

  it('that the reference does not know is not passed over', () => {
    const verdict = judge(rowsOf(13, 1_000), referenceOf(trained, {}), byOrigin);
    expect(verdict.findings.find(({ subject }) => subject === 'origin=(any)')).toMatchObject({ outcome: 'inconclusive', reason: expect.stringContaining('train it anew') });
  });

  it('shares one level with all others and the whole', () => {
    const sharp = { ksMin: 0, categoryMin: 0, nullShareMin: 0, newCategoryMin: 0, outOfRangeMin: 0, jointMin: 0, alpha: 0.05 };
    let alarms = 0;
    for (let window = 0; window < 150; window += 1) if (judge(rowsOf(1_000 + window, 800), reference, byOrigin, sharp).outcome === 'failed') alarms += 1;
    // Binomial(150, 0.05) is above 17 with probability 0.0005.
    expect(alarms).toBeLessThanOrEqual(17);
  });

  it('is judged against the rows of its own season', () => {
    const cold = (row: Weather): Weather => (row.origin === 'JFK' && row.hour % 24 < 6 ? { ...row, temp: (row.temp ?? 0) - 30 } : row);
    const wanted: PartsWanted = { segments: ['origin'], segmentValuesMax: 3, reference: { season: 'hour-of-day' } };
    const known = referenceOf(rowsOf(14, 12_000, cold), wanted);
    const nightly = (row: Weather): Weather => cold({ ...row, hour: row.hour % 6 });
    expect(failed(judge(rowsOf(15, 4_000, nightly), known, wanted))).toEqual([]);
    expect(failed(judge(rowsOf(16, 4_000, (row) => at('SYR', (own) => ({ ...own, temp: (own.temp ?? 0) + 20 }))(nightly(row))), known, wanted))).toEqual(['origin=SYR']);
  });
});

it('a state without parts is judged with a reference that has them', () => {
  const bare: InputReference = { ...reference, parts: null };
  const state = emptyInputs(watchedOf(bare, spec), false);
  expect(judgeInputs(state, reference, { ...policy, ...byOrigin }, { volumes: null, volume: 0, spent: 0, allowed: null }).outcome).toBe('inconclusive');
});
