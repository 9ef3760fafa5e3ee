import { Injectable } from '@nestjs/common';
import { MillraceError, recordAccepted, recordRefused, type RecordAccepted, type RecordRefused } from '@millrace/contracts';
import { Messaging, type Delivery, type OutgoingMessage } from '@millrace/messaging';
import { ingestionMetrics } from './ingestion.metrics.js';
import { parseRecord, type ParsedRecord, type RecordIdentity } from './parse-record.js';

export type RecordKind = 'record' | 'label';
export type Origin = RecordAccepted['origin'];

/** One stream’s record side or label side: what decides how its bytes become records. */
export interface Intake {
  readonly stream: string;
  readonly kind: RecordKind;
  readonly identity: RecordIdentity;
  readonly bytesMax: number;
}

/** What an accepted event holds besides the value: ids, times, origin. */
const envelopeBytesMax = 16_384;
/** Of a payload that is too large to carry, operators still get the beginning. */
const refusedPayloadBytesMax = 65_536;

/** Gives each record its identity, or its refusal with the reason; a batch in, a message per record out. */
@Injectable()
export class AcceptRecordsHandler {
  constructor(private readonly messaging: Messaging) {}

  /** A batch of one producer partition. */
  handle(deliveries: readonly Delivery[], intake: Intake): OutgoingMessage[] {
    const receivedAt = this.messaging.now().toISOString();
    const messages: OutgoingMessage[] = [];
    const refusals = new Map<string, number>();
    for (const delivery of deliveries) {
      const { topic, partition, offset, headers, value } = delivery;
      const id = `${topic}/${partition}@${offset}`;
      const traceparent = traceparentOf(headers);
      try {
        const record = parseRecord(value, headers, intake.identity, intake.bytesMax);
        const origin: Origin = record.eventId === undefined ? { via: 'kafka', topic, partition, offset } : { via: 'kafka', topic, partition, offset, eventId: record.eventId };
        messages.push(this.accepted(intake, record, { origin, receivedAt, id, traceparent }));
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1);
        messages.push(this.refused(intake, error, value ?? Buffer.alloc(0), { origin: { via: 'kafka', topic, partition, offset }, receivedAt, id, traceparent, key: delivery.key ?? id }));
      }
    }
    count(intake, 'kafka', messages.length, refusals);
    return messages;
  }

  accepted(intake: Intake, record: ParsedRecord, at: { origin: Origin; receivedAt: string; id: string; traceparent?: string | undefined }): OutgoingMessage {
    const { recordId, eventTime, value } = record;
    const message = this.messaging.encode(
      recordAccepted,
      { stream: intake.stream, kind: intake.kind, recordId, eventTime, receivedAt: at.receivedAt, value, origin: at.origin },
      { key: recordId, id: `accepted:${intake.stream}:${intake.kind}:${at.id}`, traceparent: at.traceparent },
    );
    // 1e20 takes 4 bytes as it came and 21 as it is written again.
    if ((message.value?.length ?? 0) > intake.bytesMax + envelopeBytesMax) throw new MillraceError('RECORD_TOO_LARGE', `${message.value?.length} bytes once its numbers are written out; the limit is ${intake.bytesMax}`);
    return message;
  }

  refused(intake: Intake, error: MillraceError, payload: Buffer, at: { origin: Origin; receivedAt: string; id: string; key: string; traceparent?: string | undefined }): OutgoingMessage {
    const cut = payload.length > intake.bytesMax;
    const refusal: RecordRefused = {
      stream: intake.stream,
      kind: intake.kind,
      code: error.code,
      reason: cut ? `${error.message}; only its first ${refusedPayloadBytesMax} bytes are kept` : error.message,
      payloadBase64: (cut ? payload.subarray(0, refusedPayloadBytesMax) : payload).toString('base64'),
      origin: at.origin,
      refusedAt: at.receivedAt,
    };
    return this.messaging.encode(recordRefused, refusal, { key: at.key, id: `refused:${intake.stream}:${intake.kind}:${at.id}`, traceparent: at.traceparent });
  }
}

/** W3C trace context, version 00: 55 characters. Anything else is not passed on. */
export function traceparentOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const value = headers['traceparent'];
  return value !== undefined && value.length <= 64 ? value : undefined;
}

/** Counted when the batch is made; a batch whose transaction fails is counted again when it is tried again. */
export function count(intake: Intake, via: 'kafka' | 'http', total: number, refusals: ReadonlyMap<string, number>): void {
  const { stream, kind } = intake;
  let refused = 0;
  for (const [code, n] of refusals) {
    ingestionMetrics.refused.inc({ stream, kind, via, code }, n);
    refused += n;
  }
  if (total > refused) ingestionMetrics.accepted.inc({ stream, kind, via }, total - refused);
}
