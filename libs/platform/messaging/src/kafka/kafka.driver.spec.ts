import { describeLogDriver } from '../testing/driver.conformance.fixture.js';
import { KafkaDriver } from './kafka.driver.js';

describeLogDriver('kafka', async () => {
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set: run `npm test`, which starts a broker');
  return new KafkaDriver({ brokers: brokers.split(','), clientId: 'conformance' });
});
