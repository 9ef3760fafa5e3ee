import { contractChanged, recordAccepted, recordQuarantined, recordRefused, batchJudged, canonicalJson, sha256Hex, type DataOf, type EventDefinition } from '@millrace/contracts';
import { createRingTopics, decodeEvent, encodeEvent, judgeBatch, Messaging, type LogDriver, type OutgoingMessage, type Received } from '@millrace/messaging';
import { MemoryDriver } from '@millrace/messaging/testing';
import { ServiceLog } from '@millrace/service';
import type { ObjectStore } from '@millrace/storage';
import type { DataSource } from 'typeorm';
import { AccountingStore } from './accounting.store.js';
import { ArchiveRecordsHandler } from './archive-records.handler.js';
import { ContractStore } from './contract.store.js';
import { ContractsInForce } from './contracts-in-force.js';
import { CountRefusedHandler } from './count-refused.handler.js';
import { FindRecordHandler } from './find-record.handler.js';
import { JudgeRecordsHandler } from './judge-records.handler.js';
import { KeepQuarantinedHandler } from './keep-quarantined.handler.js';
import { QualityStore } from './quality.store.js';
import { QuarantineStore } from './quarantine.store.js';
import { RecordQualityHandler } from './record-quality.handler.js';
import { ReplayQuarantineHandler } from './replay-quarantine.handler.js';
import { SegmentStore } from './segment.store.js';

export const partitions = 2;
const now = () => new Date();

export async function ringInMemory(): Promise<MemoryDriver> {
  const driver = new MemoryDriver();
  await createRingTopics(driver, partitions);
  return driver;
}

/** A driver that outlives its users, as a broker does: closing the messaging of one service leaves it open. */
function shared(driver: MemoryDriver): LogDriver {
  return {
    createTopics: (topics) => driver.createTopics(topics),
    consume: (options) => driver.consume(options),
    producer: () => driver.producer(),
    transactionalProducer: (id) => driver.transactionalProducer(id),
    committedOffset: (group, topic, partition) => driver.committedOffset(group, topic, partition),
    watermarks: (topic) => driver.watermarks(topic),
    close: async () => undefined,
  };
}

export interface ServiceParts {
  readonly driver: MemoryDriver;
  readonly database: DataSource;
  readonly objects: ObjectStore;
  readonly segments?: SegmentStore;
  readonly segmentRowsMax?: number;
}

/** The whole of data-validation without its HTTP edge and without Nest, on a memory log and a real database. */
export async function startValidation({ driver, database, objects, segments = new SegmentStore(database), segmentRowsMax = 100 }: ServiceParts) {
  const settings = { storageUrl: '', segmentRowsMax, segmentMsMax: 50, brokenJudgedMin: 50 };
  const messaging = new Messaging({ service: 'data-validation', driver: shared(driver), database, now, log: { warn: () => undefined } });
  const contracts = new ContractsInForce(messaging, new ContractStore(database), new ServiceLog('data-validation', 'silent'));
  const quarantine = new QuarantineStore(database);
  const accounting = new AccountingStore(database);
  const judge = new JudgeRecordsHandler(messaging, contracts);
  const reader = { service: 'data-validation', group: 'data-validation.judge', now };
  await new ArchiveRecordsHandler(messaging, contracts, segments, objects, settings).onApplicationBootstrap();
  await messaging.pipe('judge', { topics: [recordAccepted.type], transform: (deliveries) => judge.handle(judgeBatch(recordAccepted, deliveries, reader).events) });
  const keep = new KeepQuarantinedHandler(quarantine);
  await messaging.fold('quarantine', { event: recordQuarantined, apply: (events, transaction) => keep.handle(events, transaction) });
  const quality = new RecordQualityHandler(messaging, contracts, new QualityStore(database), settings);
  await messaging.fold('quality', { event: batchJudged, apply: (events, transaction) => quality.handle(events, transaction) });
  const refused = new CountRefusedHandler(accounting);
  await messaging.fold('refused', { event: recordRefused, apply: (events, transaction) => refused.handle(events, transaction) });
  messaging.startOutbox();
  return {
    messaging,
    contracts,
    accounting,
    quarantine,
    segments: new SegmentStore(database),
    quality: new QualityStore(database),
    replay: new ReplayQuarantineHandler(messaging, contracts, quarantine),
    find: new FindRecordHandler(new SegmentStore(database), objects),
    stop: () => messaging.stop(),
  };
}

export async function publish(driver: LogDriver, messages: readonly OutgoingMessage[]): Promise<void> {
  await (await driver.producer()).send(messages);
}

export function emit<D extends EventDefinition>(definition: D, data: DataOf<D>, key: string): OutgoingMessage {
  return encodeEvent(definition, data, { key, source: '/millrace/spec', time: '2013-01-01T00:00:00.000Z' });
}

/** Everything a topic holds, in the order of each partition. */
export async function collect<D extends EventDefinition>(driver: LogDriver, definition: D): Promise<Received<DataOf<D>>[]> {
  const found: Received<DataOf<D>>[] = [];
  const goals = new Map((await driver.watermarks(definition.type)).filter(({ high }) => high > 0).map(({ partition, high }) => [partition, high]));
  if (goals.size === 0) return found;
  await new Promise<void>((resolve, reject) => {
    driver
      .consume({
        group: `spec.${Math.round(performance.now() * 1e6)}`,
        topics: [definition.type],
        onBatch: async (deliveries) => void found.push(...deliveries.map((delivery) => decodeEvent(definition, delivery))),
        onPosition: ({ partition, offset }) => {
          if (offset >= (goals.get(partition) ?? 0)) goals.delete(partition);
          if (goals.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  return found;
}

const side = (name: string, topic: string, properties: object[], custom: object[] = []) => ({
  name,
  physicalName: topic,
  customProperties: [{ property: 'eventTime', value: 'at' }, ...custom],
  properties: [{ name: 'id', logicalType: 'string', primaryKey: true }, { name: 'at', logicalType: 'timestamp', required: true }, ...properties],
});

/** Distances up to 5,000; a twentieth of a day may be quarantined. */
export function contractOf(stream: string, version = '1.0.0'): OutgoingMessage {
  const document = {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: stream,
    version,
    schema: [
      side('record', `${stream}.records`, [{ name: 'distance', logicalType: 'number', required: true, logicalTypeOptions: { maximum: 5_000 } }, { name: 'date', logicalType: 'string' }, { name: 'hour', logicalType: 'integer' }], [{ property: 'quarantineShareMax', value: 0.05 }]),
      side('label', `${stream}.labels`, [{ name: 'late', logicalType: 'boolean', required: true }]),
    ],
  };
  return emit(contractChanged, { stream, version, sha256: sha256Hex(canonicalJson(document)), document, changedAt: '2013-01-01T00:00:00.000Z' }, stream);
}

export function accepted(stream: string, recordId: string, more: Record<string, unknown> = {}, eventTime = '2013-01-01T05:00:00.000Z'): OutgoingMessage {
  const value = { id: recordId, at: eventTime, distance: 100, ...more };
  return emit(recordAccepted, { stream, kind: 'record', recordId, eventTime, receivedAt: eventTime, value, origin: { via: 'http', requestId: 'r', index: 0 } }, recordId);
}
