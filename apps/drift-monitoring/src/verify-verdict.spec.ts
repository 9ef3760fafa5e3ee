/**
 * Goal: a verdict on inputs or outcomes can be made again from the log to the same bytes, with everything that makes rows
 * no rows; a number that was changed, a range that was moved and a spec that is another one are found.
 * Method: the room on a real Kafka and a real PostgreSQL, rows in disorder, some twice, some by a fallback, some of the shadow and of
 * another version; then `millrace verify-verdict` as its own process. What is stored is changed by hand, one number each.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OutcomeObserved, PredictionExplained, PredictionServed, VerdictIssued, VersionRegistered } from '@millrace/contracts';
import { KafkaDriver } from '@millrace/messaging';
import { query } from '@millrace/persistence';
import { seeded, StandInService, VerifyVerdict, type CommandEnd, type Verified } from '@millrace/testing';
import { explained, flights, MonitoringRoom, outcome, prediction, registered, type Flight } from './monitoring.fixture.js';
import { VerdictStore } from './verdict.store.js';

const brokers = process.env['KAFKA_BROKERS'] ?? '';
const name = `verify-${randomUUID().slice(0, 8)}`;
const versions = new Map<string, VersionRegistered>(['1', '2'].map((version) => [version, { ...registered(version), model: name }]));

/** Each flight at most 25 minutes from its place, every tenth twice. */
function disordered(story: readonly Flight[]): Flight[] {
  const chance = seeded(7);
  return story
    .flatMap((flight, index) => (index % 10 === 0 ? [flight, flight] : [flight]))
    .map((flight) => ({ flight, at: flight.hours + chance() * 0.4 }))
    .sort((a, b) => a.at - b.at)
    .map(({ flight }) => flight);
}

const own = <T extends PredictionServed | PredictionExplained | OutcomeObserved>(event: T): T => ({ ...event, model: name });
const served = (story: readonly Flight[]): PredictionServed[] =>
  disordered(story).flatMap((flight, index) => [
    own(prediction(flight, index % 7 === 0 ? '2' : '1')),
    ...(index % 5 === 0 ? [own(prediction(flight, '2', 'shadow'))] : []),
    ...(index % 20 === 0 ? [own({ ...prediction({ ...flight, recordId: `${flight.recordId}-f`, distance: 9_999 }), fallback: '0' })] : []),
  ]);

