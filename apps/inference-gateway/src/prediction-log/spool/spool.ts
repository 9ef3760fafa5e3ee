import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OutgoingMessage, RelaySource } from '@millrace/messaging';
import { encodeFrame } from './frame.js';
import { lockFolder } from './folder-lock.js';
import { Segment } from './segment.js';

export interface SpoolOptions {
  readonly folder: string;
  /** Bytes that may wait for Kafka; what comes beyond is dropped by the caller, who counts it. */
  readonly bytesMax: number;
  /** A file of this size is closed and the next one begun; it is deleted when all of it is in Kafka. */
  readonly segmentBytes?: number;
  /** A batch waits so long for more, unless much waits already: tiny transactions cost the broker twice the CPU. */
  readonly gatherMs?: number;
  readonly nowMs: () => number;
  /** Payload of one frame → messages. */
  readonly decode: (payload: string) => readonly OutgoingMessage[];
}

interface Batch {
  readonly number: number;
  readonly messages: readonly OutgoingMessage[];
  readonly segment: Segment;
  readonly end: number;
}

const enoughBytes = 256 * 1024;

/**
 * What must reach Kafka, on the local disk until it has: append-only files of numbered frames. One synchronous write per
 * append, so that whatever was appended survives the death of the process (not of the machine: nothing is fsynced).
 * As a relay source its batches are runs of frames, numbered by their last frame; after a crash the relay tells up to
 * which number Kafka has them. Numbers come from the clock and never repeat, even when the newest frames were lost.
 */
export class Spool implements RelaySource {
  readonly instance: string;
  /** Bytes that an earlier process left half written. */
  readonly tornBytes: number;
  private readonly segments: Segment[];
  /** Position behind the last settled frame of the oldest segment. */
  private settledOffset = 0;
  private lastNumber: number;
  private published = 0;
  private batch: Batch | undefined;
  private gatheredAtMs = 0;
  private oldestWaitingMs: number | undefined;
  private readonly unlock: () => void;

  constructor(private readonly options: SpoolOptions) {
    mkdirSync(options.folder, { recursive: true });
    this.unlock = lockFolder(options.folder);
    this.instance = instanceOf(options.folder);
    const found = readdirSync(options.folder).filter((name) => Segment.isSegment(name)).sort();
    this.segments = found.map((name) => Segment.recover(join(options.folder, name)));
    this.tornBytes = this.segments.reduce((sum, { tornBytes }) => sum + tornBytes, 0);
    this.lastNumber = this.segments.reduce((last, segment) => Math.max(last, segment.lastNumber), 0);
    this.dropSettled();
  }

  /** Bytes not yet known to be in Kafka. */
  get waitingBytes(): number {
    return this.segments.reduce((sum, { size }) => sum + size, 0) - this.settledOffset;
  }

  /** How long the oldest of them has waited; 0 when none waits. */
  waitingSeconds(): number {
    if (this.waitingBytes === 0) return 0;
    return Math.max(0, (this.options.nowMs() - (this.oldestWaitingMs ?? this.options.nowMs())) / 1_000);
  }

  /** One write for all payloads. False: they would exceed the bound. @throws what the file system says (a full disk). */
  append(payloads: readonly string[]): boolean {
    const nowMs = this.options.nowMs();
    let number = this.lastNumber;
    const frames = payloads.map((payload) => encodeFrame((number = Math.max(number + 1, nowMs * 1_000)), payload));
    const bytes = frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames);
    const waiting = this.waitingBytes;
    if (waiting + bytes.length > this.options.bytesMax) return false;
    this.writableSegment(this.lastNumber + 1).append(bytes);
    if (waiting === 0) this.oldestWaitingMs = nowMs;
    this.lastNumber = number;
    return true;
  }

  private writableSegment(firstNumber: number): Segment {
    const newest = this.segments[this.segments.length - 1];
    if (newest !== undefined && newest.writable) {
      if (newest.size < (this.options.segmentBytes ?? 8 * 1024 * 1024)) return newest;
      newest.seal();
    }
    const segment = Segment.create(this.options.folder, Math.max(firstNumber, this.options.nowMs() * 1_000));
    this.segments.push(segment);
    return segment;
  }

  async recover(published: number): Promise<void> {
    this.published = published;
    this.batch = undefined;
  }

  async nextBatch(): Promise<{ readonly number: number; readonly messages: readonly OutgoingMessage[] } | null> {
    if (this.batch !== undefined) return this.batch;
    if (this.waitingBytes === 0) return null;
    await this.gather();
    for (;;) {
      // A file that was settled while it was being written has been closed since, when a newer one was begun.
      this.dropSettled();
      const [segment] = this.segments;
      if (segment === undefined || segment.size === this.settledOffset) return null;
      const frames = await segment.read(this.settledOffset);
      const last = frames[frames.length - 1];
      // The size counts whole frames only, so a gap here means that the file was changed behind our back: give up its rest.
      if (last === undefined) this.moveTo(segment, segment.size);
      else {
        const fresh = frames.filter(({ number }) => number > this.published);
        if (fresh.length === 0) this.moveTo(segment, last.end);
        else {
          this.oldestWaitingMs = (fresh[0]?.number ?? 0) / 1_000;
          this.batch = { number: last.number, segment, end: last.end, messages: fresh.flatMap(({ payload }) => this.options.decode(payload.toString('utf8'))) };
          return this.batch;
        }
      }
    }
  }

  async settle(number: number): Promise<void> {
    const { batch } = this;
    if (batch === undefined || batch.number !== number) throw new Error(`batch ${number} is not the one that was handed out`);
    this.batch = undefined;
    this.published = number;
    this.moveTo(batch.segment, batch.end);
  }

  close(): void {
    for (const segment of this.segments) segment.seal();
    this.unlock();
  }

  private async gather(): Promise<void> {
    const restMs = this.gatheredAtMs + (this.options.gatherMs ?? 20) - this.options.nowMs();
    if (restMs > 0 && this.waitingBytes < enoughBytes) await new Promise((resolve) => setTimeout(resolve, restMs));
    this.gatheredAtMs = this.options.nowMs();
  }

  private moveTo(segment: Segment, offset: number): void {
    if (this.segments[0] !== segment) return;
    this.settledOffset = offset;
    this.dropSettled();
  }

  private dropSettled(): void {
    for (let oldest = this.segments[0]; oldest !== undefined && !oldest.writable && oldest.size === this.settledOffset; oldest = this.segments[0]) {
      oldest.delete();
      this.segments.shift();
      this.settledOffset = 0;
    }
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
