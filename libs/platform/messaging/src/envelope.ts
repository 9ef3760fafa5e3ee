import { randomUUID } from 'node:crypto';
import { MillraceError, matches, mistakesOf, type DataOf, type EventDefinition } from '@millrace/contracts';
import type { Delivery, OutgoingMessage } from './driver.js';

/** An event of the ring as its reader gets it: the data, judged, and where it stands in the log. */
export interface Received<Data> {
  readonly data: Data;
  readonly id: string;
  readonly time: string;
  readonly key: string;
  readonly traceparent: string | undefined;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface EventOptions {
  readonly key: string;
  /** `/millrace/<service>` */
  readonly source: string;
  /** Default: a random UUID. Events that may be published twice need an id that follows from what they tell. */
  readonly id?: string;
  readonly time: string;
  readonly traceparent?: string | undefined;
}

/** CloudEvents 1.0, Kafka protocol binding, binary mode: attributes as `ce_` headers, data as JSON value. */
export function encodeEvent<D extends EventDefinition>(definition: D, data: DataOf<D>, options: EventOptions): OutgoingMessage {
  return wrapEvent(definition, JSON.stringify(data), options);
}

/** For data that was turned into JSON text before, such as what waited in a spool. */
export function wrapEvent(definition: EventDefinition, json: string, options: EventOptions): OutgoingMessage {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: options.id ?? randomUUID(),
    ce_type: definition.type,
    ce_source: options.source,
    ce_time: options.time,
    ce_subject: options.key,
    'content-type': 'application/json',
  };
  if (options.traceparent !== undefined) headers['traceparent'] = options.traceparent;
  return { topic: definition.type, key: options.key, headers, value: Buffer.from(json) };
}

/** @throws MillraceError EVENT_INVALID with every mistake: the event belongs on the refused topic. */
export function decodeEvent<D extends EventDefinition>(definition: D, delivery: Delivery): Received<DataOf<D>> {
  const { topic, partition, offset, headers } = delivery;
  const place = `${topic}/${partition}@${offset}`;
  let data: unknown;
  try {
    data = JSON.parse(delivery.value === null ? 'null' : delivery.value.toString('utf8'));
  } catch (cause) {
    throw new MillraceError('EVENT_INVALID', `${place} is no JSON`, { cause });
  }
  if (!matches(definition.schema, data)) {
    const mistakes = mistakesOf(definition.schema, data);
    const list = mistakes.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new MillraceError('EVENT_INVALID', `${place} is no ${definition.type}: ${list}`, { mistakes });
  }
  return {
    data: readAs(definition, data, place),
    id: headers['ce_id'] ?? place,
    time: headers['ce_time'] ?? new Date(delivery.timestampMs).toISOString(),
    key: delivery.key ?? '',
    traceparent: headers['traceparent'],
    topic,
    partition,
    offset,
  };
}

function readAs<D extends EventDefinition>({ type, read }: D, data: DataOf<D>, place: string): DataOf<D> {
  if (read === undefined) return data;
  try {
    return read(data) as DataOf<D>;
  } catch (cause) {
    throw new MillraceError('EVENT_INVALID', `${place} is no ${type} that this release can read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
