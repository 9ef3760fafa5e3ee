import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { MillraceError } from '@millrace/contracts';

/** What goes wrong before a route is found, in the shape of every other refusal. The protocol under /v2 knows one member. */
function bodyOf(error: { readonly message: string; readonly statusCode?: number }, url: string | undefined): { status: number; body: string } {
  const known = error instanceof MillraceError ? error : new MillraceError(error.statusCode === 413 ? 'REQUEST_TOO_LARGE' : 'REQUEST_INVALID', error.message);
  const status = error.statusCode ?? known.httpStatus;
  return { status, body: JSON.stringify(url?.startsWith('/v2') === true ? { error: known.message } : known.toBody()) };
}

/** Node gives a socket, and a code, for what is no HTTP: a malformed header, headers without end, a body that does not come. */
const statusOf: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, HPE_CHUNK_EXTENSIONS_OVERFLOW: 413, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** What is used of a reply, so that it is any Fastify’s. */
interface RawReply {
  hijack(): unknown;
  readonly raw: { writeHead(status: number, headers: Readonly<Record<string, string>>): { end(body: string): unknown } };
}

interface Hooks {
  addHook(name: 'onRequest', hook: (request: unknown, reply: { header(name: string, value: string): unknown }, done: () => void) => void): unknown;
}

/** Keep-alive clients of a server that drains are told to come back on another connection, to another replica. */
export function sendElsewhere(server: Hooks, connections: { readonly draining: boolean }): void {
  server.addHook('onRequest', (_request, reply, done) => {
    if (connections.draining) reply.header('connection', 'close');
    done();
  });
}

/** Settings that every HTTP edge shares. */
export const httpServerOptions = {
  /** A request that comes while the server closes is answered: only idle connections are ended. */
  return503OnClosing: false,
  /** From a request’s first byte to its last, ms; Fastify would wait for ever. */
  requestTimeout: 300_000,
  forceCloseConnections: 'idle',
  frameworkErrors: (error: Error & { statusCode?: number }, request: { readonly url: string }, reply: RawReply): void => {
    const { status, body } = bodyOf(error, request.url);
    reply.hijack();
    reply.raw.writeHead(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }).end(body);
  },
  clientErrorHandler: (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = statusOf[error.code ?? ''] ?? 400;
    const { body } = bodyOf({ message: `the request is no HTTP that can be read: ${error.message}` }, undefined);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Bad Request'}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  },
} as const;
