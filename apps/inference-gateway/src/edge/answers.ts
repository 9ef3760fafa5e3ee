import { promisify } from 'node:util';
import { deflate, deflateSync, gzip, gzipSync } from 'node:zlib';
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '@millrace/contracts';
import type { HttpAnswer } from '@millrace/service';
import type { Log } from '../data-plane/log.js';

/** Below it, compression costs more than the bytes it saves, unless a client asks for nothing else. */
const compressBytesMin = 1024;
/** Beyond it, compression is done beside the event loop: it takes about 10 ns a byte, a way to the thread pool and back about 0.1 ms. */
const compressHereBytesMax = 16_384;
/** Up to it, an answer is looked at for whether it can leave as text, together with its head. */
const asTextBytesMax = 32_768;

const notAscii = /[^\0-\x7f]/u;

/** V2 clients compare the content type with `application/json` exactly: no charset. */
export function jsonAnswer(status: number, body: object | string): HttpAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, contentType: 'application/json', body: text.length > asTextBytesMax || notAscii.test(text) ? Buffer.from(text) : text };
}

interface Accepting {
  readonly 'accept-encoding'?: string | string[] | undefined;
}

/** An answer that may be large: compressed as the client accepts it. Errors never are: stock clients do not decompress them. */
export function compressible(answer: HttpAnswer, { 'accept-encoding': accept }: Accepting): HttpAnswer | Promise<HttpAnswer> {
  const { body, headers } = answer;
  const encoding = encodingFor(String(accept ?? ''), body.length);
  if (encoding === null) return answer;
  const packed = (bytes: Buffer): HttpAnswer => ({ ...answer, headers: { ...headers, 'content-encoding': encoding }, body: bytes });
  if (body.length <= compressHereBytesMax) return packed(encoding === 'gzip' ? gzipSync(body) : deflateSync(body));
  // Without memory for it, the answer goes as it is.
  return promisify(encoding === 'gzip' ? gzip : deflate)(body).then(packed, () => answer);
}

/** A client that names one coding wants it; one that lists what it can (as most do by default) gets it where it pays. */
function encodingFor(accept: string, bytes: number): 'gzip' | 'deflate' | null {
  if (accept === '') return null;
  if (accept === 'gzip' || accept === 'deflate') return accept;
  if (bytes < compressBytesMin) return null;
  const accepted = accept.split(',').map((part) => part.trim().toLowerCase().split(/\s*;\s*/u)).filter(([, quality]) => quality === undefined || !/^q=0(\.0*)?$/u.test(quality)).map(([name]) => name);
  return accepted.includes('gzip') || accepted.includes('*') ? 'gzip' : accepted.includes('deflate') ? 'deflate' : null;
}

/** V2 clients know one member; our own edge tells the code and every mistake too. */
export function errorAnswer(error: unknown, { method, url }: { readonly method: string; readonly url: string }, log: Log): HttpAnswer {
  const known = asMillraceError(error);
  if (known.httpStatus >= 500 && !known.retryable) log.error({ err: error, method, url }, known.message);
  const answer = jsonAnswer(known.httpStatus, url.startsWith('/v2') ? { error: known.message } : known.toBody());
  return known.httpStatus === 503 || known.httpStatus === 429 ? { ...answer, headers: { 'retry-after': '1' } } : answer;
}

function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) {
    return new MillraceError(error.statusCode === 413 ? 'REQUEST_TOO_LARGE' : 'REQUEST_INVALID', error instanceof Error ? error.message : String(error));
  }
  return new MillraceError('INTERNAL', 'The request failed for a reason of our own; it was logged.', { cause: error });
}

/** Writes an answer through Fastify, past its reply, whose hooks and checks nobody here needs. */
export function give(reply: FastifyReply, { status, contentType, headers, body }: HttpAnswer): void {
  const all: OutgoingHttpHeaders = { ...(reply.getHeaders() as OutgoingHttpHeaders), 'content-type': contentType, ...headers, 'content-length': body.length };
  reply.hijack();
  reply.raw.writeHead(status, all);
  if (typeof body === 'string') reply.raw.end(body, 'latin1');
  else reply.raw.end(body);
}

export const sendJson = (reply: FastifyReply, status: number, body: object | string): void => give(reply, jsonAnswer(status, body));

export const sendError = (error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void => give(reply, errorAnswer(error, request, log));
