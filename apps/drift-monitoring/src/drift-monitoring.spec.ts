/**
 * Goal: windows close by the watermark, hold each record once whatever crashes, and clean data passes where shifted data fails.
 * Method: the room over the memory log (two partitions) and the real PostgreSQL. Flights are drawn from seeded
 * distributions; the reference is drawn from the clean one. Counts follow from what was sent.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { register } from 'prom-client';
import { flights, hour, model, MonitoringRoom, outcome, prediction, registered } from './monitoring.fixture.js';

const plain = (text: unknown): unknown => JSON.parse(JSON.stringify(text));

describe('drift-monitoring', () => {
  let room: MonitoringRoom;
  beforeEach(async () => void (room = await MonitoringRoom.open()));
  afterEach(() => room.close());

  it('passes clean data, and finds the feature that shifted and the one that went missing', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...flights(1_000, 0, 24, 1).map((flight) => prediction(flight)));
    await room.predictions(...flights(1_000, 24, 48, 2, (flight) => ({ ...flight, distance: (flight.distance ?? 0) + 400, carrier: flight.carrier === 'UA' ? '' : 'AA' })).map((flight) => prediction(flight)));
    await room.predictions(...flights(200, 48, 50, 3).map((flight) => prediction(flight)));
    await room.allSaved();
    const [clean, shifted, ...more] = (await instance.closer.run()).map(({ verdict }) => verdict);
    expect(more).toEqual([]);
    expect(clean).toMatchObject({ kind: 'drift', version: '1', outcome: 'passed', rows: 1_000, window: { from: hour(0), to: hour(24) } });
    expect(shifted).toMatchObject({ outcome: 'failed', rows: 1_000, window: { from: hour(24), to: hour(48) } });
    const failed = shifted?.findings.filter((finding) => finding.outcome === 'failed').map(({ subject, detector }) => `${subject} ${detector}`);
    expect(failed?.sort()).toEqual(['carrier distribution', 'distance distribution', 'inputs domain-classifier']);
    expect(shifted?.findings.find(({ subject }) => subject === 'carrier')?.reasons).toContain('nulls');
    expect(shifted?.findings.filter(({ subject }) => subject === 'output').map((finding) => finding.outcome)).toEqual(['passed']);
    // Uniform on [0, 1000] against the same moved by 400: the distance of the distribution functions is 0.4.
    expect(shifted?.findings.find(({ subject, detector }) => subject === 'distance' && detector === 'distribution')?.statistic).toBeCloseTo(0.4, 1);
    expect(clean?.offsets).toHaveLength(2);
    expect(await room.verdictsPublished(2)).toEqual(plain([clean, shifted]));
    expect(await register.getSingleMetricAsString('millrace_drift_statistic')).toContain(`model="${model}",version="1",feature="distance",detector="distribution"`);
  });

  it('judges performance by the time at which labels became known', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.outcomes(...flights(1_500, 0, 24, 1).map((flight) => outcome(flight)));
    await room.outcomes(...flights(1_500, 24, 48, 2, (flight) => ({ ...flight, late: !flight.late })).map((flight) => outcome(flight)));
    await room.outcomes(...flights(200, 48, 50, 3).map((flight) => outcome(flight)));
    await room.allSaved();
    const [good, bad] = await instance.closer.run();
    expect(good?.verdict).toMatchObject({ kind: 'performance', outcome: 'passed', rows: 1_500 });
    expect(bad?.verdict).toMatchObject({ kind: 'performance', outcome: 'failed', rows: 1_500 });
    // Scores p uniform, labels true with probability p: E[(p − y)²] = E[p(1 − p)] = 1/6; flipped labels give E[p³ + (1 − p)³] = 1/2.
    expect(good?.metrics.find(({ name }) => name === 'brier')?.value).toBeCloseTo(1 / 6, 1);
    expect(bad?.metrics.find(({ name }) => name === 'brier')?.value).toBeCloseTo(1 / 2, 1);
    const { windows } = plain(await instance.edge.windows(model, { limit: '10' })) as { windows: { performance: { metrics: { name: string; low: number }[] } }[] };
    expect(windows[1]?.performance.metrics.find(({ name }) => name === 'auc')?.low).toBeGreaterThan(0.7);
    const { verdicts } = plain(await instance.edge.list(model, { outcome: 'failed', limit: '10' })) as { verdicts: { kind: string }[] };
    expect(verdicts.map(({ kind }) => kind)).toEqual(['performance']);
  });

  it('closes nothing before the watermark, which waits for the slower partition and the allowed lateness', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...flights(500, 0, 24.9, 1).map((flight) => prediction(flight)));
    await room.allSaved();
    expect(await instance.closer.run()).toEqual([]);
    const ahead = flights(1, 30, 31, 2)[0];
    if (ahead === undefined) throw new Error('no flight');
    await room.predictions(prediction(ahead));
    await room.allSaved();
    expect(await instance.closer.run()).toEqual([]);
    await room.predictions(...flights(40, 25.1, 26, 3).map((flight) => prediction(flight)));
    await room.allSaved();
    expect(await instance.closer.run()).toHaveLength(1);
    expect(await instance.closer.run()).toEqual([]);
  });

  it('does not wait for a partition that is idle while another moves on', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    const both = flights(400, 0, 24, 1).map((flight) => prediction(flight));
    await room.predictions(...both);
    await room.allSaved();
    const places = new Map<string, number>();
    for (const event of flights(60, 30, 31, 4).map((flight) => prediction(flight))) places.set(event.recordId, await room.partitionOf(event));
    await room.allSaved();
    expect(await instance.closer.run()).toHaveLength(1);
    room.now = new Date(room.now.getTime() + 16_000);
    const toOnePartition = flights(60, 54, 55, 4).filter(({ recordId }) => places.get(recordId) === 0);
    expect(toOnePartition.length).toBeGreaterThan(5);
    await room.predictions(...toOnePartition.map((flight) => prediction(flight)));
    await room.allSaved();
    const [closed] = await instance.closer.run();
    expect(closed?.verdict.window).toEqual({ from: hour(24), to: hour(48) });
  });

  it('counts a record that comes when its window can no longer be amended', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...flights(900, 0, 54, 1).map((flight) => prediction(flight)));
    await room.allSaved();
    expect(await instance.closer.run()).toHaveLength(2);
    await room.predictions(...flights(30, 1, 2, 5).map((flight) => prediction(flight)));
    await room.predictions(...flights(400, 54, 78, 6).map((flight) => prediction(flight)));
    await room.allSaved();
    await eventually('the late ones are counted', async () => (await register.getSingleMetricAsString('millrace_records_late_total')).includes('source="predictions"} 30'));
    const windows = await instance.closer.run();
    expect(windows.map(({ verdict }) => verdict.window.from)).toEqual([hour(48)]);
  });

  it('is inconclusive without a reference or with too few rows, and never publishes shadow windows', async () => {
    const instance = await room.instance();
    await room.register(registered('1'), registered('by-hand', false));
    await room.predictions(...flights(300, 0, 24, 1).map((flight) => prediction(flight, 'by-hand')), ...flights(50, 0, 24, 2).map((flight) => prediction(flight)), ...flights(300, 0, 24, 3).map((flight) => prediction(flight, '1', 'shadow')));
    await room.predictions(...flights(100, 25, 27, 4).map((flight) => prediction(flight)));
    await room.allSaved();
    const closed = await instance.closer.run();
    const byHand = closed.find(({ version }) => version === 'by-hand');
    expect(byHand?.verdict).toMatchObject({ outcome: 'inconclusive', rows: 300 });
    expect(byHand?.verdict.findings[0]?.reason).toContain('no reference');
    expect(closed.find(({ version, role }) => version === '1' && role === 'primary')?.verdict).toMatchObject({ outcome: 'inconclusive', rows: 50 });
    expect(closed.find(({ role }) => role === 'shadow')?.verdict).toMatchObject({ outcome: 'passed', rows: 300 });
    const published = await room.verdictsPublished(2);
    expect(published.map(({ version }) => version).sort()).toEqual(['1', 'by-hand']);
  });

  it('gives the same verdicts after a crash between checkpoints as without one', async () => {
    const story = [...flights(700, 0, 24, 1), ...flights(700, 24, 48, 2), ...flights(200, 48, 50, 3)];
    const tell = async (crash: boolean): Promise<unknown> => {
      const own = await MonitoringRoom.open();
      try {
        let instance = await own.instance(crash ? { saveEveryMs: 3_600_000, saveEveryRecords: 100 } : undefined);
        await own.register(registered('1'));
        for (const flight of story.slice(0, 900)) await own.predictions(prediction(flight));
        for (const flight of story.slice(0, 900)) await own.outcomes(outcome(flight));
        if (crash) {
          await eventually('a checkpoint that leaves something out', async () => (await own.database.source.query('SELECT sum(next_offset)::int AS saved FROM fold_offset'))[0].saved > 1_000);
          // The new member of the group takes the partitions over; what the old one has not saved is forgotten.
          instance = await own.instance({ saveEveryMs: 50, saveEveryRecords: 10_000 }, await own.database.replica());
        }
        for (const flight of story.slice(900)) await own.predictions(prediction(flight));
        for (const flight of story.slice(900)) await own.outcomes(outcome(flight));
        await own.allSaved();
        const closed = await instance.closer.run();
        return plain(closed.map(({ verdict, metrics, state }) => ({ verdict, metrics, state })));
      } finally {
        await own.close();
      }
    };
    const uninterrupted = await tell(false);
    expect(uninterrupted).toHaveLength(4);
    expect(await tell(true)).toEqual(uninterrupted);
  });

  it('lets one of two instances close a window', async () => {
    const one = await room.instance();
    const two = await room.instance(undefined, await room.database.replica());
    await room.register(registered('1'));
    await room.predictions(...flights(600, 0, 26, 1).map((flight) => prediction(flight)));
    await room.allSaved();
    const closed = (await Promise.all([one.closer.run(), two.closer.run()])).flat();
    expect(closed).toHaveLength(1);
    expect(await room.verdictsPublished(1)).toHaveLength(1);
  });
});
