/**
 * Goal: explained answers become verdicts on what a version rests on: found when it changes, silent when it does not, the same to the byte
 * whatever way the rows come, amended by late ones; within the model’s one budget, and without a trace in what is said of inputs.
 * Method: the room over the memory log (two partitions) and the real PostgreSQL. A flight’s score rests on its distance (uniform from
 * −1 to 1: mean share of E|d|/(|d| + w) = 1 − w·ln(1 + 1/w)) and on its carrier (w): w goes from 0.25 to 2.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseModelSpec, type PredictionExplained, type VerdictIssued } from '@millrace/contracts';
import { monitoredModel } from '@millrace/core/verdicts';
import { query } from '@millrace/persistence';
import { eventually, seeded } from '@millrace/testing';
import { explained, flights, hour, model, MonitoringRoom, prediction, registered, type Flight } from './monitoring.fixture.js';
import type { JudgedWindow } from './judged-window.js';

const shareOfDistance = (weight: number): number => 1 - weight * Math.log(1 + 1 / weight);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
/** All but where in the log the rows lie, and when they were judged. */
const results = (windows: readonly JudgedWindow[]): unknown => plain(windows.map(({ verdict: { offsets: _offsets, watermark: _watermark, ...verdict }, state, level }) => ({ verdict, state, level })));

const weightOf = ({ hours }: Flight): number => (hours >= 24 && hours < 48 ? 2 : 0.25);
const story = [...flights(1_200, 0, 48, 1), ...flights(60, 48, 50, 3)];
const events = (told: readonly Flight[]): PredictionExplained[] => told.map((flight) => explained(flight, weightOf(flight)));
const of = (verdict: VerdictIssued | undefined, subject: string) => verdict?.findings.find((finding) => finding.subject === subject);

