// Goal: the thread that publishes may end at any time: another takes its place, and Kafka has every record of the spool once.
// Method: a real Kafka, a real spool, the built thread; it is ended again and again while records are appended. What is in
//   the topic is read back and compared with what was appended.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { register } from 'prom-client';
import { predictionServed } from '@millrace/contracts';
import { createRingTopics, KafkaDriver, RecordBytes, recordForm } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { PublisherThread } from './publisher-thread.js';
import { Spool } from './spool/spool.js';

const form = recordForm(predictionServed, '/millrace/spec');
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const folders: string[] = [];
let driver: KafkaDriver;
let connection: KafkaDriver['connection'];

beforeAll(async () => {
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set: run `npm test`, which starts a broker');
  connection = { brokers: brokers.split(','), clientId: 'publisher-spec' };
  driver = new KafkaDriver(connection);
  await createRingTopics(driver, 2);
});
afterAll(() => driver.close());
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function openSpool(): { spool: Spool; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'publisher-'));
  folders.push(folder);
  return { spool: new Spool({ folder, bytesMax: 10_000_000, segmentBytes: 20_000, nowMs: () => Date.now() }), folder };
}

/** Keys of the records whose id begins so, as they stand in the topic. */
async function follow(mark: string): Promise<{ keys: string[]; stop(): Promise<void> }> {
  const keys: string[] = [];
  const consumption = await driver.consume({
    group: `look-${mark}`,
    topics: [predictionServed.type],
    onBatch: async (deliveries) => {
      for (const { key, headers } of deliveries) if (headers['ce_id']?.startsWith(mark) === true) keys.push(key ?? '');
    },
  });
  return { keys, stop: () => consumption.stop() };
}

async function restarts(): Promise<number> {
  const metric = await register.getSingleMetric('millrace_prediction_log_publisher_restarts_total')?.get();
  return metric?.values[0]?.value ?? 0;
}

describe('PublisherThread', () => {
  it('publishes every record once although its thread is ended again and again', async () => {
    const mark = randomUUID();
    const { spool, folder } = openSpool();
    const thread = new PublisherThread(spool, { connection, relayId: `spec.${mark}` }, silent);
    const before = await restarts();
    const log = await follow(mark);
    let appended = 0;
    const append = (): void => {
      const records = new RecordBytes();
      for (let each = 0; each < 20; each += 1) records.add(form, { key: `k${(appended += 1)}`, id: `${mark}.${appended}`, time: '2026-01-01T00:00:00Z', traceparent: undefined, json: Buffer.from(`{"number":${appended}}`) });
      expect(spool.append([records.view(0, records.length)])).toBe(true);
    };
    thread.start();
    append();
    await eventually('the first records are in Kafka', () => log.keys.length === 20);
    for (let round = 1; round <= 3; round += 1) {
      for (let count = 0; count < 10; count += 1) append();
      await thread.recycle();
      append();
      await eventually(`thread ${round} was replaced, and nothing waits`, async () => (await restarts()) >= before + round && spool.waitingBytes === 0);
    }
    await thread.stop();
    await eventually('all are in Kafka', () => log.keys.length >= appended);
    await log.stop();
    expect([...log.keys].sort()).toEqual(Array.from({ length: appended }, (_, index) => `k${index + 1}`).sort());
    expect(readdirSync(folder).filter((name) => name.endsWith('.spool')).length).toBe(1);
    spool.close();
  });

  it('publishes what waits before it stops', async () => {
    const mark = randomUUID();
    const { spool } = openSpool();
    const thread = new PublisherThread(spool, { connection, relayId: `spec.${mark}` }, silent);
    const log = await follow(mark);
    thread.start();
    const records = new RecordBytes();
    records.add(form, { key: 'last é', id: `${mark}.1`, time: '2026-01-01T00:00:00Z', traceparent: undefined, json: Buffer.from('{}') });
    spool.append([records.view(0, records.length)]);
    await thread.stop();
    expect(spool.waitingBytes).toBe(0);
    await eventually('it is in Kafka', () => log.keys.length === 1);
    await log.stop();
    expect(log.keys).toEqual(['last é']);
    spool.close();
  });
});
