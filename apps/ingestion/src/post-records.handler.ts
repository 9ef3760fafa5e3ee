import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { MillraceError, type ErrorCode } from '@millrace/contracts';
import { Messaging, type LogProducer, type OutgoingMessage } from '@millrace/messaging';
import { AcceptRecordsHandler, count, type Intake, type Origin } from './accept-records.handler.js';
import { fromCloudEvent, identify } from './parse-record.js';

export interface PostedItem {
  readonly index: number;
  readonly recordId?: string;
  readonly code?: ErrorCode;
  readonly error?: string;
}

export interface PostedRecords {
  readonly accepted: number;
  readonly items: readonly PostedItem[];
}

export interface PostContext {
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  /** The items are CloudEvents in structured mode. */
  readonly cloudEvents: boolean;
}

/** Takes in what was posted and answers only after the broker has acknowledged it, refusals included. */
@Injectable()
export class PostRecordsHandler implements OnApplicationBootstrap {
  private publisher: LogProducer | undefined;

  constructor(
    private readonly messaging: Messaging,
    private readonly acceptRecords: AcceptRecordsHandler,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.publisher = await this.messaging.publisher();
  }

  async handle(intake: Intake, posted: readonly unknown[], context: PostContext): Promise<PostedRecords> {
    const receivedAt = this.messaging.now().toISOString();
    const items: PostedItem[] = [];
    const messages: OutgoingMessage[] = [];
    const refusals = new Map<string, number>();
    posted.forEach((item, index) => {
      const origin: Origin = { via: 'http', requestId: context.requestId, index };
      const at = { origin, receivedAt, id: `${context.requestId}#${index}`, traceparent: context.traceparent };
      const payload = Buffer.from(JSON.stringify(item));
      try {
        const record = recordOf(item, payload.length, intake, context.cloudEvents);
        messages.push(this.acceptRecords.accepted(intake, record, at));
        items.push({ index, recordId: record.recordId });
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1);
        messages.push(this.acceptRecords.refused(intake, error, payload, { ...at, key: at.id }));
        items.push({ index, code: error.code, error: error.message });
      }
    });
    await this.publish(messages);
    count(intake, 'http', items.length, refusals);
    return { accepted: items.filter(({ recordId }) => recordId !== undefined).length, items };
  }

  private async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    if (this.publisher === undefined) throw new MillraceError('DEPENDENCY_UNAVAILABLE', 'The connection to Kafka is not open yet.');
    try {
      await this.publisher.send(messages);
    } catch (cause) {
      throw new MillraceError('DEPENDENCY_UNAVAILABLE', 'Kafka did not acknowledge; the records may or may not have been taken in. Send them again: duplicates are settled by record id.', { cause });
    }
  }
}

function recordOf(item: unknown, bytes: number, intake: Intake, cloudEvents: boolean) {
  if (bytes > intake.bytesMax) throw new MillraceError('RECORD_TOO_LARGE', `${bytes} bytes; the limit is ${intake.bytesMax}`);
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new MillraceError('RECORD_UNPARSABLE', 'not a JSON object');
  const value = item as Record<string, unknown>;
  if (!cloudEvents) return identify(value, intake.identity);
  return identify(fromCloudEvent(value).value, intake.identity);
}
