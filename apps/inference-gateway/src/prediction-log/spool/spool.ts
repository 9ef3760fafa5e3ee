import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { frameHeaderBytes, writeFrame } from './frame.js';
import { lockFolder } from './folder-lock.js';
import { Segment, type SegmentView } from './segment.js';
import type { Settled } from './spool-reader.js';

export interface SpoolOptions {
  readonly folder: string;
  /** Bytes that may wait for Kafka; what comes beyond is dropped by the caller, who counts it. */
  readonly bytesMax: number;
  /** A file of this size is closed and the next one begun; it is deleted when all of it is in Kafka. */
  readonly segmentBytes?: number;
  readonly nowMs: () => number;
}

const scratchBytes = 256 * 1024;

/**
 * What must reach Kafka, on the local disk until it has: append-only files of numbered frames. One synchronous write per
 * append, so that whatever was appended survives the death of the process (not of the machine: nothing is fsynced).
 * A `SpoolReader` hands it out and tells what may go. Numbers come from the clock and never repeat, even when the newest
 * frames were lost.
 */
export class Spool {
  readonly instance: string;
  /** Bytes that an earlier process left half written. */
  readonly tornBytes: number;
  private readonly segments: Segment[];
  /** Position behind the last settled frame of the oldest segment. */
  private settledOffset = 0;
  private waiting: number;
  /** By this process. Grows with every append: whoever has seen it knows whether there is more. */
  appendedBytes = 0;
  private lastNumber: number;
  private oldestWaitingMs: number | undefined;
  /** Frames on their way to the file: memory used again by every append. */
  private readonly scratch = Buffer.allocUnsafeSlow(scratchBytes);
  private readonly unlock: () => void;

  constructor(private readonly options: SpoolOptions) {
    mkdirSync(options.folder, { recursive: true });
    this.unlock = lockFolder(options.folder);
    this.instance = instanceOf(options.folder);
    const found = readdirSync(options.folder).filter((name) => Segment.isSegment(name)).sort();
    this.segments = found.map((name) => Segment.recover(join(options.folder, name)));
    this.tornBytes = this.segments.reduce((sum, { tornBytes }) => sum + tornBytes, 0);
    this.waiting = this.segments.reduce((sum, { size }) => sum + size, 0);
    this.lastNumber = this.segments.reduce((last, segment) => Math.max(last, segment.lastNumber), 0);
    this.dropSettled();
  }

  /** Bytes not yet known to be in Kafka. */
  get waitingBytes(): number {
    return this.waiting;
  }

  /** How long the oldest of them has waited, at most; 0 when none waits. */
  waitingSeconds(): number {
    if (this.waiting === 0) return 0;
    return Math.max(0, (this.options.nowMs() - (this.oldestWaitingMs ?? this.options.nowMs())) / 1_000);
  }

  view(): SegmentView[] {
    return this.segments.map(({ path, size }) => ({ path, bytes: size }));
  }

  /**
   * One write for all payloads.
   * @returns false: they would exceed the bound. @throws what the file system says (a full disk).
   */
  append(payloads: readonly Uint8Array[]): boolean {
    const nowMs = this.options.nowMs();
    let length = 0;
    for (const payload of payloads) length += frameHeaderBytes + payload.length;
    if (this.waiting + length > this.options.bytesMax) return false;
    const bytes = this.room(length);
    let [number, at] = [this.lastNumber, 0];
    for (const payload of payloads) {
      number = Math.max(number + 1, nowMs * 1_000);
      at = writeFrame(bytes, at, number, payload);
    }
    this.writableSegment(this.lastNumber + 1).append(bytes);
    if (this.waiting === 0) this.oldestWaitingMs = nowMs;
    this.waiting += length;
    this.appendedBytes += length;
    this.lastNumber = number;
    return true;
  }

  /** Everything before this offset of this file, and in older files, is in Kafka. */
  trim({ path, offset, number }: Settled): void {
    for (let oldest = this.segments[0]; oldest !== undefined && oldest.path < path; oldest = this.segments[0]) this.dropOldest(oldest);
    if (this.segments[0]?.path !== path) return;
    this.waiting -= offset - this.settledOffset;
    this.settledOffset = offset;
    this.oldestWaitingMs = number / 1_000;
    this.dropSettled();
  }

  close(): void {
    for (const segment of this.segments) segment.seal();
    this.unlock();
  }

  private room(length: number): Buffer {
    if (length > scratchBytes) return Buffer.allocUnsafe(length);
    return this.scratch.subarray(0, length);
  }

  private writableSegment(firstNumber: number): Segment {
    const newest = this.segments[this.segments.length - 1];
    if (newest !== undefined && newest.writable) {
      if (newest.size < (this.options.segmentBytes ?? 8 * 1024 * 1024)) return newest;
      newest.seal();
      this.dropSettled();
    }
    const segment = Segment.create(this.options.folder, Math.max(firstNumber, this.options.nowMs() * 1_000));
    this.segments.push(segment);
    return segment;
  }

  private dropSettled(): void {
    for (let oldest = this.segments[0]; oldest !== undefined && !oldest.writable && oldest.size === this.settledOffset; oldest = this.segments[0]) this.dropOldest(oldest);
  }

  private dropOldest(oldest: Segment): void {
    oldest.delete();
    this.segments.shift();
    this.waiting -= oldest.size - this.settledOffset;
    this.settledOffset = 0;
  }
}

/** Names this spool for ever: the relay’s progress in Kafka is stored under it. */
function instanceOf(folder: string): string {
  const path = join(folder, 'instance');
  try {
    const known = readFileSync(path, 'utf8').trim();
    if (known !== '') return known;
  } catch {
    // first start with this folder
  }
  const fresh = randomUUID();
  writeFileSync(path, fresh);
  return fresh;
}
