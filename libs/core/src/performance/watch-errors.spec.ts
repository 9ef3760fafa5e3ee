// Goal: a rise of the errors is found, dated and put into a sentence; the watch says the same however the rows of a pane were split.
// Method: seeded streams of panes with a known change; expected instants and rates follow from how they were made. False-alarm
//   budgets and delays are simulated by `npm run calibrate -- --study performance-watch`.
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { riseSentence, startErrorWatch, watchPane, type ErrorPane, type ErrorRise } from './index.js';

const minute = 60_000;
const baseline = { errors: 1_000, rows: 5_000 };
const settings = { baseline, meanTimeBetweenFalseAlarms: 1_000_000, unit: 'row' as const };

/** Panes of ten rows, wrong with the probability of their minute. */
function panes(count: number, rateOf: (pane: number) => number, seed = 3): ErrorPane[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => {
    let errors = 0;
    for (let row = 0; row < 10; row += 1) if (random() < rateOf(index)) errors += 1;
    return { startMs: index * minute, rows: 10, errors, offsets: { '0': { from: 10 * index, to: 10 * index + 10 } } };
  });
}

function risesOf(watch: ReturnType<typeof startErrorWatch>, stream: readonly ErrorPane[]): ErrorRise[] {
  return stream.flatMap((pane) => watchPane(watch, pane, 'late-flights/1'));
}

describe('the watch over errors', () => {
  it('finds a rise, says when it began, and goes on from there', () => {
    const rises = risesOf(startErrorWatch(settings), panes(1_000, (pane) => (pane < 500 ? 0.2 : 0.35)));
    expect(rises).toHaveLength(1);
    const [rise] = rises;
    // 0.2 → 0.35 is a divergence of 0.058 nats a row: ln(10⁶) of them are some 240 rows, 24 panes.
    expect((rise?.atMs ?? 0) / minute).toBeGreaterThan(505);
    expect((rise?.atMs ?? 0) / minute).toBeLessThan(560);
    expect(Math.abs((rise?.sinceMs ?? 0) / minute - 500)).toBeLessThan(8);
    expect(rise?.errorBefore).toBeCloseTo(0.2, 1);
    expect(rise?.low).toBeLessThan(0.35);
    expect(rise?.high).toBeGreaterThan(0.35);
    expect(rise?.evidence).toBeGreaterThanOrEqual(1_000_000);
    expect(rise?.offsets).toEqual({ '0': { from: (10 * (rise?.sinceMs ?? 0)) / minute, to: (10 * (rise?.atMs ?? 0)) / minute + 10 } });
  });
  it('stays quiet while nothing changes', () => expect(risesOf(startErrorWatch(settings), panes(2_000, () => 0.2))).toEqual([]));
  it('is the same from its saved state, and the same again', () => {
    const stream = panes(800, (pane) => (pane < 500 ? 0.2 : 0.35));
    const whole = startErrorWatch(settings);
    const expected = risesOf(whole, stream);
    let saved = JSON.stringify(startErrorWatch(settings));
    const rises = stream.flatMap((pane) => {
      const watch = JSON.parse(saved) as typeof whole;
      const found = watchPane(watch, pane, 'late-flights/1');
      saved = JSON.stringify(watch);
      return found;
    });
    expect(rises).toEqual(expected);
    expect(JSON.parse(saved)).toEqual(JSON.parse(JSON.stringify(whole)));
  });
  it('holds a bounded past', () => {
    const watch = startErrorWatch(settings);
    risesOf(watch, panes(20_000, () => 0.2));
    expect(watch.marks.length).toBeLessThan(4_100);
  });
  it('takes a pane as one where its rows share their luck', () => {
    // All rows of a pane are right or all are wrong, one pane in five: by rows an alarm at once, by panes none.
    const random = seeded(9);
    const clustered = Array.from({ length: 300 }, (_, index) => ({ startMs: index * minute, rows: 200, errors: random() < 0.2 ? 200 : 0 }));
    expect(risesOf(startErrorWatch(settings), clustered).length).toBeGreaterThan(0);
    expect(risesOf(startErrorWatch({ ...settings, unit: 'pane', meanTimeBetweenFalseAlarms: 10_000 }), clustered)).toEqual([]);
  });
  it('counts outcomes, not panes, of what it says', () => {
    const random = seeded(9);
    const days = Array.from({ length: 400 }, (_, index) => ({ startMs: index * minute, rows: 200, errors: Math.round(200 * ((index < 200 ? 0.1 : 0.6) + 0.2 * random())) }));
    const [rise] = risesOf(startErrorWatch({ ...settings, unit: 'pane', meanTimeBetweenFalseAlarms: 1_000 }), days);
    expect(rise?.rows).toBe((((rise?.atMs ?? 0) - (rise?.sinceMs ?? 0)) / minute + 1) * 200);
    expect(Math.abs((rise?.sinceMs ?? 0) / minute - 200)).toBeLessThan(10);
  });
  it('refuses panes out of their order, and counts that are none', () => {
    const watch = startErrorWatch(settings);
    watchPane(watch, { startMs: minute, rows: 2, errors: 1 }, '');
    expect(() => watchPane(watch, { startMs: minute, rows: 2, errors: 1 }, '')).toThrow(RangeError);
    expect(() => watchPane(watch, { startMs: 2 * minute, rows: 2, errors: 3 }, '')).toThrow(RangeError);
  });
  it('says it in a sentence', () => {
    const rise: ErrorRise = { sinceMs: Date.UTC(2026, 3, 3, 14, 5), atMs: 0, errorBefore: 0.21, errorNow: 0.31, low: 0.29, high: 0.33, rows: 4_120, evidence: 2_100_000, threshold: 1_000_000, offsets: {} };
    expect(riseSentence(rise)).toBe('errors rose from 0.21 to 0.31 (95 % interval 0.29–0.33, 4,120 outcomes) since 2026-04-03 14:05 UTC; evidence 2.1 million against 1.0 million needed');
  });
});
