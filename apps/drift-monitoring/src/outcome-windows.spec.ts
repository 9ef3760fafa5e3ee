/**
 * Goal: labels that come after their window was judged amend its verdict: both revisions stay, the same to the byte whatever way the labels
 * come, and nothing is learnt twice from what was known before.
 * Method: the room over the memory log (two partitions) and the real PostgreSQL; the same outcomes told in order, shuffled within the lateness, and across a
 * crash. Counts follow from what was sent.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutcomeObserved, VerdictIssued } from '@millrace/contracts';
import { query } from '@millrace/persistence';
import { eventually, seeded } from '@millrace/testing';
import { register } from 'prom-client';
import { flights, hour, model, MonitoringRoom, outcome, prediction, registered, type Flight } from './monitoring.fixture.js';
import type { JudgedWindow } from './judged-window.js';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const results = (windows: readonly JudgedWindow[]): unknown => plain(windows.map(({ verdict: { offsets: _offsets, watermark: _watermark, ...verdict }, state, metrics }) => ({ verdict, state, metrics })));
const outcomes = (told: readonly Flight[]): OutcomeObserved[] => told.map((flight) => outcome(flight));
/** Answers that are wrong more often than not. */
const turned = (flight: Flight): Flight => ({ ...flight, late: !flight.late });

const [day, lateOfDay, next] = [flights(800, 0, 26, 1), flights(500, 2, 20, 5, turned), flights(500, 26, 50, 6)];

describe('outcome windows', () => {
  let room: MonitoringRoom;
  beforeEach(async () => void (room = await MonitoringRoom.open()));
  afterEach(() => room.close());

  it('are amended by late labels: one verdict, two revisions, and each label counts once', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...[...day, ...lateOfDay, ...next].map((flight) => prediction(flight)));
    await room.outcomes(...outcomes(day));
    await room.allSaved();
    const [first] = (await instance.closer.run()).filter(({ verdict }) => verdict.kind === 'performance');
    expect(first?.verdict).toMatchObject({ outcome: 'passed' });
    expect(first?.verdict.revision).toBeUndefined();
    await room.outcomes(...outcomes(lateOfDay), ...outcomes(next));
    await room.allSaved();
    const [amended, following] = await instance.closer.run();
    expect(amended?.verdict).toMatchObject({ verdictId: first?.verdict.verdictId, revision: 2, rows: (first?.verdict.rows ?? 0) + 500, outcome: 'failed' });
    expect(following?.verdict).toMatchObject({ window: { from: hour(24) } });
    expect(following?.verdict.revision).toBeUndefined();
    const { verdicts } = plain(await instance.edge.list(model, { kind: 'performance', limit: '10' })) as { verdicts: VerdictIssued[] };
    expect(verdicts.filter(({ verdictId }) => verdictId === first?.verdict.verdictId).map(({ revision = 1, rows }) => [revision, rows])).toEqual([[2, amended?.verdict.rows], [1, first?.verdict.rows]]);
    // Labels come with their flights here, so the labels of the first window are its predictions.
    const { windows } = plain(await instance.edge.windows(model, { limit: '10' })) as { windows: { labels: { predicted: number; labelled: number }; performance: { rows: number } }[] };
    expect(windows.at(-1)).toMatchObject({ labels: { predicted: amended?.verdict.rows, labelled: amended?.verdict.rows }, performance: { rows: amended?.verdict.rows } });
    // The first revision may spend 0.9 of the window’s level, the second 0.05 of it.
    expect([first, amended].map((window) => window?.verdict.inputs?.policy['alpha'])).toEqual([0.9, 0.05].map((part) => expect.closeTo(part / 60, 9)));
    expect(await instance.closer.run()).toEqual([]);
  });

  it('are the same after disorder and a crash, amendments too', async () => {
    const tell = async (shuffle: (told: readonly OutcomeObserved[]) => OutcomeObserved[], crash: boolean): Promise<unknown> => {
      const own = await MonitoringRoom.open();
      try {
        let instance = await own.instance(crash ? { saveEveryMs: 3_600_000, saveEveryRecords: 100 } : undefined);
        await own.register(registered('1'));
        const saved = async (): Promise<number> => (await query<{ saved: number | null }>(own.database.source, 'SELECT sum(next_offset)::float8 AS saved FROM fold_offset'))[0]?.saved ?? 0;
        const before = await saved();
        await own.outcomes(...shuffle(outcomes(day)));
        if (crash) {
          await eventually('a checkpoint that leaves something out', async () => (await saved()) - before > 300);
          instance = await own.instance({ saveEveryMs: 50, saveEveryRecords: 10_000 }, await own.database.replica());
        }
        await own.allSaved();
        const first = results(await instance.closer.run());
        await own.outcomes(...shuffle([...outcomes(lateOfDay), ...outcomes(next)]));
        await own.allSaved();
        return [first, results(await instance.closer.run())];
      } finally {
        await own.close();
      }
    };
    const chance = seeded(3);
    const shuffled = (told: readonly OutcomeObserved[]): OutcomeObserved[] => told.map((event) => ({ event, at: chance() })).sort((a, b) => a.at - b.at).map(({ event }) => event);
    const straight = await tell((told) => [...told], false);
    expect(straight).toMatchObject([[{ verdict: { outcome: 'passed' } }], [{ verdict: { revision: 2 } }, { verdict: { rows: expect.any(Number) } }]]);
    expect(await tell(shuffled, false)).toEqual(straight);
    expect(await tell(shuffled, true)).toEqual(straight);
  });

  it('stay as they are when labels come later than a window after they were judged', async () => {
    const late = async (): Promise<number> => Number(/millrace_records_late_total\{model="late-flights",source="outcomes"\} (\d+)/u.exec(await register.getSingleMetricAsString('millrace_records_late_total'))?.[1] ?? 0);
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.outcomes(...outcomes([...day, ...next, ...flights(300, 50, 76, 7)]));
    await room.allSaved();
    await instance.closer.run();
    const before = await late();
    await room.outcomes(...outcomes(lateOfDay), ...outcomes(flights(300, 76, 100, 8)));
    await room.allSaved();
    const judged = await instance.closer.run();
    expect(judged.map(({ verdict }) => verdict.revision ?? 1)).toEqual([1]);
    expect((await late()) - before).toBe(500);
  });
});
