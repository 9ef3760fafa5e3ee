import { gzipSync, deflateSync } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '@millrace/contracts';
import type { Log } from '../data-plane/log.js';

/** Below it, compression costs more than the bytes it saves, unless a client asks for nothing else. */
const compressBytesMin = 1024;

/** JSON as bytes: Fastify leaves their content type alone, and V2 clients compare it with `application/json` exactly. */
export function sendJson(reply: FastifyReply, status: number, body: object | string): void {
  void reply.code(status).header('content-type', 'application/json').send(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

/** An answer that may be large: compressed as the client accepts it. Errors never are: stock clients do not decompress them. */
export function sendBytes(request: FastifyRequest, reply: FastifyReply, contentType: string, body: Uint8Array): void {
  const encoding = encodingFor(request.headers['accept-encoding'], body.length);
  void reply.code(200).header('content-type', contentType);
  if (encoding === null) {
    void reply.send(body);
    return;
  }
  void reply.header('content-encoding', encoding).send(encoding === 'gzip' ? gzipSync(body) : deflateSync(body));
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
