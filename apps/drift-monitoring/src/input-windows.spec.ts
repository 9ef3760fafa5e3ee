/**
 * Goal: input windows are the same to the byte whatever way their rows come, late rows amend a verdict and both revisions stay, and
 * few panes are kept.
 * Method: the room over the memory log (two partitions), once over the real Kafka, and the real PostgreSQL. The same flights are told in order, shuffled
 * within the lateness with every tenth twice, and across a crash; what was kept is compared as bytes. Counts follow from what was sent.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PredictionServed, VerdictIssued } from '@millrace/contracts';
import { parseInputs, serialiseInputs, type PartsWanted } from '@millrace/core/drift';
import { monitoredModel, readReference, recomputeInputs } from '@millrace/core/verdicts';
import { KafkaDriver } from '@millrace/messaging';
import { query } from '@millrace/persistence';
import { eventually, seeded } from '@millrace/testing';
import { flights, hour, model, MonitoringRoom, prediction, registered, type Flight, type MonitoringInstance } from './monitoring.fixture.js';
import type { JudgedWindow } from './judged-window.js';

const plain = (text: unknown): unknown => JSON.parse(JSON.stringify(text));

/** Each flight at most 25 minutes from its place, every tenth twice: well within the hour of lateness. */
function disordered(story: readonly Flight[], seed: number): Flight[] {
  const chance = seeded(seed);
  const twice = story.flatMap((flight, index) => (index % 10 === 0 ? [flight, flight] : [flight]));
  return twice.map((flight) => ({ flight, at: flight.hours + chance() * 0.4 })).sort((a, b) => a.at - b.at).map(({ flight }) => flight);
}

/** All of a verdict but where in the log its rows lie, which is another place when they come in another order. */
function results(windows: readonly JudgedWindow[]): unknown {
  return plain(
    windows.map(({ verdict: { offsets: _offsets, causes, watermark: _watermark, inputs: from, ...verdict }, state }) => {
      const { inputs, ...kept } = state as { inputs: string };
      const counted = parseInputs(Buffer.from(inputs, 'base64'));
      const rows = counted.sample.rows.map(({ recordId, values }) => [recordId, values]);
      // The hash of the state covers where the sampled rows lie.
      return { verdict, from: { ...from, stateSha256: undefined }, causes: causes?.map(({ examples, ...cause }) => [cause, examples.map(({ recordId }) => recordId)]), kept, rows, counts: Buffer.from(serialiseInputs({ ...counted, sample: { ...counted.sample, rows: [] } })).toString('base64') };
    }),
  );
}

async function keptVerdicts(instance: MonitoringInstance): Promise<VerdictIssued[]> {
  const { verdicts } = plain(await instance.edge.list(model, { kind: 'drift', limit: '100' })) as { verdicts: VerdictIssued[] };
  return verdicts.reverse();
}

