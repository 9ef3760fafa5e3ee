import { closeSync, openSync, readSync } from 'node:fs';
import { preparedMessages, type OutgoingMessage, type RelaySource } from '@millrace/messaging/publishing';
import { frameBytesAt, readFrame, type Frame } from './frame.js';
import type { SegmentView } from './segment.js';

export interface SpoolReaderOptions {
  /** The spool’s files as they stand, oldest first. */
  readonly view: () => readonly SegmentView[];
  /** Everything before this offset of this file, and in older files, is in Kafka; the last frame of it has this number. */
  readonly onSettled: (settled: Settled) => void;
  /** A batch waits so long after the last one, unless much waits already: a transaction costs the same for one record as for a thousand. */
  readonly gatherMs?: number;
  /** The messages of a batch are bytes that the next batch overwrites: for a log that copies what it is given. */
  readonly reusesMemory?: boolean;
  readonly nowMs: () => number;
}

export interface Settled {
  readonly path: string;
  readonly offset: number;
  readonly number: number;
}

interface Batch {
  readonly number: number;
  readonly messages: readonly OutgoingMessage[];
  readonly settled: Settled;
}

/** One read; a larger single frame is read alone. */
const readBytes = 1024 * 1024;
const enoughBytes = 768 * 1024;

/**
 * The reading end of a spool, as a relay source: its batches are runs of frames, numbered by their last frame; after a
 * crash the relay tells up to which number Kafka has them. It only reads, so it may live in another thread than the writer.
 */
export class SpoolReader implements RelaySource {
  private place: { path: string; offset: number } = { path: '', offset: 0 };
  private published = 0;
  private batch: Batch | undefined;
  private gatheredAtMs = 0;
  private readonly memory: Buffer | undefined;

  constructor(private readonly options: SpoolReaderOptions) {
    // Memory outside the heap that comes and goes calls the garbage collector: it took more time than all else here.
    this.memory = options.reusesMemory === true ? Buffer.allocUnsafeSlow(readBytes) : undefined;
  }

  async recover(published: number): Promise<void> {
    this.published = published;
    this.batch = undefined;
  }

  async nextBatch(): Promise<{ readonly number: number; readonly messages: readonly OutgoingMessage[] } | null> {
    if (this.batch !== undefined) return this.batch;
    if (this.waitingBytes() === 0) return null;
    await this.gather();
    for (const { path, bytes } of this.options.view()) {
      while (this.offsetIn(path) < bytes) {
        this.batch = this.readBatch(path, this.offsetIn(path), bytes);
        if (this.batch !== undefined) return this.batch;
      }
    }
    return null;
  }

  async settle(number: number): Promise<void> {
    const { batch } = this;
    if (batch === undefined || batch.number !== number) throw new Error(`batch ${number} is not the one that was handed out`);
    this.batch = undefined;
    this.published = number;
    this.moveTo(batch.settled);
  }

  /** Undefined: there was nothing new, and the place has moved behind it. */
  private readBatch(path: string, offset: number, bytes: number): Batch | undefined {
    const frames = readFrames(path, offset, bytes, this.memory);
    const last = frames[frames.length - 1];
    // The size counts whole frames only, so a gap here means that the file was changed behind our back: give up its rest.
    if (last === undefined) {
      this.moveTo({ path, offset: bytes, number: this.published });
      return undefined;
    }
    const settled = { path, offset: last.end, number: last.number };
    const fresh = frames.filter(({ number }) => number > this.published);
    if (fresh.length > 0) return { number: last.number, settled, messages: fresh.flatMap(({ payload }) => preparedMessages(payload)) };
    this.moveTo(settled);
    return undefined;
  }

  /** How much of the file was dealt with. Names sort by age, so older files are done. */
  private offsetIn(path: string): number {
    if (path === this.place.path) return this.place.offset;
    return path < this.place.path ? Infinity : 0;
  }

  private waitingBytes(): number {
    return this.options.view().reduce((sum, { path, bytes }) => sum + Math.max(0, bytes - this.offsetIn(path)), 0);
  }

  private moveTo(settled: Settled): void {
    this.place = { path: settled.path, offset: settled.offset };
    this.options.onSettled(settled);
  }

  private async gather(): Promise<void> {
    const restMs = this.gatheredAtMs + (this.options.gatherMs ?? 100) - this.options.nowMs();
    if (restMs > 0 && this.waitingBytes() < enoughBytes) await new Promise((resolve) => setTimeout(resolve, restMs));
    this.gatheredAtMs = this.options.nowMs();
  }
}

/** Whole frames from `offset`, at least one unless `bytes` is reached. `end` counts from the file’s beginning. */
function readFrames(path: string, offset: number, bytes: number, memory: Buffer | undefined): Frame[] {
  const file = openSync(path, 'r');
  try {
    let chunk = readExactly(file, offset, Math.min(bytes - offset, readBytes), memory);
    const first = frameBytesAt(chunk, 0);
    if (first !== null && first > chunk.length) chunk = readExactly(file, offset, Math.min(bytes - offset, first));
    const frames: Frame[] = [];
    for (let frame = readFrame(chunk, 0); frame !== null; frame = readFrame(chunk, frame.end)) frames.push(frame);
    return frames.map((frame) => ({ ...frame, end: offset + frame.end }));
  } finally {
    closeSync(file);
  }
}

function readExactly(file: number, position: number, length: number, memory?: Buffer): Buffer {
  const buffer = memory !== undefined && memory.length >= length ? memory : Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(file, buffer, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
