// The thread that moves the spool to Kafka. It reads files that the main thread writes, and owns nothing: when it ends,
// however it ends, the next one asks Kafka how far this one came.
import { parentPort, workerData } from 'node:worker_threads';
import { KafkaDriver, Relay } from '@millrace/messaging/publishing';
import type { FromPublisher, PublisherOrder, ToPublisher } from './publisher-messages.js';
import { SpoolReader } from './spool/spool-reader.js';

const order = workerData as PublisherOrder; // written by the same build, in publisher-thread.ts
const tell = (message: FromPublisher): void => parentPort?.postMessage(message);

let { segments } = order;
const driver = new KafkaDriver({
  ...order.connection,
  compressHere: true,
  onLog: ({ level, message, details }) => tell({ kind: 'kafka', level: level === 'error' ? 'warn' : 'debug', message, details: JSON.stringify(details) }),
});
const relay = new Relay(driver, {
  id: order.relayId,
  source: new SpoolReader({ view: () => segments, onSettled: (settled) => tell({ kind: 'settled', settled }), reusesMemory: true, nowMs: () => Date.now() }),
  onFailure: (error, retryInMs) => tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error), retryInMs }),
});
relay.start();

async function stop(): Promise<void> {
  await relay.stop();
  await driver.close();
  parentPort?.close();
}

parentPort?.on('message', (message: ToPublisher) => {
  if (message.kind === 'stop') return void stop();
  segments = message.segments;
  relay.wake();
});
