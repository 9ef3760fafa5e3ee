/**
 * Goal: every accepted record ends in exactly one place, admitted and archived or quarantined, through crashes, zombies
 * and concurrent replays; a broken contract is told of once.
 * Method: the service's own handlers on the memory log and a real PostgreSQL; crashes are made where they hurt (files
 * written, transaction lost); what is archived is read back with another library than wrote it (DuckDB) and hashed anew
 * from the log.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DuckDBInstance } from '@duckdb/node-api';
import { canonicalJson, contractBroken, recordAdmitted, recordRefused, segmentSealed, type SegmentSealed } from '@millrace/contracts';
import type { MemoryDriver } from '@millrace/messaging/testing';
import { openStorage, type ObjectStore } from '@millrace/storage';
import { eventually, openTestDatabase, type TestDatabase } from '@millrace/testing';
import { Validation1700000200000 } from './migrations/0001-validation.js';
import { SegmentStore } from './segment.store.js';
import { accepted, collect, contractOf, emit, publish, ringInMemory, startValidation } from './validation-service.fixture.js';

type Service = Awaited<ReturnType<typeof startValidation>>;

let database: TestDatabase;
let folder: string;
let driver: MemoryDriver;
let objects: ObjectStore;
let running: Service[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-validation-'));
  objects = (await openStorage(pathToFileURL(folder).toString())).objects;
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  database = await openTestDatabase('data_validation', [Validation1700000200000]);
  driver = await ringInMemory();
});
afterEach(async () => {
  for (const service of running) await service.stop();
  running = [];
  await driver.close();
  await database.drop();
});

async function start(more: Partial<Parameters<typeof startValidation>[0]> = {}): Promise<Service> {
  const service = await startValidation({ driver, database: database.source, objects, ...more });
  running.push(service);
  return service;
}

const admittedOf = async (service: Service, stream: string) => (await service.accounting.account(stream)).record.admitted;

/** What DuckDB sees in the files that the archive lists. */
async function archived(segments: readonly SegmentSealed[]): Promise<Record<string, unknown>[]> {
  const files = segments.map(({ objectKey }) => `'${join(folder, 'objects', objectKey)}'`);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(`SELECT *, regexp_extract(filename, '/p(\\d+)-', 1) AS part FROM read_parquet([${files.join(',')}], filename = true, hive_partitioning = false, union_by_name = true) ORDER BY part, "offset"`);
  connection.closeSync();
  return result.getRowObjectsJson();
}

class LosesItsTransaction extends SegmentStore {
  attempts = 0;
  alive = false;

  override async add(...parameters: Parameters<SegmentStore['add']>): Promise<void> {
    this.attempts += 1;
    if (!this.alive) throw new Error('the process died between writing its files and committing');
    await super.add(...parameters);
  }
}

describe('the archive', () => {
  it('holds each record once although a process died between file and commit and came back as a zombie', async () => {
    const ids = Array.from({ length: 450 }, (_, index) => `r${index}`);
    await publish(driver, [contractOf('s'), ...ids.map((id) => accepted('s', id, { date: 'Tuesday', hour: 7 }))]);
    const dying = new LosesItsTransaction(database.source);
    await start({ segments: dying });
    await eventually('files are written and not committed', () => dying.attempts > 1);

    const second = await start({ database: await database.replica() });
    await eventually('all is archived', async () => (await admittedOf(second, 's')) === ids.length);
    dying.alive = true;
    await running[0]?.stop();
    expect(await admittedOf(second, 's')).toBe(ids.length);

    const segments = await second.segments.list('s', 'record');
    const rows = await archived(segments);
    expect(rows.map(({ record_id }) => record_id).sort()).toEqual([...ids].sort());
    expect(rows[0]).toMatchObject({ event_time: '2013-01-01 05:00:00', contract_version: '1.0.0', distance: 100, value_date: 'Tuesday', hour: '7' });
    const sealed = await eventually('each segment is told of', async () => {
      const events = await collect(driver, segmentSealed);
      return events.length >= segments.length && events;
    });
    expect(sealed.map(({ data }) => data.objectKey).sort()).toEqual(segments.map(({ objectKey }) => objectKey).sort());
  });

  it('hashes canonical record bytes in offset order', async () => {
    await publish(driver, [contractOf('s'), ...Array.from({ length: 120 }, (_, index) => accepted('s', `r${index}`, { z: 1, a: { y: null, b: 'ü' } }))]);
    const service = await start();
    await eventually('all is archived', async () => (await admittedOf(service, 's')) === 120);
    const log = await collect(driver, recordAdmitted);
    for (const { partition, fromOffset, toOffset, rows, sha256 } of await service.segments.list('s', 'record')) {
      const inRange = log.filter((event) => event.partition === partition && event.offset >= fromOffset && event.offset < toOffset);
      const hash = createHash('sha256');
      for (const { data } of inRange) hash.update(`${canonicalJson({ recordId: data.recordId, eventTime: data.eventTime, value: data.value })}\n`);
      expect({ rows: inRange.length, sha256: hash.digest('hex') }).toEqual({ rows, sha256 });
    }
  });

});

