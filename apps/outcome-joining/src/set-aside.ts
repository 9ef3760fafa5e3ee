import { eventRefused, type MillraceError } from '@millrace/contracts';
import type { Messaging, OutgoingMessage, Received } from '@millrace/messaging';

/** An event that this room can never use goes to the refused topic with its story; the rest of its batch goes on. */
export function setAside(event: Received<object>, error: MillraceError, purpose: string, messaging: Messaging): OutgoingMessage {
  const { topic, partition, offset, id, time, key } = event;
  const group = messaging.group(purpose);
  return messaging.encode(
    eventRefused,
    {
      service: 'outcome-joining',
      group,
      code: error.code,
      reason: error.message,
      topic,
      partition,
      offset,
      headers: { ce_id: id, ce_time: time, ce_type: topic },
      payloadBase64: Buffer.from(JSON.stringify(event.data)).toString('base64'),
      refusedAt: messaging.now().toISOString(),
    },
    { key, id: `refused:${group}:${topic}/${partition}@${offset}` },
  );
}
