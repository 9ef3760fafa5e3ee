import { closeSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readFrame } from './frame.js';

const suffix = '.spool';

/** One file of frames as its readers know it. Paths sort by age. */
export interface SegmentView {
  readonly path: string;
  /** Of whole frames; what stands behind them is a torn tail. */
  readonly bytes: number;
}

/** One file of frames, named after the number of its first frame, so that names sort by age. Written by one process, then only read. */
export class Segment {
  private descriptor: number | undefined;

  private constructor(
    readonly path: string,
    /** Bytes of whole frames; what stands behind them is a torn tail. */
    private bytes: number,
    readonly lastNumber: number,
    readonly tornBytes: number,
  ) {}

  static isSegment(name: string): boolean {
    return name.endsWith(suffix);
  }

  static create(folder: string, firstNumber: number): Segment {
    const path = join(folder, `${String(firstNumber).padStart(17, '0')}${suffix}`);
    const segment = new Segment(path, 0, 0, 0);
    segment.descriptor = openSync(path, 'ax');
    return segment;
  }

  /** Reads a file that an earlier process left. */
  static recover(path: string): Segment {
    const content = readFileSync(path);
    let end = 0;
    let lastNumber = 0;
    for (let frame = readFrame(content, 0); frame !== null; frame = readFrame(content, end)) {
      end = frame.end;
      lastNumber = frame.number;
    }
    return new Segment(path, end, lastNumber, content.length - end);
  }

  get size(): number {
    return this.bytes;
  }

  get writable(): boolean {
    return this.descriptor !== undefined;
  }

  /** All bytes or none: a failed write (a full disk) is cut off again. @throws what the file system says. */
  append(frames: Buffer): void {
    const { descriptor } = this;
    if (descriptor === undefined) throw new Error(`${this.path} is closed`);
    try {
      for (let written = 0; written < frames.length; ) written += writeSync(descriptor, frames, written);
      this.bytes += frames.length;
    } catch (error) {
      // Were the cut to fail too, the torn frame would end this file: nothing more is written to it, and readers stop there.
      try {
        ftruncateSync(descriptor, this.bytes);
      } finally {
        this.seal();
      }
      throw error;
    }
  }

  seal(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  delete(): void {
    this.seal();
    unlinkSync(this.path);
  }
}
