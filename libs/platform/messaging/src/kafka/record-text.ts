import type { EventDefinition } from '@millrace/contracts';
import type { OutgoingMessage } from '../driver.js';

// Records as “binary text”: a string in which each character stands for one byte. Strings are put together and written at
// once far more cheaply than bytes are set one by one, which counts where thousands are made in a second.

const notAscii = /[^\0-\x7f]/u;

/** UTF-8, one character per byte. */
export const binaryText = (text: string): string => (notAscii.test(text) ? Buffer.from(text).toString('latin1') : text);

const shortLengths: readonly string[] = Array.from({ length: 8_192 }, (_, length) => varintOf(length * 2));

function varintOf(zigZagged: number): string {
  let [rest, text] = [zigZagged, ''];
  for (; rest >= 128; rest = Math.floor(rest / 128)) text += String.fromCharCode((rest % 128) | 0x80);
  return text + String.fromCharCode(rest);
}

/** A length as a record has it: a zigzag varint. */
const lengthOf = (length: number): string => shortLengths[length] ?? varintOf(length * 2);
const sized = (binary: string): string => lengthOf(binary.length) + binary;

/** What every record of one kind says in its headers, and where what differs is put. All of it binary text. */
export interface RecordForm {
  readonly start: string;
  readonly headers: string;
}

/** @param source of the CloudEvents, `/millrace/<service>`. */
export function recordForm({ type }: EventDefinition, source: string): RecordForm {
  return { start: sized(type), headers: ['ce_specversion', '1.0', 'ce_type', type, 'ce_source', source, 'content-type', 'application/json'].map((each) => sized(binaryText(each))).join('') };
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
  /** The data, as binary text. */
  readonly json: string;
}

/**
 * An event as it waits to be sent: topic, then key, value and headers as a record of Kafka has them, each with its length.
 * `id`, `time`, `sequence` and `traceparent` must be ASCII. Read back by `preparedMessages`.
 */
export function recordText({ start, headers }: RecordForm, { key, id, time, traceparent, sequence, json }: RecordParts): string {
  const sizedKey = sized(binaryText(key));
  const [counted, traced] = [sequence === undefined ? '' : names.sequence + sized(sequence), traceparent === undefined ? '' : names.traceparent + sized(traceparent)];
  const count = headersAlways + (counted === '' ? 0 : 1) + (traced === '' ? 0 : 1);
  const common = `${names.id}${sized(id)}${names.time}${sized(time)}${names.subject}${sizedKey}`;
  return start + sized(`${sizedKey}${sized(json)}${lengthOf(count)}${headers}${common}${counted}${traced}`);
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
 * What `recordText` made, as bytes, one after the other. Messages are views of `bytes`.
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
