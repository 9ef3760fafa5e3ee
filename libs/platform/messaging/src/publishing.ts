// For threads and tools that only move prepared messages to Kafka: no Nest, no database, a fifth of the memory.
export type { LogConnection, OutgoingMessage } from './driver.js';
export { KafkaDriver } from './kafka/kafka.driver.js';
export { preparedMessages } from './kafka/record-bytes.js';
export { Relay, type RelaySource } from './relay.js';
