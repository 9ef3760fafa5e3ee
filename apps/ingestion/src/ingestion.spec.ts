/**
 * Goal: ingestion follows the contracts (topics start, move, stop, are waited for), takes records from topics and posts
 * alike, and gives every record it refuses a reason and its bytes.
 * Method: the service's handlers on the memory log; what is published is read back from the log and compared with what
 * was sent, by hand-made tables.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJson, contractChanged, MillraceError, recordAccepted, recordRefused, sha256Hex, type DataOf, type EventDefinition } from '@millrace/contracts';
import { createRingTopics, decodeEvent, encodeEvent, Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { Readiness, ServiceLog } from '@millrace/service';
import { eventually } from '@millrace/testing';
import { AcceptRecordsHandler } from './accept-records.handler.js';
import { FollowStreamsHandler } from './follow-streams.handler.js';
import { PostRecordsHandler } from './post-records.handler.js';

const at = '2013-01-01T05:00:00Z';
const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
let driver: MemoryDriver;
let messaging: Messaging;
let streams: FollowStreamsHandler;
let post: PostRecordsHandler;
let readiness: Readiness;

async function start(createProducerTopics: '0' | '1'): Promise<void> {
  messaging = new Messaging({ service: 'ingestion', driver, now: () => new Date('2026-01-01T00:00:00Z'), log: { warn: () => undefined } });
  const accept = new AcceptRecordsHandler(messaging);
  readiness = new Readiness();
  streams = new FollowStreamsHandler(messaging, accept, { createProducerTopics, recordBytesMax: 2_000, topicRetryMs: 10 }, new ServiceLog('ingestion', 'silent'), readiness);
  post = new PostRecordsHandler(messaging, accept);
  await streams.onApplicationBootstrap();
  await post.onApplicationBootstrap();
}

beforeEach(async () => {
  driver = new MemoryDriver();
  await createRingTopics(driver, 2);
});
afterEach(async () => {
  await streams.onModuleDestroy();
  await messaging.stop();
});

const send = async (...messages: OutgoingMessage[]) => void (await (await driver.producer()).send(messages));
const raw = (topic: string, value: string | Buffer | null, headers: Record<string, string> = {}): OutgoingMessage => ({ topic, key: 'k', headers, value: typeof value === 'string' ? Buffer.from(value) : value });

async function everything<D extends EventDefinition>(definition: D): Promise<Received<DataOf<D>>[]> {
  const found: Received<DataOf<D>>[] = [];
  const total = (await driver.watermarks(definition.type)).reduce((sum, { high }) => sum + high, 0);
  if (total === 0) return found;
  const reading = await driver.consume({ group: `spec.${performance.now()}`, topics: [definition.type], onBatch: async (deliveries) => void found.push(...deliveries.map((delivery) => decodeEvent(definition, delivery))) });
  await eventually('the topic is read', () => found.length >= total);
  await reading.stop();
  return found;
}

function contract(topics: { record: string; label: string }, version = '1.0.0', keys: string[] = ['id']): OutgoingMessage {
  const side = (name: 'record' | 'label') => ({
    name,
    physicalName: topics[name],
    customProperties: [{ property: 'eventTime', value: 'at' }],
    properties: [...keys.map((key, index) => ({ name: key, logicalType: 'string', primaryKey: true, primaryKeyPosition: index })), { name: 'at', logicalType: 'timestamp', required: true }],
  });
  const document = { apiVersion: 'v3.1.0', kind: 'DataContract', id: 'flights', version, schema: [side('record'), side('label')] };
  return encodeEvent(contractChanged, { stream: 'flights', version, sha256: sha256Hex(canonicalJson(document)), document, changedAt: at }, { key: 'flights', source: '/spec', time: at });
}

const topicsOf = (names: string[]) => driver.createTopics(names.map((topic) => ({ topic, partitions: 2, cleanup: 'delete' as const })));
const stateOf = (kind: 'record' | 'label') => streams.states()[0]?.[kind];

describe('producer topics', () => {
  it('become accepted and refused records with their origin, bytes and trace', async () => {
    await topicsOf(['departures', 'arrivals']);
    await send(contract({ record: 'departures', label: 'arrivals' }));
    await send(raw('departures', JSON.stringify({ id: 'a', at, n: 1 }), { traceparent: trace }), raw('departures', 'garbage', { traceparent: trace }), raw('departures', null), raw('departures', `{"id":"b","x":"${'y'.repeat(3_000)}"}`), raw('arrivals', JSON.stringify({ id: 'a', at, late: true }), { ce_id: 'e-1' }));
    await start('0');
    const accepted = await eventually('both are accepted', async () => ((await everything(recordAccepted)).length === 2 ? everything(recordAccepted) : undefined));
    const refused = await eventually('three are refused', async () => ((await everything(recordRefused)).length === 3 ? everything(recordRefused) : undefined));

    const record = accepted.find(({ data }) => data.kind === 'record');
    expect(record).toMatchObject({ key: 'a', traceparent: trace, data: { stream: 'flights', recordId: 'a', eventTime: '2013-01-01T05:00:00.000Z', receivedAt: '2026-01-01T00:00:00.000Z', value: { id: 'a', at, n: 1 }, origin: { via: 'kafka', topic: 'departures' } } });
    expect(accepted.find(({ data }) => data.kind === 'label')?.data).toMatchObject({ value: { id: 'a', at, late: true }, origin: { via: 'kafka', topic: 'arrivals', eventId: 'e-1' } });
    const garbage = refused.find(({ data }) => Buffer.from(data.payloadBase64, 'base64').toString() === 'garbage');
    expect(garbage).toMatchObject({ traceparent: trace, data: { stream: 'flights', kind: 'record', code: 'RECORD_UNPARSABLE', reason: expect.stringContaining('not JSON') } });
    expect(refused.map(({ data }) => data.code).sort()).toEqual(['RECORD_TOO_LARGE', 'RECORD_UNPARSABLE', 'RECORD_UNPARSABLE']);
  });

  it('are waited for, with a note, until their producer has made them', async () => {
    await send(contract({ record: 'departures', label: 'arrivals' }));
    await start('0');
    await eventually('it says what is missing', () => stateOf('record')?.reason?.includes('departures'));
    readiness.enter('running');
    expect(await readiness.report()).toMatchObject({ ready: true, notes: { 'producer topics': expect.stringContaining('departures') } });

    await topicsOf(['departures', 'arrivals']);
    await send(raw('departures', JSON.stringify({ id: 'a', at })));
    await eventually('it is accepted', async () => (await everything(recordAccepted)).length === 1);
    await eventually('nothing is missing', async () => Object.keys((await readiness.report()).notes).length === 0);
  });

  it('are created where the settings say so, with the ring’s partition count', async () => {
    await send(contract({ record: 'departures', label: 'arrivals' }));
    await start('1');
    await eventually('both are read', () => stateOf('record')?.state === 'reading' && stateOf('label')?.state === 'reading');
    expect(await driver.watermarks('departures')).toHaveLength(2);
  });

  it('are left, taken up and keyed anew as contracts change, and stay as they are under a contract that cannot be used', async () => {
    await topicsOf(['departures', 'arrivals', 'departures-2']);
    await send(contract({ record: 'departures', label: 'arrivals' }));
    await start('0');
    await eventually('the first topic is read', () => stateOf('record')?.state === 'reading');
    await send(contract({ record: 'departures-2', label: 'arrivals' }, '2.0.0', ['id', 'leg']));
    await eventually('the second topic is read', () => stateOf('record')?.topic === 'departures-2' && stateOf('record')?.state === 'reading');
    await send(raw('departures', JSON.stringify({ id: 'old', at })), raw('departures-2', JSON.stringify({ id: 'new', leg: '1', at })));
    await eventually('the new one is accepted', async () => (await everything(recordAccepted)).length === 1);
    expect((await everything(recordAccepted)).map(({ data }) => data.recordId)).toEqual(['new|1']);

    const unusable = contract({ record: 'same', label: 'same' }, '3.0.0');
    await send(unusable, raw('departures-2', JSON.stringify({ id: 'next', leg: '2', at })));
    await eventually('the last good contract is still in force', async () => (await everything(recordAccepted)).length === 2);
    expect(streams.states()[0]?.contractVersion).toBe('2.0.0');

    await send({ ...unusable, value: null });
    await eventually('a withdrawn contract stops its pipes', () => streams.states().length === 0);
    expect(() => streams.intake('flights', 'record')).toThrow(MillraceError);
  });
});

describe('posts', () => {
  beforeEach(async () => {
    await send(contract({ record: 'departures', label: 'arrivals' }));
    await start('1');
  });

  it('are answered item by item, and what is refused is kept as well', async () => {
    const answer = await post.handle(streams.intake('flights', 'record'), [{ id: 'a', at }, { at }, 7, { id: 'b', at: 'noon' }], { requestId: 'q', traceparent: trace, cloudEvents: false });
    expect(answer).toMatchObject({ accepted: 1, items: [{ index: 0, recordId: 'a' }, { index: 1, code: 'RECORD_KEY_MISSING' }, { index: 2, code: 'RECORD_UNPARSABLE' }, { index: 3, code: 'RECORD_EVENT_TIME_INVALID' }] });
    expect((await everything(recordAccepted))[0]).toMatchObject({ traceparent: trace, data: { origin: { via: 'http', requestId: 'q', index: 0 } } });
    expect((await everything(recordRefused)).map(({ data }) => Buffer.from(data.payloadBase64, 'base64').toString()).sort()).toEqual(['7', '{"at":"2013-01-01T05:00:00Z"}', '{"id":"b","at":"noon"}']);
  });

  it('may be CloudEvents', async () => {
    const answer = await post.handle(streams.intake('flights', 'label'), [{ specversion: '1.0', id: 'e', type: 't', source: '/s', data: { id: 'a', at } }], { requestId: 'q', cloudEvents: true });
    expect(answer.items).toEqual([{ index: 0, recordId: 'a' }]);
  });

  it('to a stream that nobody knows are told so', () => {
    expect(() => streams.intake('trains', 'record')).toThrow(expect.objectContaining({ code: 'STREAM_UNKNOWN' }));
  });

  it('are not called accepted when the broker did not acknowledge', async () => {
    const silent = new PostRecordsHandler(new Proxy(messaging, { get: (target, name) => (name === 'publisher' ? async () => ({ send: () => Promise.reject(new Error('no leader')), close: async () => undefined }) : Reflect.get(target, name)) }), new AcceptRecordsHandler(messaging));
    await silent.onApplicationBootstrap();
    await expect(silent.handle(streams.intake('flights', 'record'), [{ id: 'a', at }], { requestId: 'q', cloudEvents: false })).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });
});