describe('what is archived', () => {
  it('lets duplicates of a record id through and finds each of them', async () => {
    await publish(driver, [contractOf('s'), accepted('s', 'twice'), accepted('s', 'other'), accepted('s', 'twice', { distance: 2 })]);
    const service = await start();
    await eventually('all is archived', async () => (await admittedOf(service, 's')) === 3);
    const { places } = await service.find.handle('s', 'twice');
    const log = await collect(driver, recordAdmitted);
    expect(places.map(({ partition, offset }) => ({ partition, offset }))).toEqual(log.filter(({ data }) => data.recordId === 'twice').map(({ partition, offset }) => ({ partition, offset })));
    expect(places).toHaveLength(2);
    expect((await service.find.handle('s', 'nowhere')).places).toEqual([]);
  });

  it('takes admitted records of a stream whose contract it never saw, and holds up no other stream for them', async () => {
    const foreign = emit(recordAdmitted, { stream: 'foreign', kind: 'record', recordId: 'f', eventTime: '2013-01-01T05:00:00.000Z', contractVersion: '7', value: { id: 'f', n: 1.5, ok: true, tags: ['a'] }, origin: { via: 'http', requestId: 'r', index: 0 }, replay: null }, 'f');
    await publish(driver, [foreign, contractOf('s'), ...Array.from({ length: 20 }, (_, index) => accepted('s', `r${index}`))]);
    const service = await start();
    await eventually('both are archived', async () => (await admittedOf(service, 's')) === 20 && (await admittedOf(service, 'foreign')) === 1);
    expect(await archived(await service.segments.list('foreign'))).toMatchObject([{ record_id: 'f', n: 1.5, ok: true, tags: '["a"]' }]);
  });

  it('starts another segment where the contract version changes, so that each has one set of columns', async () => {
    await publish(driver, [contractOf('s'), accepted('s', 'a')]);
    const service = await start();
    await eventually('the first is archived', async () => (await admittedOf(service, 's')) === 1);
    await publish(driver, [contractOf('s', '1.1.0')]);
    await eventually('the new contract is in force', () => service.contracts.get('s')?.version === '1.1.0');
    await publish(driver, [accepted('s', 'b')]);
    await eventually('the second is archived', async () => (await admittedOf(service, 's')) === 2);
    expect((await service.segments.list('s')).map(({ contractVersion }) => contractVersion).sort()).toEqual(['1.0.0', '1.1.0']);
  });
});

describe('records without a contract', () => {
  it('wait until it comes', async () => {
    await publish(driver, [accepted('later', 'a')]);
    const service = await start();
    await publish(driver, [contractOf('later')]);
    await eventually('it is archived', async () => (await admittedOf(service, 'later')) === 1);
  });
});

