import { STATUS_CODES } from 'node:http';

/** What is answered, by whichever transport. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Beyond those that every answer has; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is ASCII; all else are bytes. */
  readonly body: string | Uint8Array;
}

/** Up to it, a body of bytes leaves as text, in one write with its head. */
const asTextBytesMax = 32_768;

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) statusLines.set(status, (line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\ncontent-type: `));
  return line;
}

/** The last lines of a head: the time, which is one text for a second, and what becomes of the connection. */
export class HeadEnds {
  private second = NaN;
  private stays = '';
  private closes = '';

  constructor(private readonly keepAliveMs: number) {}

  of(nowMs: number, close: boolean): string {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.second) {
      const date = `\r\nDate: ${new Date(nowMs).toUTCString()}\r\n`;
      this.second = second;
      this.stays = `${date}Connection: keep-alive\r\n${this.keepAliveMs > 0 ? `Keep-Alive: timeout=${Math.floor(this.keepAliveMs / 1_000)}\r\n` : ''}\r\n`;
      this.closes = `${date}connection: close\r\n\r\n`;
    }
    return close ? this.closes : this.stays;
  }
}

/** An answer as it is written: one text with a character per byte, or a head and bytes. */
export function answerPieces({ status, contentType, headers, body }: HttpAnswer, headEnd: string): readonly [string] | readonly [string, Uint8Array] {
  let head = statusLine(status) + contentType;
  if (headers !== undefined) for (const name of Object.keys(headers)) head += `\r\n${name}: ${headers[name] ?? ''}`;
  head += `\r\ncontent-length: ${body.length}${headEnd}`;
  if (typeof body === 'string') return [head + body];
  return body.length > asTextBytesMax ? [head, body] : [head + Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1')];
}
