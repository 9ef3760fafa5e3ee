import { isUtf8 } from 'node:buffer';
import { MillraceError } from '@millrace/contracts';

/** Where a contract says a record’s identity and time stand. Several key fields are joined by `|`. */
export interface RecordIdentity {
  readonly keyFields: readonly string[];
  readonly eventTimeField: string;
}

export interface ParsedRecord {
  readonly recordId: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly eventTime: string;
  readonly value: Record<string, unknown>;
  /** The CloudEvents id, when it came as a CloudEvent. */
  readonly eventId?: string;
}

/** Key, CloudEvents subject and value all repeat the id. */
const recordIdCharsMax = 1_024;
const eventIdCharsMax = 256;
const isoTime = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?$/;
const utcMilliseconds = 24;
const maxDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JavaScript’s Date rolls 30 February over into March; a calendar does not. */
function isOnCalendar(year: number, month: number, day: number): boolean {
  if (day < 1 || day > (maxDays[month - 1] ?? 0)) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/**
 * A UTC instant in milliseconds from ISO 8601 with a zone, or from a date (its midnight, UTC). A time without a zone is
 * refused: guessing one would move records by hours in silence. Finer fractions are cut to milliseconds.
 * @throws MillraceError RECORD_EVENT_TIME_INVALID
 */
export function normaliseEventTime(value: unknown, field: string): string {
  const parts = typeof value === 'string' ? isoTime.exec(value) : null;
  if (typeof value === 'string' && parts !== null && isOnCalendar(Number(parts[1]), Number(parts[2]), Number(parts[3])) && parts[4] !== '24') {
    const epochMs = Date.parse(value);
    if (!Number.isNaN(epochMs)) {
      if (value.length === utcMilliseconds && value.endsWith('Z')) return value;
      const time = new Date(epochMs).toISOString();
      if (time.length === utcMilliseconds) return time;
    }
  }
  const shown = value === undefined ? 'is missing' : `is ${JSON.stringify(value)?.slice(0, 80)}, which is no ISO 8601 time with a zone`;
  throw new MillraceError('RECORD_EVENT_TIME_INVALID', `the event time, field ${JSON.stringify(field)}, ${shown}`);
}

function keyPart(value: unknown, field: string): string {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    // 9007199254740993 would be read as …992: two records would share one identity.
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return String(value);
    throw new MillraceError('RECORD_KEY_MISSING', `the key field ${JSON.stringify(field)} is an integer beyond 2^53; send it as a string`);
  }
  const found = value === undefined ? 'missing' : value === null ? 'null' : value === '' ? 'empty' : typeof value === 'string' ? 'a text with a NUL character' : 'no string, number or boolean';
  throw new MillraceError('RECORD_KEY_MISSING', `the key field ${JSON.stringify(field)} is ${found}`);
}

/** @throws MillraceError RECORD_KEY_MISSING or RECORD_EVENT_TIME_INVALID. The value itself is passed through untouched. */
export function identify(value: Record<string, unknown>, identity: RecordIdentity, eventId?: string): ParsedRecord {
  const { keyFields, eventTimeField } = identity;
  const [only] = keyFields;
  const recordId = keyFields.length === 1 && only !== undefined ? keyPart(value[only], only) : keyFields.map((field) => keyPart(value[field], field)).join('|');
  if (recordId.length > recordIdCharsMax) throw new MillraceError('RECORD_KEY_MISSING', `the key is ${recordId.length} characters long; the limit is ${recordIdCharsMax}`);
  const eventTime = normaliseEventTime(value[eventTimeField], eventTimeField);
  return eventId === undefined ? { recordId, eventTime, value } : { recordId, eventTime, value, eventId: eventId.slice(0, eventIdCharsMax) };
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('RECORD_UNPARSABLE', `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (!isObject(value)) throw new MillraceError('RECORD_UNPARSABLE', `JSON, but ${Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`} where an object is needed`);
  return value;
}

/** Unwraps a CloudEvent in structured mode: `data`, or `data_base64` that holds JSON. */
export function fromCloudEvent(envelope: Record<string, unknown>): { value: Record<string, unknown>; eventId: string } {
  const { specversion, id, data, data_base64: encoded } = envelope;
  if (typeof specversion !== 'string' || typeof id !== 'string' || id === '') throw new MillraceError('RECORD_UNPARSABLE', 'a structured CloudEvent without specversion or id');
  if (isObject(data)) return { value: data, eventId: id };
  if (typeof encoded === 'string') return { value: objectOf(Buffer.from(encoded, 'base64').toString('utf8')), eventId: id };
  throw new MillraceError('RECORD_UNPARSABLE', 'a structured CloudEvent whose data is no JSON object');
}

/**
 * What a producer wrote to Kafka: a plain JSON object, or a CloudEvent in binary mode (`ce_` headers, the value is the
 * data) or structured mode (content-type application/cloudevents+json, the value is the envelope).
 * @throws MillraceError RECORD_UNPARSABLE, RECORD_TOO_LARGE, RECORD_KEY_MISSING or RECORD_EVENT_TIME_INVALID
 */
export function parseRecord(bytes: Buffer | null, headers: Readonly<Record<string, string>>, identity: RecordIdentity, bytesMax: number): ParsedRecord {
  if (bytes === null) throw new MillraceError('RECORD_UNPARSABLE', 'no value (a tombstone)');
  if (bytes.length > bytesMax) throw new MillraceError('RECORD_TOO_LARGE', `${bytes.length} bytes; the limit is ${bytesMax}`);
  if (!isUtf8(bytes)) throw new MillraceError('RECORD_UNPARSABLE', 'not UTF-8');
  const value = objectOf(bytes.toString('utf8'));
  if (headers['content-type']?.startsWith('application/cloudevents+json') === true) {
    const event = fromCloudEvent(value);
    return identify(event.value, identity, event.eventId);
  }
  return identify(value, identity, headers['ce_id']);
}
