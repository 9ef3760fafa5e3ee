/**
 * Goal: errors that rise are found pane by pane, estimates come before labels and are held against them, groups are judged, and
 * labels that are still to come are counted.
 * Method: the room over the memory log (two partitions) and the real PostgreSQL. Flights are seeded; scores are right (late with
 * probability `score`), so errors are 1/4 and accuracy 3/4; what is planted follows from the arithmetic beside it.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutcomeObserved, VerdictIssued } from '@millrace/contracts';
import { register } from 'prom-client';
import { flights, hour, model, MonitoringRoom, outcome, prediction, registered, type Flight } from './monitoring.fixture.js';

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const wrongAnswers = (flight: Flight): Flight => ({ ...flight, late: flight.probability < 0.5 });
const finding = (verdict: VerdictIssued | undefined, subject: string, detector?: string): VerdictIssued['findings'][number] | undefined =>
  verdict?.findings.find((each) => each.subject === subject && (detector === undefined || each.detector === detector));

/** Clean for two days, then a fifth more of the answers is wrong. */
const story = [...flights(3_000, 0, 48, 1), ...flights(1_500, 48, 72, 2, (flight) => (Number(flight.recordId.split('-')[1]) % 3 === 0 ? wrongAnswers(flight) : flight)), ...flights(60, 72, 74, 3)];

