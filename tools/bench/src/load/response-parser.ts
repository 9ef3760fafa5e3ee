/** One whole answer. `body` is a view of bytes that are reused: copy what must last. */
export type OnResponse = (status: number, head: string, body: Buffer) => void;

const blankLine = Buffer.from('\r\n\r\n');
const lengthHeader = /\r\ncontent-length: *(\d+)/iu;
const chunkedHeader = /\r\ntransfer-encoding:[^\r]*chunked/iu;
const bodiless = (status: number): boolean => status === 204 || status === 304;

/**
 * The least of HTTP/1.1 that a load generator needs: status line, content-length, body; any number of answers in a piece,
 * and pieces that end anywhere. Chunked answers are taken when their whole body has come.
 * @throws Error on what is no such answer.
 */
export class ResponseParser {
  private waiting: Buffer | null = null;
  /** Bytes that must be there before it is worth looking again. */
  private needed = 0;

  constructor(private readonly onResponse: OnResponse) {}

  feed(piece: Buffer): void {
    let bytes = this.waiting === null ? piece : Buffer.concat([this.waiting, piece]);
    this.waiting = null;
    while (bytes.length > 0) {
      const used = bytes.length < this.needed ? 0 : this.take(bytes);
      if (used === 0) {
        this.waiting = bytes;
        return;
      }
      this.needed = 0;
      bytes = bytes.subarray(used);
    }
  }

  /** Bytes of the first answer, or 0 when it has not come whole. */
  private take(bytes: Buffer): number {
    const headEnd = bytes.indexOf(blankLine);
    if (headEnd === -1) return 0;
    const head = bytes.toString('latin1', 0, headEnd);
    if (!head.startsWith('HTTP/1.')) throw new Error(`not an HTTP answer: ${JSON.stringify(head.slice(0, 60))}`);
    const status = Number(head.slice(9, 12));
    const bodyStart = headEnd + blankLine.length;
    const length = lengthHeader.exec(head);
    if (length === null && chunkedHeader.test(head)) return this.takeChunked(bytes, bodyStart, status, head);
    if (length === null && !bodiless(status)) throw new Error(`an answer without content-length: ${JSON.stringify(head.slice(0, 200))}`);
    const end = bodyStart + Number(length?.[1] ?? 0);
    if (bytes.length < end) {
      this.needed = end;
      return 0;
    }
    this.onResponse(status, head, bytes.subarray(bodyStart, end));
    return end;
  }

  private takeChunked(bytes: Buffer, bodyStart: number, status: number, head: string): number {
    const parts: Buffer[] = [];
    for (let at = bodyStart; ; ) {
      const lineEnd = bytes.indexOf('\r\n', at);
      if (lineEnd === -1) return 0;
      const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
      if (Number.isNaN(size)) throw new Error('a chunk without a size');
      const next = lineEnd + 2 + size + 2;
      if (bytes.length < next) return 0;
      if (size === 0) {
        this.onResponse(status, head, Buffer.concat(parts));
        return next;
      }
      parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
      at = next;
    }
  }
}
