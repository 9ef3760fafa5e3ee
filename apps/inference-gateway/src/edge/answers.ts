import type { OutgoingHttpHeaders } from 'node:http';
import { deflate, deflateSync, gzip, gzipSync } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '@millrace/contracts';
import type { Log } from '../data-plane/log.js';

/** Below it, compression costs more than the bytes it saves, unless a client asks for nothing else. */
const compressBytesMin = 1024;
/** Beyond it, compression is done beside the event loop: it takes about 10 ns a byte, a way to the thread pool and back about 0.1 ms. */
const compressHereBytesMax = 16_384;
/** Up to it, an answer is written as text together with its head. */
const asTextBytesMax = 32_768;

/** JSON as bytes: Fastify leaves their content type alone, and V2 clients compare it with `application/json` exactly. */
export function sendJson(reply: FastifyReply, status: number, body: object | string): void {
  void reply.code(status).header('content-type', 'application/json').send(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

/** An answer that may be large: compressed as the client accepts it. Errors never are: stock clients do not decompress them. */
export function sendBytes(request: FastifyRequest, reply: FastifyReply, contentType: string, body: Uint8Array): void {
  const encoding = encodingFor(request.headers['accept-encoding'], body.length);
  if (encoding === null && body.length <= asTextBytesMax) {
    sendAscii(reply, contentType, Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'));
    return;
  }
  void reply.code(200).header('content-type', contentType);
  if (encoding === null) {
    void reply.send(body);
    return;
  }
  if (body.length <= compressHereBytesMax) {
    void reply.header('content-encoding', encoding).send(encoding === 'gzip' ? gzipSync(body) : deflateSync(body));
    return;
  }
  (encoding === 'gzip' ? gzip : deflate)(body, (error, packed) => {
    if (error === null) void reply.header('content-encoding', encoding).send(packed);
    else void reply.send(body); // without memory for it, the answer goes as it is
  });
}

const notAscii = /[^\0-\x7f]/u;

/** As `sendBytes`, for JSON text. */
export function sendText(request: FastifyRequest, reply: FastifyReply, text: string): void {
  if (text.length <= asTextBytesMax && !notAscii.test(text) && encodingFor(request.headers['accept-encoding'], text.length) === null) sendAscii(reply, 'application/json', text);
  else sendBytes(request, reply, 'application/json', Buffer.from(text));
}

/**
 * Head and body leave as one string in one write, past Fastify’s reply, whose hooks and checks nobody here needs: a body of
 * bytes is a second piece of memory, and costs as much as the head.
 * @param body one character per byte.
 */
function sendAscii(reply: FastifyReply, contentType: string, body: string): void {
  const headers: OutgoingHttpHeaders = { ...(reply.getHeaders() as OutgoingHttpHeaders), 'content-type': contentType, 'content-length': body.length };
  reply.hijack();
  reply.raw.writeHead(200, headers);
  reply.raw.end(body, 'latin1');
}

/** A client that names one coding wants it; one that lists what it can (as most do by default) gets it where it pays. */
function encodingFor(accept: string | undefined, bytes: number): 'gzip' | 'deflate' | null {
  if (accept === undefined || accept === '') return null;
  if (accept === 'gzip' || accept === 'deflate') return accept;
  if (bytes < compressBytesMin) return null;
  const accepted = accept.split(',').map((part) => part.trim().toLowerCase().split(/\s*;\s*/u)).filter(([, quality]) => quality === undefined || !/^q=0(\.0*)?$/u.test(quality)).map(([name]) => name);
  return accepted.includes('gzip') || accepted.includes('*') ? 'gzip' : accepted.includes('deflate') ? 'deflate' : null;
}

/** V2 clients know one member; our own edge tells the code and every mistake too. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const known = asMillraceError(error);
  if (known.httpStatus >= 500 && !known.retryable) log.error({ err: error, method: request.method, url: request.url }, known.message);
  if (known.httpStatus === 503 || known.httpStatus === 429) void reply.header('retry-after', '1');
  sendJson(reply, known.httpStatus, request.url.startsWith('/v2') ? { error: known.message } : known.toBody());
}

function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) {
    return new MillraceError(error.statusCode === 413 ? 'REQUEST_TOO_LARGE' : 'REQUEST_INVALID', error instanceof Error ? error.message : String(error));
  }
  return new MillraceError('INTERNAL', 'The request failed for a reason of our own; it was logged.', { cause: error });
}