describe('outcomes', () => {
  let room: MonitoringRoom;
  beforeEach(async () => void (room = await MonitoringRoom.open()));
  afterEach(() => room.close());

  // Panes of a minute hold one flight, panes of an hour some sixty, of both partitions.
  it.each(['PT1M', 'PT1H'])('tells of a rise of the errors as soon as the evidence is in, with a sentence; panes of %s', async (pane) => {
    await room.watch({ conceptDrift: { pane } });
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.outcomes(...story.map((flight) => outcome(flight)));
    await room.allSaved();
    const [rise, ...more] = await instance.errors.run();
    expect(more).toEqual([]);
    expect(rise?.verdict).toMatchObject({ kind: 'performance', outcome: 'failed', version: '1' });
    // A third of the answers wrong for certain, a quarter of the others: 1/3 + 2/3 · 1/4 = 0.5.
    const found = finding(rise?.verdict, 'error-rate');
    expect(found?.low).toBeLessThan(0.5);
    expect(found?.high).toBeGreaterThan(0.5);
    expect(found?.reference).toBeCloseTo(0.25, 1);
    expect(found?.reason).toMatch(/^errors rose from 0\.2\d to 0\.\d\d \(95 % interval .* outcomes\) since 2026-01-0\d \d\d:\d\d UTC; evidence .* million against 1\.0 million needed$/);
    expect(Math.abs(Date.parse(rise?.verdict.window.from ?? '') - Date.parse(hour(48))) / 3_600_000).toBeLessThan(2);
    expect(rise?.verdict.offsets.map(({ partition }) => partition)).toEqual([0, 1]);
    expect(rise?.verdict.offsets.reduce((sum, { fromOffset, toOffset }) => sum + toOffset - fromOffset, 0)).toBeGreaterThanOrEqual(rise?.verdict.rows ?? Infinity);
    expect(await instance.errors.run()).toEqual([]);
    expect(await room.verdictsPublished(1)).toEqual([plain(rise?.verdict)]);
    expect(await register.getSingleMetricAsString('millrace_concept_drifts_total')).toMatch(/millrace_concept_drifts_total\{model="late-flights",version="1"\} [1-9]/);
    expect(await register.getSingleMetricAsString('millrace_concept_drift_evidence_ratio')).toContain('version="1"');
  });

  it('says the same whatever order the outcomes come in, and after a crash', async () => {
    const tell = async (events: OutcomeObserved[], rounds: number): Promise<unknown> => {
      const own = await MonitoringRoom.open();
      try {
        let instance = await own.instance();
        await own.register(registered('1'));
        const rises: VerdictIssued[] = [];
        for (let round = 0; round < rounds; round += 1) {
          await own.outcomes(...events.slice((events.length * round) / rounds, (events.length * (round + 1)) / rounds));
          await own.allSaved();
          rises.push(...(await instance.errors.run()).map(({ verdict }) => verdict));
          if (round === 0 && rounds > 1) instance = await own.instance(undefined, await own.database.replica());
        }
        return rises.map(({ offsets: _offsets, watermark: _watermark, ...verdict }) => verdict);
      } finally {
        await own.close();
      }
    };
    const inOrder = story.map((flight) => outcome(flight));
    // Within the allowed lateness of an hour: blocks of twenty flights are twenty minutes.
    const shuffled = inOrder.map((event, index) => ({ event, at: Math.floor(index / 20) * 20 + ((index * 7) % 20) })).sort((a, b) => a.at - b.at).map(({ event }) => event);
    const expected = await tell(inOrder, 1);
    expect(expected).toHaveLength(1);
    expect(await tell(shuffled, 1)).toEqual(expected);
    expect(await tell(inOrder, 3)).toEqual(expected);
  });

  it.each([
    ['where the spec says so', '2', true, { conceptDrift: { enabled: false } }],
    ['where nothing tells what to rise from', 'by-hand', false, {}],
  ])('watches nothing %s', async (_where, version, withReference, monitoring) => {
    await room.watch(monitoring);
    const instance = await room.instance();
    await room.register(registered(version, withReference));
    await room.outcomes(...story.map((flight) => outcome(flight, version)));
    await room.allSaved();
    expect(await instance.errors.run()).toEqual([]);
  });

  it('estimates accuracy before labels, and finds later that the scores no longer mean what they meant', async () => {
    await room.watch({ estimation: { worseByMax: 0.05 } });
    const instance = await room.instance();
    await room.register(registered('1'));
    const unsure = flights(1_500, 24, 48, 2, (flight) => ({ ...flight, probability: 0.4 + 0.2 * flight.probability }));
    await room.predictions(...[...flights(1_500, 0, 24, 1), ...unsure, ...flights(60, 48, 50, 3)].map((flight) => prediction(flight)));
    await room.allSaved();
    const [sure, doubtful] = (await instance.closer.run()).map(({ verdict }) => verdict);
    const estimate = finding(sure, 'accuracy', 'estimated');
    expect(estimate).toMatchObject({ outcome: 'passed', currentRows: 1_500, referenceRows: 4_000 });
    expect(estimate?.low).toBeLessThan(0.75);
    expect(estimate?.high).toBeGreaterThan(0.75);
    // Scores within a tenth of the threshold: right in 55 of 100.
    expect(finding(doubtful, 'accuracy', 'estimated')).toMatchObject({ outcome: 'failed' });
    expect(finding(doubtful, 'accuracy', 'estimated')?.statistic).toBeCloseTo(0.55, 1);
    expect(await register.getSingleMetricAsString('millrace_performance_estimated')).toContain('metric="accuracy",bound="low"');
    await room.outcomes(...[...flights(1_500, 0, 24, 1), ...flights(1_500, 24, 48, 2, (flight) => (Number(flight.recordId.split('-')[1]) % 3 === 0 ? wrongAnswers(flight) : flight)), ...flights(60, 48, 50, 3)].map((flight) => outcome(flight)));
    await room.allSaved();
    const [kept, broken] = (await instance.closer.run()).map(({ verdict }) => verdict);
    expect(finding(kept, 'estimation-gap')).toMatchObject({ outcome: 'passed' });
    expect(finding(broken, 'estimation-gap')).toMatchObject({ outcome: 'failed' });
    expect(finding(broken, 'estimation-gap')?.statistic).toBeCloseTo(0.25, 1);
  });

  it('judges groups, with their intervals', async () => {
    await room.watch({ fairness: [{ by: 'carrier', metrics: ['selection-rate'], differenceMax: 0.15 }] });
    const instance = await room.instance();
    await room.register(registered('1'));
    const favoured = (flight: Flight): Flight => ({ ...flight, probability: flight.carrier === 'UA' ? Math.min(1, flight.probability + 0.3) : flight.probability });
    await room.outcomes(...[...flights(2_000, 0, 24, 1), ...flights(2_000, 24, 48, 2, favoured), ...flights(40, 48, 72, 4), ...flights(60, 72, 74, 3)].map((flight) => grouped(flight)));
    await room.allSaved();
    const [even, uneven, few] = (await instance.closer.run()).map(({ verdict }) => verdict);
    expect(finding(even, 'selection-rate by carrier')).toMatchObject({ outcome: 'passed' });
    // Selected from 0.5 on: half of one carrier’s, four of five of the other’s.
    const found = finding(uneven, 'selection-rate by carrier');
    expect(found).toMatchObject({ outcome: 'failed', detector: 'fairness', threshold: 0.15, currentRows: 2_000 });
    expect(found?.low).toBeGreaterThan(0.1);
    expect(found?.statistic).toBeCloseTo(0.3, 1);
    expect(finding(few, 'selection-rate by carrier')?.outcome).toBe('inconclusive');
    expect(await register.getSingleMetricAsString('millrace_fairness_difference')).toContain('rate="selection-rate by carrier",bound="limit"} 0.15');
  });

  it('counts the predictions that wait for their label', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    const all = flights(600, 0, 24, 1);
    await room.predictions(...[...all, ...flights(60, 24, 27, 3)].map((flight) => prediction(flight)));
    await room.outcomes(...[...all.slice(0, 420), ...flights(60, 24, 27, 3)].map((flight) => outcome(flight)));
    await room.allSaved();
    const [, labelled] = await instance.closer.run();
    expect(labelled?.verdict.findings[0]?.reason).toContain('labels may come 7.0 days late and this model has answered for 1.0 days only');
    const { windows } = plain(await instance.edge.windows(model, { limit: '10' })) as { windows: { labels: unknown }[] };
    expect(windows[0]?.labels).toEqual({ predicted: 600, labelled: 420, without: 180 });
    expect(await register.getSingleMetricAsString('millrace_labels_waiting')).toContain(`millrace_labels_waiting{model="${model}",version="1"} 180`);
  });
});

/** As outcome-joining passes it where the spec judges groups. */
function grouped(flight: Flight): OutcomeObserved {
  const event = outcome(flight);
  return { ...event, predictions: event.predictions.map((each) => ({ ...each, groups: { carrier: flight.carrier } })) };
}
