import { readSync, writeSync } from 'node:fs';
import { Frame, frameBytesMax, frameLengthIn } from '../wire/frame.js';

const smallBytes = 1 << 16;

/** A system call that a signal interrupted, or that would have had to wait, is made again. */
function again<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EINTR' && code !== 'EAGAIN') throw error;
    }
  }
}

/**
 * The worker's end of the stream, read and written by blocking calls: a worker has nothing else to wait for, and an event
 * loop per frame would cost more than a small model's run. Its memory is reused from frame to frame.
 */
export class FramePipe {
  #incoming = Buffer.allocUnsafeSlow(smallBytes);
  #start = 0;
  #end = 0;
  #outgoing = Buffer.allocUnsafeSlow(smallBytes);

  constructor(private readonly descriptor: number) {}

  /** Waits for the next frame; its memory is good until the next call. @returns null when the other side is gone. */
  next(): Frame | null {
    for (;;) {
      const waiting = this.#incoming.subarray(this.#start, this.#end);
      const length = frameLengthIn(waiting);
      if (length !== null && length <= waiting.length) {
        this.#start += length;
        return Frame.over(waiting.subarray(0, length));
      }
      this.#makeRoom(length ?? 0);
      const count = again(() => readSync(this.descriptor, this.#incoming, this.#end, this.#incoming.length - this.#end, null));
      if (count === 0) return null;
      this.#end += count;
    }
  }

  /** Memory for the next outgoing frame: the same each time. */
  readonly room = (byteLength: number): Uint8Array => {
    if (this.#outgoing.length < byteLength || this.#outgoing.length > smallBytes) this.#outgoing = Buffer.allocUnsafeSlow(Math.max(byteLength, smallBytes));
    return this.#outgoing.subarray(0, byteLength);
  };

  write(frame: Uint8Array): void {
    for (let at = 0; at < frame.length;) {
      const from = at;
      at += again(() => writeSync(this.descriptor, frame, from, frame.length - from));
    }
  }

  /** Moves what waits to the front of memory that can hold a frame of this length, and gives large memory back. */
  #makeRoom(length: number): void {
    if (length > frameBytesMax) throw new RangeError(`a frame of ${length} bytes; at most ${frameBytesMax} are allowed`);
    const needed = Math.max(length, smallBytes);
    const size = this.#end - this.#start;
    const target = this.#incoming.length === needed ? this.#incoming : Buffer.allocUnsafeSlow(needed);
    if (target !== this.#incoming || this.#start > 0) this.#incoming.copy(target, 0, this.#start, this.#end);
    this.#incoming = target;
    this.#start = 0;
    this.#end = size;
  }
}