describe('quarantine', () => {
  it('is replayed after a fix, each item once, by replays that run at the same time on two replicas', async () => {
    const bad = Array.from({ length: 2_300 }, (_, index) => accepted('s', `bad${index}`, { distance: 10_000 }));
    const hopeless = Array.from({ length: 30 }, (_, index) => accepted('s', `hopeless${index}`, { distance: 'far' }));
    await publish(driver, [contractOf('s'), ...bad, ...hopeless, accepted('s', 'good')]);
    const first = await start();
    const second = await startValidation({ driver: await ringInMemory(), database: await database.replica(), objects });
    running.push(second);
    await publish(second.messaging.driver, [contractOf('s')]);
    await eventually('the second replica knows the contract', () => second.contracts.get('s'));
    await eventually('all wait', async () => (await first.accounting.account('s')).record.quarantined === 2_330);
    const fix = { operations: [{ multiply: { field: 'distance', by: 0.1 } }] };

    expect(await first.replay.handle({ stream: 's', fix, dryRun: true })).toMatchObject({ matched: 2_330, admitted: 2_300, stillBrokenCount: 30 });
    expect((await first.accounting.account('s')).record).toMatchObject({ quarantined: 2_330, replayed: 0 });
    const replays = await Promise.all([first, second, first, second].map((service) => service.replay.handle({ stream: 's', fix, where: { rule: 'maximum', field: 'distance' }, dryRun: false })));

    expect(replays.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(2_300);
    await eventually('all replayed records are archived', async () => (await admittedOf(first, 's')) === 2_301);
    const replayed = (await collect(driver, recordAdmitted)).concat(await collect(second.messaging.driver, recordAdmitted)).filter(({ data }) => data.replay !== null);
    expect(new Set(replayed.map(({ id }) => id)).size).toBe(2_300);
    expect(replayed).toHaveLength(2_300);
    expect(replayed[0]?.data.value['distance']).toBe(1_000);
    expect((await first.accounting.account('s')).record).toEqual({ admitted: 2_301, quarantined: 30, replayed: 2_300, refused: 0 });
  });

  it('keeps what is still broken, and says why', async () => {
    await publish(driver, [contractOf('s'), accepted('s', 'x', { distance: null })]);
    const service = await start();
    await eventually('it waits', async () => (await service.accounting.account('s')).record.quarantined === 1);
    const result = await service.replay.handle({ stream: 's', fix: { operations: [{ set: { field: 'distance', value: 9_999 } }] }, dryRun: false });
    expect(result).toMatchObject({ matched: 1, admitted: 0, stillBroken: [{ recordId: 'x', violations: [{ rule: 'maximum', field: 'distance', value: 9_999 }] }] });
    const listed = await service.quarantine.list({ stream: 's', status: 'waiting' }, 10);
    expect(listed).toMatchObject({ total: 1, byRule: [{ rule: 'required', field: 'distance', count: 1 }], items: [{ recordId: 'x', status: 'waiting', value: { id: 'x', distance: null } }] });
  });

  it('takes values that PostgreSQL’s own types refuse, and violations that repeat a large value', async () => {
    await publish(driver, [contractOf('s'), accepted('s', 'nul', { distance: 'a\u0000b' }), accepted('s', 'large', { distance: 'x'.repeat(400_000) })]);
    const service = await start();
    await eventually('both wait', async () => (await service.accounting.account('s')).record.quarantined === 2);
    const { items } = await service.quarantine.list({ stream: 's' }, 10);
    expect(items.find(({ recordId }) => recordId === 'nul')?.value['distance']).toBe('a\u0000b');
    expect(JSON.stringify(items.find(({ recordId }) => recordId === 'large')?.violations).length).toBeLessThan(2_000);
  });
});

describe('a broken contract', () => {
  const day = (date: string, n: number, bad: number) =>
    Array.from({ length: n }, (_, index) => accepted('s', `${date}-${index}`, index < bad ? { distance: 10_000 } : {}, `${date}T12:00:00.000Z`));

  it('is told of once per day, with its rules, and never below the least number of records', async () => {
    const service = await start();
    await publish(driver, [contractOf('s'), ...day('2013-01-01', 40, 40), ...day('2013-01-02', 200, 10)]);
    await eventually('both days are judged', async () => (await service.quality.history('s', 10)).reduce((sum, { judged }) => sum + judged, 0) === 240);
    expect(await collect(driver, contractBroken)).toEqual([]);

    await publish(driver, day('2013-01-03', 60, 60));
    await eventually('the third day is told of', async () => (await collect(driver, contractBroken)).length === 1);
    await publish(driver, [...day('2013-01-03', 60, 60), ...day('2013-01-04', 100, 6)]);
    const broken = await eventually('the fourth day is told of', async () => {
      const events = await collect(driver, contractBroken);
      return events.length >= 2 && events;
    });
    expect((await service.quality.history('s', 10)).map(({ day: date, judged, quarantined }) => ({ date, judged, quarantined }))).toEqual([
      { date: '2013-01-04', judged: 100, quarantined: 6 },
      { date: '2013-01-03', judged: 120, quarantined: 120 },
      { date: '2013-01-02', judged: 200, quarantined: 10 },
      { date: '2013-01-01', judged: 40, quarantined: 40 },
    ]);
    expect(broken.map(({ id }) => id).sort()).toEqual(['broken:s:1.0.0:2013-01-03', 'broken:s:1.0.0:2013-01-04']);
    const third = broken.find(({ id }) => id.endsWith('-03'))?.data;
    expect(third).toMatchObject({ stream: 's', contractVersion: '1.0.0', shareQuarantined: 1, shareQuarantinedMax: 0.05, rules: [{ rule: 'maximum', field: 'distance' }] });
    expect(third?.offsets.every(({ topic, toOffset, fromOffset }) => topic === 'ingestion.record-accepted.v1' && toOffset > fromOffset)).toBe(true);
  });
});

describe('refusals', () => {
  it('are counted by code', async () => {
    const service = await start();
    const refusal = (code: string) =>
      emit(recordRefused, { stream: 's', kind: 'label', code, reason: 'no', payloadBase64: '', origin: { via: 'http', requestId: 'r', index: 0 }, refusedAt: '2013-01-01T00:00:00.000Z' }, 'k');
    await publish(driver, [refusal('RECORD_UNPARSABLE'), refusal('RECORD_UNPARSABLE'), refusal('RECORD_KEY_MISSING')]);
    await eventually('all are counted', async () => (await service.accounting.account('s')).label.refused === 3);
    expect(await service.accounting.refusals('s')).toEqual([
      { kind: 'label', code: 'RECORD_KEY_MISSING', count: 1 },
      { kind: 'label', code: 'RECORD_UNPARSABLE', count: 2 },
    ]);
  });
});
