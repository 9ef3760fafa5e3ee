/** A record of a Kafka batch, magic 2 (kafka.apache.org/documentation/#record): every length and delta a zigzag varint. */
export interface RecordFields {
  readonly offsetDelta?: number;
  /** ms */
  readonly timestampDelta?: number;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string | null | readonly (Buffer | string | null)[]>>;
  /** Key, value and headers in the form of the record, in place of the three. */
  readonly body?: Buffer;
}

/** What kafkajs’s own encoder is to those who write it into a batch. */
export interface EncodedRecord {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  size(): number;
  /** @returns the offset behind it. */
  writeTo(target: Buffer, at: number): number;
}

class WholeRecord implements EncodedRecord {
  constructor(readonly buffer: Buffer) {}

  get buf(): Buffer {
    return this.buffer;
  }

  size(): number {
    return this.buffer.length;
  }

  writeTo(target: Buffer, at: number): number {
    target.set(this.buffer, at);
    return at + this.buffer.length;
  }
}

/** A record whose key, value and headers lie ready; its bytes are put together where the batch wants them. */
class PreparedRecordPart implements EncodedRecord {
  private readonly length: number;

  constructor(
    private readonly timestamp: number,
    private readonly offset: number,
    private readonly body: Buffer,
  ) {
    this.length = 1 + varintSize(timestamp) + varintSize(offset) + body.length;
  }

  get buffer(): Buffer {
    const buffer = Buffer.allocUnsafe(this.size());
    this.writeTo(buffer, 0);
    return buffer;
  }

  get buf(): Buffer {
    return this.buffer;
  }

  size(): number {
    return varintSize(zigZag(this.length)) + this.length;
  }

  writeTo(target: Buffer, start: number): number {
    const at = writeVarint(target, start, zigZag(this.length));
    target[at] = 0; // no attributes
    const bodyAt = writeVarint(target, writeVarint(target, at + 1, this.timestamp), this.offset);
    target.set(this.body, bodyAt);
    return bodyAt + this.body.length;
  }
}

type Bytes = Buffer | string | null | undefined;

export const zigZag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

/** @param value already zigzagged, a safe integer. */
export function varintSize(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/** @returns the offset behind it. */
export function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = value;
  let offset = at;
  while (rest >= 128) {
    buffer[offset] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
    offset += 1;
  }
  buffer[offset] = rest;
  return offset + 1;
}

const lengthOf = (bytes: Bytes): number => (bytes === null || bytes === undefined ? -1 : typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length);
const sizeWithLength = (length: number): number => varintSize(zigZag(length)) + Math.max(0, length);

function writeBytes(buffer: Buffer, at: number, bytes: Bytes, length: number): number {
  const start = writeVarint(buffer, at, zigZag(length));
  if (length <= 0 || bytes === null || bytes === undefined) return start;
  if (typeof bytes !== 'string') buffer.set(bytes, start);
  // As many bytes as characters: it is ASCII, which this writes several times faster.
  else buffer.write(bytes, start, length, bytes.length === length ? 'latin1' : 'utf8');
  return start + length;
}

/** Name, value, and their lengths in bytes, one after the other. */
function headersOf(headers: RecordFields['headers']): (Bytes | number)[] {
  const flat: (Bytes | number)[] = [];
  for (const name in headers) {
    const value = headers[name];
    const values: readonly Bytes[] = Array.isArray(value) ? (value as readonly Bytes[]) : [value as Bytes];
    for (const each of values) flat.push(name, Buffer.byteLength(name), each, lengthOf(each));
  }
  return flat;
}

/** One pass for the sizes, one allocation, one pass to write; the bytes are those of kafkajs’s own encoder. */
export function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers, body: prepared }: RecordFields): EncodedRecord {
  if (prepared !== undefined) return new PreparedRecordPart(zigZag(timestampDelta), zigZag(offsetDelta), prepared);
  const flat = headersOf(headers);
  const [keyLength, valueLength] = [lengthOf(key), lengthOf(value)];
  const [timestamp, offset] = [zigZag(timestampDelta), zigZag(offsetDelta)];
  const count = zigZag(flat.length / 4);
  let body = 1 + varintSize(timestamp) + varintSize(offset) + sizeWithLength(keyLength) + sizeWithLength(valueLength) + varintSize(count);
  for (let index = 0; index < flat.length; index += 4) body += sizeWithLength(flat[index + 1] as number) + sizeWithLength(flat[index + 3] as number);
  const length = zigZag(body);
  const buffer = Buffer.allocUnsafe(varintSize(length) + body);
  let at = writeVarint(buffer, 0, length);
  buffer[at] = 0; // no attributes
  at = writeVarint(buffer, at + 1, timestamp);
  at = writeVarint(buffer, at, offset);
  at = writeBytes(buffer, at, key, keyLength);
  at = writeBytes(buffer, at, value, valueLength);
  at = writeVarint(buffer, at, count);
  for (let index = 0; index < flat.length; index += 4) {
    at = writeBytes(buffer, at, flat[index] as string, flat[index + 1] as number);
    at = writeBytes(buffer, at, flat[index + 2] as Bytes, flat[index + 3] as number);
  }
  return new WholeRecord(buffer);
}
