import type { Messaging } from '@millrace/messaging';
import type { Log } from '../data-plane/log.js';
import { PublisherThread } from './publisher-thread.js';
import type { Spool } from './spool/spool.js';
import { SpoolReader } from './spool/spool-reader.js';

/**
 * Moves the spool to Kafka from now until `messaging` stops: in a thread of its own, so that encoding, compressing and
 * sending never hold up an answer. A log in this thread’s memory is served from this thread.
 */
export function publishSpool(spool: Spool, messaging: Messaging, log: Log): void {
  const { connection } = messaging.driver;
  const name = `spool.${spool.instance}`;
  if (connection === undefined) {
    const reader = new SpoolReader({ view: () => spool.view(), onSettled: (settled) => spool.trim(settled), gatherMs: 20, nowMs: () => messaging.now().getTime() });
    messaging.relay(name, reader, 25);
    return;
  }
  const thread = new PublisherThread(spool, { connection, relayId: messaging.group(name) }, log);
  thread.start();
  messaging.adopt(thread);
}
