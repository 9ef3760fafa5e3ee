/**
 * Goal: a rise that the error watch told is made again from the log to the same bytes; a silence as far as a log can tell it, and
 * the command says which part it could not check; what was changed, and what the log contradicts, is found.
 * Method: the room over a real Kafka and PostgreSQL; `millrace verify-verdict` as its own process; one number changed at a time.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OutcomeObserved, PredictionServed, VerdictIssued, VersionRegistered } from '@millrace/contracts';
import { KafkaDriver } from '@millrace/messaging';
import { query } from '@millrace/persistence';
import { StandInService, VerifyVerdict } from '@millrace/testing';
import { flights, hour, MonitoringRoom, outcome, prediction, registered } from './monitoring.fixture.js';
import { VerdictByIdController } from './verdict-by-id.controller.js';
import { VerdictStore } from './verdict.store.js';

const name = `verify-${randomUUID().slice(0, 8)}`;
const monitored = { conceptDrift: { pane: 'PT1H' }, silenceMax: 'PT30M' };
const version: VersionRegistered = { ...registered('1'), model: name };
const own = <T extends PredictionServed | OutcomeObserved>(event: T): T => ({ ...event, model: name });

describe('millrace verify-verdict, of what watches told', () => {
  let room: MonitoringRoom;
  let monitoring: StandInService;
  let registry: StandInService;
  let rise: VerdictIssued | undefined;
  let silent: VerdictIssued | undefined;
  const verified = (id = '') => new VerifyVerdict({ MILLRACE_DRIFT_MONITORING_URL: monitoring.address, MILLRACE_MODEL_REGISTRY_URL: registry.address }).verified(id);
  const run = (sql: string, id = ''): Promise<unknown> => query(room.database.source, sql, [id]);

  beforeAll(async () => {
    room = await MonitoringRoom.open({ driver: new KafkaDriver({ brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'verify-watches-spec' }), name });
    const edge = new VerdictByIdController(new VerdictStore(room.database.source));
    monitoring = await StandInService.start((path) => {
      const id = path.slice('/v1/verdicts/'.length);
      return id.endsWith('/trail') ? edge.trail(id.slice(0, -'/trail'.length)) : edge.get(id);
    });
    registry = await StandInService.start((path) => (path === `/v1/models/${name}/specs/1` ? room.spec(monitored) : path === `/v1/models/${name}/versions/1` ? version : undefined));
    await room.watch(monitored);
    const instance = await room.instance({ saveEveryMs: 50, saveEveryRecords: 200, patienceSeconds: 1 });
    await room.register(version);
    const story = [...flights(1_500, 0, 48, 1), ...flights(800, 48, 72, 2, (flight) => ({ ...flight, late: flight.probability < 0.5 })), ...flights(60, 72, 74, 3)];
    await room.predictions(...flights(50, 0, 1, 4).map((flight) => own(prediction(flight))));
    await room.outcomes(...story.map((flight) => own(outcome(flight))));
    await room.allSaved();
    rise = (await instance.errors.run()).map(({ verdict }) => verdict).find(({ model }) => model === name);
    await instance.freshness.run();
    room.now = new Date(room.now.getTime() + 31 * 60_000);
    silent = (await instance.freshness.run()).map(({ verdict }) => verdict).find(({ model }) => model === name);
  });
  afterAll(async () => {
    await Promise.all([monitoring.stop(), registry.stop()]);
    await room.close();
  });

  it('makes a rise again, and finds a figure and a pane that were changed', async () => {
    const honest = await verified(rise?.verdictId);
    expect(honest.differences).toEqual([]);
    expect(honest).toMatchObject({ same: true, code: 0, unchecked: [] });
    expect(honest.rows).toBeGreaterThan(1_500);
    const evidence = rise?.findings[0]?.statistic ?? 0;
    const change = (from: string, to: string) => run(`UPDATE verdict SET findings = replace(findings::text, '"statistic":${from}', '"statistic":${to}')::json WHERE verdict_id = $1`, rise?.verdictId);
    await change(String(evidence), '7');
    expect(await verified(rise?.verdictId)).toMatchObject({ same: false, code: 2, differences: [{ path: '/findings/0/statistic', recorded: 7, recomputed: evidence }] });
    await change('7', String(evidence));
    // A pane that names fewer offsets than it had.
    await run(`UPDATE verdict SET state = jsonb_set(state::jsonb, '{trail,panes,3,offsets}', '{}')::json WHERE verdict_id = $1`, rise?.verdictId);
    const found = await verified(rise?.verdictId);
    expect(found).toMatchObject({ same: false, code: 2 });
    expect(found.differences.map(({ path }) => path)).toContain('/inputs/history/panesSha256');
  });

  it('makes a silence again as far as a log can, and finds what contradicts it', async () => {
    expect(await verified(silent?.verdictId)).toMatchObject({ same: true, code: 4, unchecked: [expect.stringContaining('by its own clock')] });
    await run(`UPDATE verdict SET findings = replace(findings::text, '"threshold":1800', '"threshold":60')::json WHERE verdict_id = $1`, silent?.verdictId);
    expect(await verified(silent?.verdictId)).toMatchObject({ same: false, code: 2, differences: [{ path: '/findings/0/threshold', recorded: 60, recomputed: 1800 }] });
    await run(`UPDATE verdict SET findings = replace(findings::text, '"threshold":60', '"threshold":1800')::json WHERE verdict_id = $1`, silent?.verdictId);
    // One that a gateway answered while the service thought that nobody asked.
    const [flight] = flights(1, 2, 3, 9);
    if (flight === undefined) throw new Error('no flight');
    await room.predictions(own({ ...prediction(flight), eventTime: hour(2), servedAt: new Date(room.now.getTime() - 60_000).toISOString() }));
    const contradicted = await verified(silent?.verdictId);
    expect(contradicted).toMatchObject({ same: false, code: 2 });
    expect(contradicted.differences[0]?.path).toMatch(/^\/log\/\d+@\d+$/);
  });
});