describe('input windows', () => {
  let room: MonitoringRoom;
  beforeEach(async () => void (room = await MonitoringRoom.open()));
  afterEach(() => room.close());

  const story = [...flights(600, 0, 24, 1), ...flights(600, 24, 48, 2, (flight) => ({ ...flight, distance: (flight.distance ?? 0) + 700 })), ...flights(60, 48, 50, 3)];

  const name = `windows-${randomUUID().slice(0, 8)}`;
  const logs = [
    { log: 'memory log', parts: {}, on: async () => MonitoringRoom.open() },
    { log: 'memory log, by segment and season', parts: { segments: ['carrier'], reference: { season: 'hour-of-day' } } satisfies PartsWanted, on: async () => MonitoringRoom.open() },
    { log: 'real Kafka', parts: { segments: ['carrier'] } satisfies PartsWanted, on: async () => MonitoringRoom.open({ driver: new KafkaDriver({ brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'windows-spec' }), name }) },
  ];

  it.each(logs)('are the same after disorder, duplicates and a crash: $log', async ({ on, parts }) => {
    const tell = async (events: readonly PredictionServed[], crash = false): Promise<{ results: unknown }> => {
      const own = await on();
      const mine = events.map((event) => ({ ...event, model: own.model }));
      try {
        await own.watch({ drift: parts });
        let instance = await own.instance(crash ? { saveEveryMs: 3_600_000, saveEveryRecords: 100 } : undefined);
        await own.register({ ...registered('1', true, parts), model: own.model });
        const saved = async (): Promise<number> => (await query<{ saved: number | null }>(own.database.source, 'SELECT sum(next_offset)::float8 AS saved FROM fold_offset'))[0]?.saved ?? 0;
        const before = await saved();
        await own.predictions(...mine.slice(0, 900));
        if (crash) {
          await eventually('a checkpoint that leaves something out', async () => (await saved()) - before > 500);
          // What the first has not saved is forgotten: the second takes its partitions over.
          instance = await own.instance({ saveEveryMs: 50, saveEveryRecords: 10_000 }, await own.database.replica());
        }
        await own.predictions(...mine.slice(900));
        await own.allSaved();
        // On a broker that others use too, their windows are closed here as well.
        const windows = (await instance.closer.run()).filter((window) => window.model === own.model);
        return { results: results(windows) };
      } finally {
        await own.close();
      }
    };
    const straight = await tell(story.map((flight) => prediction(flight)));
    const disorder = disordered(story, 7).map((flight) => prediction(flight));
    const mixed = await tell(disorder);
    expect((straight.results as { verdict: { outcome: string; rows: number } }[]).map(({ verdict }) => [verdict.outcome, verdict.rows])).toEqual([['passed', 600], ['failed', 600]]);
    expect(mixed.results).toEqual(straight.results);
    const crashed = await tell(disorder, true);
    expect(crashed.results).toEqual(straight.results);
  });

  it('have a verdict for each segment, which can be made again from the log', async () => {
    const parts: PartsWanted = { segments: ['carrier'], segmentValuesMax: 2 };
    await room.watch({ drift: parts, rowsMin: 100 });
    const version = registered('1', true, parts);
    const instance = await room.instance();
    await room.register(version);
    // Distances of one carrier shrink to 0.7 of what they were: by 0.3 for its 30 % of the flights, by 0.09 for all.
    const told = flights(3_000, 0, 26, 5, (flight) => (flight.carrier === 'UA' ? { ...flight, distance: 0.7 * (flight.distance ?? 0) } : flight));
    await room.predictions(...told.map((flight) => prediction(flight)));
    await room.allSaved();
    const [window] = await instance.closer.run();
    const findings = window?.verdict.findings ?? [];
    expect(findings.find(({ subject }) => subject === 'distance')).not.toMatchObject({ outcome: 'failed' });
    expect(findings.find(({ subject }) => subject === 'carrier=AA')).not.toMatchObject({ outcome: 'failed' });
    expect(findings.find(({ subject }) => subject === 'carrier=UA')).toMatchObject({ outcome: 'failed', features: ['distance'], reason: expect.stringMatching(/^where carrier=UA, distance: .*false-alarm budget spent: \d/u) });
    expect(findings.find(({ subject }) => subject === 'carrier=(all others)')).toMatchObject({ outcome: 'inconclusive' });
    const [published] = await room.verdictsPublished(1);
    if (published === undefined) throw new Error('a verdict was published');
    const again = recomputeInputs({ verdict: published, role: 'primary' }, { model: monitoredModel(room.spec({ drift: parts, rowsMin: 100 })), reference: readReference(version.reference) });
    for (const { data, partition, offset } of await room.predictionsLogged()) again.take({ data, partition, offset });
    expect(again.verdict()).toEqual(published);
  });

  it('are amended by late rows: one verdict, two revisions', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...flights(400, 0, 26, 1).map((flight) => prediction(flight)));
    await room.allSaved();
    const [first] = await instance.closer.run();
    expect(first?.verdict).toMatchObject({ outcome: 'passed' });
    expect(first?.verdict.revision).toBeUndefined();
    await room.predictions(...flights(300, 1, 2, 5, (flight) => ({ ...flight, carrier: 'ZZ' })).map((flight) => prediction(flight)));
    await room.predictions(...flights(400, 26, 50, 6).map((flight) => prediction(flight)));
    await room.allSaved();
    const [amended, next] = await instance.closer.run();
    expect(amended?.verdict).toMatchObject({ verdictId: first?.verdict.verdictId, revision: 2, rows: (first?.verdict.rows ?? 0) + 300, outcome: 'failed' });
    expect(amended?.verdict.findings.find(({ subject }) => subject === 'carrier')).toMatchObject({ outcome: 'failed', newCategories: ['ZZ'] });
    expect(next?.verdict.window.from).toBe(hour(24));
    const { verdicts } = plain(await instance.edge.list(model, { limit: '10' })) as { verdicts: { verdictId: string; revision?: number }[] };
    expect(verdicts.filter(({ verdictId }) => verdictId === first?.verdict.verdictId).map(({ revision }) => revision ?? 1).sort()).toEqual([1, 2]);
    const { windows } = plain(await instance.edge.windows(model, { limit: '10' })) as { windows: { drift: { rows: number } }[] };
    expect(windows.at(-1)?.drift.rows).toBe(amended?.verdict.rows);
    expect(await room.verdictsPublished(3)).toHaveLength(3);
    expect(await instance.closer.run()).toEqual([]);
  });

  it('are kept in few panes', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...flights(3_000, 0, 76, 1).map((flight) => prediction(flight)));
    await room.allSaved();
    await instance.closer.run();
    const [stored] = await query<{ fine: number; whole: number }>(room.database.source, `SELECT count(*) FILTER (WHERE pane_end_ms - pane_start_ms = 60000)::int AS fine, count(*) FILTER (WHERE pane_end_ms = window_end_ms AND pane_start_ms = window_start_ms)::int AS whole FROM pane`);
    // Per partition: the minutes of one hour of lateness and the one under way; the window that is open, the one that closed last.
    expect(stored?.fine).toBeLessThanOrEqual(2 * 61);
    expect(stored?.whole).toBeLessThanOrEqual(2 * 2);
    expect(stored?.fine).toBeGreaterThan(0);
  });

  it('spend the budget of their model and say so', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...story.map((flight) => prediction(flight)));
    await room.allSaved();
    const [clean, shifted] = await instance.closer.run();
    // One in 30 days, daily windows, half of it for drift, nine tenths for the first revision: 0.9 / 60 each.
    expect(clean?.verdict.budget).toEqual({ allowed: 1, per: 'P30D', spent: expect.closeTo(0.015, 9) });
    expect(shifted?.verdict.budget?.spent).toBeCloseTo(0.03, 9);
    const reason = shifted?.verdict.findings.find(({ subject }) => subject === 'distance')?.reason ?? '';
    expect(reason).toMatch(/^median rose from [\d.]+ to 1[12]\d\d(?:\.\d)?; KS distance 0\.[67]\d \(at least 0\.[56]\d with 99\.\d+ % confidence; more than 0\.1 matters\); .*600 rows against 4,000 in training; false-alarm budget spent: 3\.0 %$/u);
    expect(shifted?.verdict.causes?.[0]).toMatchObject({ subject: 'distance', examples: expect.arrayContaining([expect.objectContaining({ partition: expect.any(Number), offset: expect.any(Number) })]) });
  });

  it('are judged by their volume, also when they are empty', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    const days = Array.from({ length: 8 }, (_, day) => flights(300, 24 * day, 24 * (day + 1), day + 1)).flat();
    const rest = [...flights(40, 192, 216, 20), ...flights(300, 240, 264, 21), ...flights(10, 264, 266, 22)];
    await room.predictions(...[...days, ...rest].map((flight) => prediction(flight)));
    await room.allSaved();
    await instance.closer.run();
    const volumes = (await keptVerdicts(instance)).map(({ window, rows, findings }) => [window.from, rows, findings.find(({ subject }) => subject === 'volume')?.outcome]);
    expect(volumes.slice(0, 7).every(([, rows, outcome]) => rows === 300 && outcome === 'passed')).toBe(true);
    // The tenth day has 40 rows, the eleventh none: once those days are history, they tell that anything may come.
    expect(volumes.slice(8)).toEqual([[hour(192), 40, 'failed'], [hour(216), 0, expect.any(String)], [hour(240), 300, 'passed']]);
  });

  it('are missed when nobody asks any more: told once for each silence', async () => {
    await room.watch({ silenceMax: 'PT30M' });
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...flights(50, 0, 1, 1).map((flight) => prediction(flight)));
    await room.allSaved();
    expect(await instance.freshness.run()).toEqual([]);
    room.now = new Date(room.now.getTime() + 31 * 60_000);
    const [silent] = await instance.freshness.run();
    expect(silent?.verdict).toMatchObject({ kind: 'drift', outcome: 'failed', version: '1', rows: 0, findings: [{ subject: 'freshness', outcome: 'failed' }] });
    expect(await instance.freshness.run()).toEqual([]);
    expect(await room.verdictsPublished(1)).toHaveLength(1);
    await room.predictions(...flights(5, 2, 3, 2).map((flight) => prediction(flight)));
    await room.allSaved();
    expect(await instance.freshness.run()).toEqual([]);
  });
});
