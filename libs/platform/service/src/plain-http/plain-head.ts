/** Headers of a plain request, by their names in lower case; each came once. */
export type PlainHeaders = Readonly<Record<string, string | undefined>>;

/** The head of a request that was read and found plain. */
export interface PlainHead {
  readonly path: string;
  readonly headers: PlainHeaders;
  /** Everything before the digits of the content length, and everything behind them: what a client repeats from request to request. */
  readonly beforeLength: string;
  readonly afterLength: string;
}

/** Where the body of a request lies, in the bytes that were read. */
export interface PlainBody {
  readonly from: number;
  readonly length: number;
}

/** Longer heads are not plain, bytes; half of what node:http takes. */
export const plainHeadBytesMax = 8_192;

const requestLine = /^POST (\/[\w./~-]{1,1000}) HTTP\/1\.1$/;
/** A name that is a token, a colon, at most one blank, and printable ASCII that neither begins nor ends with a blank. */
const headerLine = /^([\w!#$%&'*+.^`|~-]{1,100}):( ?)((?:[!-~](?:[ -~]*[!-~])?)?)$/;
/** What asks for more of HTTP than an answer to some bytes. */
const notPlain: ReadonlySet<string> = new Set(['content-encoding', 'expect', 'http2-settings', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
const lengthDigits = /^\d{1,7}$/;

/**
 * Reads the head at the beginning of `bytes`. Null means “not certainly plain”, never “wrong”: it may be incomplete, unusual or
 * broken, and who knows all of HTTP has to say. Plain is: POST of a path without query or escapes, HTTP/1.1, CRLF, one header a
 * line, no name twice, one Host, one Content-Length, and a connection that stays.
 */
export function readPlainHead(bytes: Buffer): PlainHead | null {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, plainHeadBytesMax));
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const lines = text.slice(0, end).split('\r\n');
  const path = requestLine.exec(lines[0] ?? '')?.[1];
  if (path === undefined) return null;
  const headers: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
  let at = (lines[0] ?? '').length + 2;
  let lengthAt = 0;
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const [, written = '', blank = '', value = ''] = headerLine.exec(line) ?? [];
    const name = written.toLowerCase();
    if (name === '' || headers[name] !== undefined || notPlain.has(name)) return null;
    headers[name] = value;
    if (name === 'content-length') lengthAt = at + written.length + 1 + blank.length;
    at += line.length + 2;
  }
  const { host, connection = 'keep-alive', 'content-length': length = '' } = headers;
  if (host === undefined || connection.toLowerCase() !== 'keep-alive' || !lengthDigits.test(length)) return null;
  return { path, headers, beforeLength: text.slice(0, lengthAt), afterLength: text.slice(lengthAt + length.length, end + 4) };
}

const zero = 48;

/** Where the body lies when `bytes` begin with this head, whatever length it tells; null when they begin otherwise. */
export function bodyUnder({ beforeLength, afterLength }: PlainHead, bytes: Buffer): PlainBody | null {
  let at = beforeLength.length;
  if (bytes.toString('latin1', 0, at) !== beforeLength) return null;
  const digitsEnd = at + 7;
  let length = 0;
  for (; at < digitsEnd; at += 1) {
    const digit = (bytes[at] ?? 0) - zero;
    if (digit < 0 || digit > 9) break;
    length = 10 * length + digit;
  }
  const from = at + afterLength.length;
  return at === beforeLength.length || bytes.toString('latin1', at, from) !== afterLength ? null : { from, length };
}
