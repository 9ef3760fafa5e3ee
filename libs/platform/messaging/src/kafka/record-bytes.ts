import type { EventDefinition } from '@millrace/contracts';
import type { OutgoingMessage } from '../driver.js';
import { varintSize, writeVarint, zigZag } from './record-encoder.js';

/** A text with its length before it, as a record has it. */
function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = zigZag(bytes.length);
  const all = Buffer.alloc(varintSize(length) + bytes.length);
  all.set(bytes, writeVarint(all, 0, length));
  return all;
}

/** What every record of one kind says: its topic, and the headers that do not differ. */
export interface RecordForm {
  readonly start: Buffer;
  readonly headers: Buffer;
}

/** @param source of the CloudEvents, `/millrace/<service>`. */
export function recordForm({ type }: EventDefinition, source: string): RecordForm {
  const headers = ['ce_specversion', '1.0', 'ce_type', type, 'ce_source', source, 'content-type', 'application/json'];
  return { start: sized(type), headers: Buffer.concat(headers.map(sized)) };
}

const names = { id: sized('ce_id'), time: sized('ce_time'), subject: sized('ce_subject'), sequence: sized('ce_sequence'), traceparent: sized('traceparent') };
const headersAlways = 7;

export interface RecordParts {
  readonly key: string;
  readonly id: string;
  readonly time: string;
  readonly traceparent: string | undefined;
  /** Its place among the records that its process has made. */
  readonly sequence?: string;
  /** The data. */
  readonly json: Uint8Array;
}

const startBytes = 128 * 1024;
/** What a larger turn needed is given back after it. */
const keptBytesMax = 1024 * 1024;
/** Up to it, a loop is quicker than the call that copies. */
const loopedBytesMax = 48;

const bytesWithLength = (length: number): number => varintSize(zigZag(length)) + length;

function utf8Length(text: string): number {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) >= 0x80) return Buffer.byteLength(text);
  return text.length;
}

/**
 * Events as they wait to be sent, laid out one after the other in memory that is used again: topic, then key, value and
 * headers as a record of Kafka has them, each with its length. Read back by `preparedMessages`.
 */
export class RecordBytes {
  private bytes = Buffer.allocUnsafeSlow(startBytes);
  private used = 0;

  get length(): number {
    return this.used;
  }

  /** Good until the next `add` or `cut`. */
  view(from: number, to: number): Buffer {
    return this.bytes.subarray(from, to);
  }

  /** Forgets what was added beyond this length. */
  cut(length: number): void {
    this.used = length;
    if (length === 0 && this.bytes.length > keptBytesMax) this.bytes = Buffer.allocUnsafeSlow(startBytes);
  }

  /** `id`, `time`, `sequence` and `traceparent` must be ASCII. */
  add({ start, headers }: RecordForm, { key, id, time, traceparent, sequence, json }: RecordParts): void {
    const keyLength = utf8Length(key);
    const counted = sequence === undefined ? 0 : names.sequence.length + bytesWithLength(sequence.length);
    const traced = traceparent === undefined ? 0 : names.traceparent.length + bytesWithLength(traceparent.length);
    const count = zigZag(headersAlways + (counted === 0 ? 0 : 1) + (traced === 0 ? 0 : 1));
    const common = headers.length + names.id.length + bytesWithLength(id.length) + names.time.length + bytesWithLength(time.length) + names.subject.length + bytesWithLength(keyLength);
    const body = bytesWithLength(keyLength) + bytesWithLength(json.length) + varintSize(count) + common + counted + traced;
    this.reserve(start.length + bytesWithLength(body));
    this.raw(start);
    this.varint(zigZag(body));
    this.text(key, keyLength);
    this.varint(zigZag(json.length));
    this.raw(json);
    this.varint(count);
    this.raw(headers);
    this.header(names.id, id, id.length);
    this.header(names.time, time, time.length);
    this.header(names.subject, key, keyLength);
    if (sequence !== undefined) this.header(names.sequence, sequence, sequence.length);
    if (traceparent !== undefined) this.header(names.traceparent, traceparent, traceparent.length);
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.used + more, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }

  private varint(value: number): void {
    this.used = writeVarint(this.bytes, this.used, value);
  }

  private raw(source: Uint8Array): void {
    const { bytes, used } = this;
    if (source.length > loopedBytesMax) bytes.set(source, used);
    else for (let at = 0; at < source.length; at += 1) bytes[used + at] = source[at] ?? 0;
    this.used = used + source.length;
  }

  private header(name: Buffer, value: string, length: number): void {
    this.raw(name);
    this.text(value, length);
  }

  /** @param length of the text in UTF-8. */
  private text(text: string, length: number): void {
    this.varint(zigZag(length));
    const { bytes, used } = this;
    if (length > loopedBytesMax || length !== text.length) bytes.write(text, used, 'utf8');
    else for (let at = 0; at < length; at += 1) bytes[used + at] = text.charCodeAt(at);
    this.used = used + length;
  }
}

class Reader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  length(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new RangeError('a prepared record ends within a length');
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value / 2;
      scale *= 128;
    }
  }

  /** Passes over these very bytes with their length, if they are what comes next. */
  skipped(expected: Buffer): boolean {
    const start = this.at;
    const length = this.length();
    const end = this.at + length;
    const same = length > 0 && length === expected.length && this.bytes.compare(expected, 0, length, this.at, end) === 0;
    this.at = same ? end : start;
    return same;
  }

  sized(): Buffer {
    const length = this.length();
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError('a prepared record ends within its bytes');
    const found = this.bytes.subarray(this.at, end);
    this.at = end;
    return found;
  }
}

/** Key, value and headers are read only by who asks for them: Kafka is given the bytes as they lie. */
class PreparedMessage implements OutgoingMessage {
  readonly prepared: { readonly key: Buffer; readonly body: Buffer };

  constructor(
    readonly topic: string,
    body: Buffer,
  ) {
    this.prepared = { key: new Reader(body).sized(), body };
  }

  get key(): string {
    return this.prepared.key.toString();
  }

  get value(): Buffer {
    const reader = this.behindKey();
    return reader.sized();
  }

  get headers(): Readonly<Record<string, string>> {
    const reader = this.behindKey();
    reader.sized();
    const headers: Record<string, string> = {};
    for (let left = reader.length(); left > 0; left -= 1) {
      const name = reader.sized().toString();
      headers[name] = reader.sized().toString();
    }
    return headers;
  }

  private behindKey(): Reader {
    const reader = new Reader(this.prepared.body);
    reader.sized();
    return reader;
  }
}

/**
 * What `RecordBytes` laid out, one after the other. Messages are views of `bytes`.
 * @throws RangeError when they end too early.
 */
export function preparedMessages(bytes: Buffer): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  const reader = new Reader(bytes);
  let [topic, topicBytes]: [string, Buffer] = ['', Buffer.alloc(0)];
  while (reader.more) {
    if (!reader.skipped(topicBytes)) {
      topicBytes = reader.sized();
      topic = topicBytes.toString();
    }
    messages.push(new PreparedMessage(topic, reader.sized()));
  }
  return messages;
}
