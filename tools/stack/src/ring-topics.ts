import { createRingTopics, KafkaDriver } from '@millrace/messaging';
import type { Endpoints } from './endpoints.js';

/** Enough for two cores to share the work, few enough that a small broker stays small. */
const partitions = 4;

/** The usual `prepare` of a ring: every topic of the table that is not there yet. */
export async function createTopics(endpoints: Pick<Endpoints, 'kafka'>): Promise<void> {
  const driver = new KafkaDriver({ brokers: endpoints.kafka.split(','), clientId: 'millrace-stack' });
  try {
    await createRingTopics(driver, partitions);
  } finally {
    await driver.close();
  }
}
