import { Frame, frameLengthIn } from './frame.js';

/**
 * Cuts what arrives in pieces into frames. A frame that lies whole and aligned in one piece is not copied: the piece's
 * memory belongs to its frames from then on.
 */
export class FrameStream {
  /** The first bytes of a frame, too few to tell its length. */
  #stub: Uint8Array | null = null;
  /** A frame whose end has not come yet, filled up to #filled. */
  #open: Uint8Array | null = null;
  #filled = 0;

  constructor(private readonly onFrame: (frame: Frame) => void) {}

  take(piece: Uint8Array): void {
    let rest = this.#fillOpen(this.#withStub(piece));
    for (;;) {
      const length = frameLengthIn(rest);
      if (length === null) break;
      if (length > rest.length) {
        this.#open = new Uint8Array(length);
        this.#open.set(rest);
        this.#filled = rest.length;
        return;
      }
      const whole = rest.subarray(0, length);
      rest = rest.subarray(length);
      this.onFrame(Frame.over(whole.byteOffset % 8 === 0 ? whole : whole.slice()));
    }
    if (rest.length > 0) this.#stub = rest.slice();
  }

  #withStub(piece: Uint8Array): Uint8Array {
    if (this.#stub === null) return piece;
    const joined = new Uint8Array(this.#stub.length + piece.length);
    joined.set(this.#stub);
    joined.set(piece, this.#stub.length);
    this.#stub = null;
    return joined;
  }

  /** @returns what is left of the piece after the open frame has got its share. */
  #fillOpen(piece: Uint8Array): Uint8Array {
    const open = this.#open;
    if (open === null) return piece;
    const share = piece.subarray(0, open.length - this.#filled);
    open.set(share, this.#filled);
    this.#filled += share.length;
    if (this.#filled === open.length) {
      this.#open = null;
      this.onFrame(Frame.over(open));
    }
    return piece.subarray(share.length);
  }
}
