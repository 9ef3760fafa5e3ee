/**
 * Goal: a range that retention has taken is named as such, with the earliest offset that is still there.
 * Method: a real topic whose first records are deleted by the broker, as retention would.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { readRanges } from '../read-ranges.js';
import { KafkaDriver } from './kafka.driver.js';

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');

describe('a log with retention', () => {
  const driver = new KafkaDriver({ brokers, clientId: 'retention' });
  const admin = new Kafka({ clientId: 'retention', brokers, logLevel: logLevel.NOTHING }).admin();
  afterAll(async () => {
    await admin.disconnect();
    await driver.close();
  });

  it('reads what is left, and names the earliest offset of what is not', async () => {
    const topic = `retention-${randomUUID().slice(0, 8)}`;
    await driver.createTopics([{ topic, partitions: 1, cleanup: 'delete' }]);
    const producer = await driver.producer();
    await producer.send(Array.from({ length: 20 }, (_, index) => ({ topic, key: 'k', headers: {}, value: Buffer.from(String(index)) })));
    await producer.close();
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '8' }] });
    await expect(readRanges(driver, topic, [{ partition: 0, fromOffset: 3, toOffset: 12 }], () => undefined)).rejects.toMatchObject({
      code: 'OFFSETS_UNAVAILABLE', message: `${topic}/0 no longer holds [3, 12): its earliest offset is 8 (retention)`, details: { earliestOffset: 8 },
    });
    const seen: string[] = [];
    await readRanges(driver, topic, [{ partition: 0, fromOffset: 8, toOffset: 12 }], (batch) => seen.push(...batch.map(({ value }) => String(value))));
    expect(seen).toEqual(['8', '9', '10', '11']);
  });
});
