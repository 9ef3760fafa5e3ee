import { eventRefused, MillraceError, type DataOf, type EventDefinition } from '@millrace/contracts';
import type { Delivery, OutgoingMessage } from './driver.js';
import { decodeEvent, encodeEvent, type Received } from './envelope.js';

export interface Reader {
  readonly service: string;
  readonly group: string;
  readonly now: () => Date;
}

/** Sets one delivery aside with its story: reason, origin and the bytes themselves. */
export function refuse(delivery: Delivery, error: MillraceError, reader: Reader): OutgoingMessage {
  const { topic, partition, offset, headers, value, key } = delivery;
  const refusedAt = reader.now().toISOString();
  return encodeEvent(
    eventRefused,
    {
      service: reader.service,
      group: reader.group,
      code: error.code,
      reason: error.message,
      topic,
      partition,
      offset,
      headers: { ...headers },
      payloadBase64: (value ?? Buffer.alloc(0)).toString('base64'),
      refusedAt,
    },
    { key: key ?? `${topic}/${partition}`, source: `/millrace/${reader.service}`, time: refusedAt, id: `refused:${reader.group}:${topic}/${partition}@${offset}` },
  );
}

/** Parts a batch into events that match their schema and messages that tell of those that do not. Tombstones are passed over. */
export function judgeBatch<D extends EventDefinition>(definition: D, deliveries: readonly Delivery[], reader: Reader): { events: Received<DataOf<D>>[]; refused: OutgoingMessage[] } {
  const events: Received<DataOf<D>>[] = [];
  const refused: OutgoingMessage[] = [];
  for (const delivery of deliveries) {
    if (delivery.value === null) continue;
    try {
      events.push(decodeEvent(definition, delivery));
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      refused.push(refuse(delivery, error, reader));
    }
  }
  return { events, refused };
}