describe('millrace verify-verdict, of a window', () => {
  let room: MonitoringRoom;
  let monitoring: StandInService;
  let registry: StandInService;
  const verdicts: VerdictIssued[] = [];
  let asked: VersionRegistered['reference'] = null;

  const command = () => new VerifyVerdict({ MILLRACE_DRIFT_MONITORING_URL: monitoring.address, MILLRACE_MODEL_REGISTRY_URL: registry.address });
  const verify = (id: string): Promise<CommandEnd> => command().run(id);
  const verified = (id: string): Promise<Verified> => command().verified(id);
  const idOf = (kind: string, outcomeOf: string): string => {
    const found = verdicts.find((verdict) => verdict.kind === kind && verdict.version === '1' && verdict.outcome === outcomeOf && verdict.verdictId.includes(':primary:'));
    if (found === undefined) throw new Error(`no ${kind} verdict ${outcomeOf} among ${verdicts.map(({ verdictId, outcome: said }) => `${verdictId} ${said}`).join(', ')}`);
    return found.verdictId;
  };
  const run = (sql: string, id: string): Promise<unknown> => query(room.database.source, sql, [id]);

  beforeAll(async () => {
    if (brokers === '') throw new Error('KAFKA_BROKERS is not set: run `npm test`, which starts a broker');
    room = await MonitoringRoom.open({ driver: new KafkaDriver({ brokers: brokers.split(','), clientId: 'verify-spec' }), name });
    asked = versions.get('1')?.reference ?? null;
    const store = new VerdictStore(room.database.source);
    monitoring = await StandInService.start(async (path) => {
      const revisions = await store.revisions(path.slice('/v1/verdicts/'.length));
      return revisions.length === 0 ? undefined : { revisions };
    });
    registry = await StandInService.start((path) => {
      if (path === `/v1/models/${name}/specs/1`) return room.spec();
      const version = versions.get(path.slice(`/v1/models/${name}/versions/`.length));
      return version === undefined ? undefined : { ...version, reference: asked };
    });
    const instance = await room.instance({ saveEveryMs: 50, saveEveryRecords: 200, patienceSeconds: 1 });
    await room.register(...versions.values());
    const story = [...flights(900, 0, 24, 1), ...flights(900, 24, 48, 2, (flight) => ({ ...flight, distance: (flight.distance ?? 0) + 700, late: !flight.late })), ...flights(120, 48, 52, 3)];
    await room.predictions(...served(story));
    await room.outcomes(...disordered(story).map((flight) => own(outcome(flight))));
    await room.explanations(...disordered(story).map((flight) => own(explained(flight, flight.hours >= 24 ? 2 : undefined))));
    await room.allSaved();
    verdicts.push(...(await instance.closer.run()).filter(({ model }) => model === name).map(({ verdict }) => verdict));
    // Late rows of the second day amend its verdicts.
    const [late, next] = [flights(150, 44, 47, 4), flights(60, 72, 76, 5)];
    await room.predictions(...[...late, ...next].map((flight) => own(prediction(flight))));
    await room.outcomes(...[...late, ...next].map((flight) => own(outcome(flight))));
    await room.explanations(...[...late, ...next].map((flight) => own(explained(flight))));
    await room.allSaved();
    await instance.closer.run();
  });
  afterAll(async () => {
    await Promise.all([monitoring.stop(), registry.stop()]);
    await room.close();
  });

  it.each([['drift', 'passed'], ['drift', 'failed'], ['performance', 'passed'], ['performance', 'failed']])('makes the same bytes again: %s, %s', async (kind, said) => {
    const found = await verified(idOf(kind, said));
    expect(found.differences).toEqual([]);
    expect(found).toMatchObject({ same: true, code: 0 });
    expect(found.rows).toBeGreaterThan(500);
  });

  it.each([['drift'], ['performance'], ['attribution']])('makes each revision of an amended verdict again: %s', async (judged) => {
    const id = judged === 'attribution' ? idOf('drift', 'failed').replace(':drift:', ':attribution:') : idOf(judged, 'failed');
    const [first, second] = [await verified(`${id}#1`), await verified(`${id}#2`)];
    expect([first.differences, second.differences]).toEqual([[], []]);
    expect([first, second]).toMatchObject([{ same: true }, { same: true }]);
    expect(second.rows).toBe(first.rows + 150);
    expect(await verify(`${id}#3`)).toMatchObject({ code: 1, stderr: expect.stringContaining('VERDICT_UNKNOWN') });
  });

  it('makes those of shadows again', async () => {
    expect(await verified(idOf('drift', 'failed').replace(':1:', ':2:').replace(':primary:', ':shadow:'))).toMatchObject({ same: true });
  });

  it('finds one number that was changed', async () => {
    const id = idOf('drift', 'failed');
    const change = (from: string, to: string) => run(`UPDATE verdict SET findings = replace(findings::text, '${from}', '${to}')::json WHERE verdict_id = $1 AND revision = 1`, id);
    const statistic = verdicts.find(({ verdictId }) => verdictId === id)?.findings.find(({ outcome: said }) => said === 'failed')?.statistic ?? 0;
    await change(`"statistic":${statistic}`, '"statistic":0.4321');
    const found = await verified(`${id}#1`);
    expect(found).toMatchObject({ same: false, code: 2 });
    expect(found.differences).toEqual([{ path: expect.stringMatching(/^\/findings\/\d+\/statistic$/), recorded: 0.4321, recomputed: statistic }]);
    expect((await verify(`${id}#1`)).stdout).toContain(`recorded 0.4321, recomputed ${statistic}`);
    await change('"statistic":0.4321', `"statistic":${statistic}`);
    expect(await verified(`${id}#1`)).toMatchObject({ same: true });
  });

  it.each(['drift', 'performance'])('finds a range that was moved: %s', async (kind) => {
    const id = idOf(kind, 'failed');
    const offsets = verdicts.find(({ verdictId }) => verdictId === id)?.offsets ?? [];
    const moved = offsets.map((range, index) => (index === 0 ? { ...range, fromOffset: range.fromOffset + 1, toOffset: range.toOffset + 1 } : range));
    await run(`UPDATE verdict SET offsets = '${JSON.stringify(moved)}'::json WHERE verdict_id = $1 AND revision = 1`, id);
    const found = await verified(`${id}#1`);
    expect(found).toMatchObject({ same: false, code: 2 });
    expect(found.differences.map(({ path }) => path)).toEqual(expect.arrayContaining(['/rows', '/inputs/stateSha256']));
    await run(`UPDATE verdict SET offsets = '${JSON.stringify(offsets)}'::json WHERE verdict_id = $1 AND revision = 1`, id);
    expect(await verified(`${id}#1`)).toMatchObject({ same: true });
  });

  it('finds another reference, and says what it cannot know', async () => {
    const id = idOf('drift', 'passed');
    asked = asked === null ? null : { ...asked, rows: asked.rows + 1 };
    const found = await verified(`${id}#1`);
    expect(found).toMatchObject({ same: false, code: 2 });
    expect(found.differences.map(({ path }) => path)).toEqual(['/inputs/referenceSha256']);
    asked = versions.get('1')?.reference ?? null;
    expect(await verify('nobody:1:drift:primary:x')).toMatchObject({ code: 1 });
    await run('UPDATE verdict SET inputs = NULL WHERE verdict_id = $1', id);
    expect(await verify(id)).toMatchObject({ code: 1, stderr: expect.stringContaining('INPUTS_MISSING') });
  });
});