describe('attribution windows', () => {
  let room: MonitoringRoom;
  beforeEach(async () => void (room = await MonitoringRoom.open()));
  afterEach(() => room.close());

  it('tell of a version that rests on another feature, in a sentence, and publish it as drift', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.explanations(...events(story));
    await room.allSaved();
    const [clean, moved] = await instance.closer.run();
    expect(clean?.verdict).toMatchObject({ kind: 'drift', outcome: 'passed', rows: 600, verdictId: `${model}:1:attribution:primary:${hour(0)}/${hour(24)}` });
    expect(of(clean?.verdict, 'attribution')?.statistic).toBeCloseTo(1, 6);
    expect(moved?.verdict).toMatchObject({ kind: 'drift', outcome: 'failed' });
    const distance = of(moved?.verdict, 'attribution:distance');
    expect(distance).toMatchObject({ outcome: 'failed', detector: 'attribution-share', referenceRows: 1_000, currentRows: 600 });
    expect(distance?.reference).toBeCloseTo(shareOfDistance(0.25), 1.5);
    expect(distance?.statistic).toBeCloseTo(shareOfDistance(0.25) - shareOfDistance(2), 1.5);
    expect(distance?.lowerBound).toBeGreaterThan(0.2);
    expect(distance?.reason).toMatch(/^distance makes up 1[789] % of the explanations, (?:59|60|61) % on the test rows of training .*; 600 explained answers against 1,000; false-alarm budget spent: \d\.\d %$/u);
    // Two features that change places: the figure that others alarm on, below 0.90, hardly moves.
    const [first, second] = [shareOfDistance(0.25), 1 - shareOfDistance(0.25)];
    expect(of(moved?.verdict, 'attribution')?.statistic).toBeCloseTo((second + first / Math.log2(3)) / (first + second / Math.log2(3)), 2);
    expect(moved?.verdict.offsets.every(({ topic }) => topic === 'inference.prediction-explained.v1')).toBe(true);
    expect((await room.verdictsPublished(2)).map(({ outcome }) => outcome)).toEqual(['passed', 'failed']);
  });

  it('are the same after disorder, duplicates and a crash', async () => {
    const tell = async (told: readonly PredictionExplained[], crash = false): Promise<unknown> => {
      const own = await MonitoringRoom.open();
      try {
        let instance = await own.instance(crash ? { saveEveryMs: 3_600_000, saveEveryRecords: 100 } : undefined);
        await own.register(registered('1'));
        const saved = async (): Promise<number> => (await query<{ saved: number | null }>(own.database.source, 'SELECT sum(next_offset)::float8 AS saved FROM fold_offset'))[0]?.saved ?? 0;
        const before = await saved();
        await own.explanations(...told.slice(0, 900));
        if (crash) {
          await eventually('a checkpoint that leaves something out', async () => (await saved()) - before > 500);
          instance = await own.instance({ saveEveryMs: 50, saveEveryRecords: 10_000 }, await own.database.replica());
        }
        await own.explanations(...told.slice(900));
        await own.allSaved();
        return results(await instance.closer.run());
      } finally {
        await own.close();
      }
    };
    const chance = seeded(7);
    const disorder = story.flatMap((flight, index) => (index % 10 === 0 ? [flight, flight] : [flight])).map((flight) => ({ flight, at: flight.hours + chance() * 0.4 })).sort((a, b) => a.at - b.at).map(({ flight }) => flight);
    const straight = await tell(events(story));
    expect(await tell(events(disorder))).toEqual(straight);
    expect(await tell(events(disorder), true)).toEqual(straight);
  });

  it('are amended by late rows: two revisions', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.explanations(...events(flights(400, 0, 26, 1)));
    await room.allSaved();
    const [first] = await instance.closer.run();
    await room.explanations(...flights(400, 1, 2, 5).map((flight) => explained(flight, 8)), ...events(flights(400, 26, 50, 6)));
    await room.allSaved();
    const [amended, next] = await instance.closer.run();
    expect(first?.verdict).toMatchObject({ outcome: 'passed' });
    expect(amended?.verdict).toMatchObject({ verdictId: first?.verdict.verdictId, revision: 2, rows: (first?.verdict.rows ?? 0) + 400, outcome: 'failed' });
    expect(next?.verdict.window.from).toBe(hour(24));
  });

  it('share the model’s budget, and leave what is said of inputs alone', async () => {
    const instance = await room.instance();
    await room.register(registered('1'));
    await room.predictions(...story.map((flight) => prediction(flight)));
    await room.explanations(...events(story));
    await room.allSaved();
    const judged = await instance.closer.run();
    // 0.9 / 60 each, whatever it is on: one in 30 days over two kinds of daily windows.
    expect(judged.map(({ verdict }) => verdict.budget?.spent)).toEqual([0.015, 0.03, 0.045, 0.06].map((spent) => expect.closeTo(spent, 9)));
    const { windows } = plain(await instance.edge.windows(model, { limit: '10' })) as { windows: { drift: { rows: number; features: { subject: string }[] }; attribution: { rows: number; outcome: string }; labels: object | null }[] };
    expect(windows.map(({ drift, attribution }) => [drift.rows, attribution.rows, attribution.outcome])).toEqual([[600, 600, 'failed'], [600, 600, 'passed']]);
    expect(windows.flatMap(({ drift }) => drift.features).some(({ subject }) => subject.startsWith('attribution'))).toBe(false);
  });

  it('are inconclusive for a version that was trained before its spec asked for explanations', async () => {
    const instance = await room.instance();
    const { reference, ...version } = registered('1');
    const { attributions: _none, ...older } = reference ?? { rows: 0, features: {}, output: null, metrics: [] };
    await room.register({ ...version, reference: older });
    await room.explanations(...events(story));
    await room.allSaved();
    const [first] = await instance.closer.run();
    expect(first).toMatchObject({ level: 0, verdict: { outcome: 'inconclusive', findings: [{ reason: expect.stringContaining('serving.explanations') }] } });
  });
});

it('explanations make a third kind of verdict, and the budget is shared by three', () => {
  const { spec, ...rest } = { revision: 1, sha256: '0'.repeat(64), model, spec: { apiVersion: 'millrace/v1', kind: 'Model', metadata: { name: model }, spec: { task: 'binary', stream: 'flights', features: [{ name: 'distance', type: 'number' }], label: { field: 'late' }, trainer: { name: 'tabular', algorithm: 'lightgbm' } } } };
  const alphaWith = (serving: object): number => monitoredModel({ ...rest, spec: parseModelSpec({ ...spec, spec: { ...spec.spec, serving } }) }).policy.alpha;
  expect(alphaWith({})).toBeCloseTo(1 / 60, 12);
  expect(alphaWith({ explanations: { share: 0.01 } })).toBeCloseTo(1 / 90, 12);
});
