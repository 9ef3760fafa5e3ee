import { connect, type AddressInfo, type Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { Connections } from './connections.js';
import { httpServerOptions, sendElsewhere } from './http-server.js';
import type { HttpAnswer } from './plain-http/plain-answer.js';
import type { PlainHandler } from './plain-http/plain-connection.js';

/** What a request said, told back: both transports must have understood the same. */
export const tell: PlainHandler = (headers, body) => Promise.resolve(jsonAnswer({ accept: headers['accept'] ?? null, bytes: body.length, body: body.toString('latin1').slice(0, 100) }));

export const jsonAnswer = (body: object): HttpAnswer => ({ status: 200, contentType: 'application/json', body: JSON.stringify(body) });

export const bodyBytesMax = 2_000;

/** One turn of the event loop that client and server share. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Answers when it is told to. */
export function heldHandler(): { handler: PlainHandler; readonly held: ((answer: HttpAnswer) => void)[] } {
  const held: ((answer: HttpAnswer) => void)[] = [];
  return { handler: () => new Promise((resolve) => void held.push(resolve)), held };
}

/** A server on a free port that answers `/v2/models/{model}/infer`: with the lane, or by Fastify on node:http alone. */
export class TrialServer {
  readonly failures: unknown[] = [];
  private readonly accepted: Socket[] = [];

  private constructor(
    private readonly server: FastifyInstance,
    readonly connections: Connections,
  ) {
    server.server.on('connection', (socket: Socket) => this.accepted.push(socket));
  }

  static async start({ lane, handler = tell, options = {} }: { lane: boolean; handler?: PlainHandler; options?: FastifyServerOptions }): Promise<TrialServer> {
    const server = fastify({ ...httpServerOptions, bodyLimit: bodyBytesMax, keepAliveTimeout: 1_000, ...options });
    const trial = new TrialServer(server, new Connections(server.server));
    sendElsewhere(server, trial.connections);
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    server.get('/here', (_request, reply) => reply.send('here'));
    server.post('/v2/models/:model/infer', (request, reply) => {
      void handler(request.headers as Record<string, string>, (request.body as Buffer | undefined) ?? Buffer.alloc(0)).then(({ status, contentType, body, headers }) => {
        const all = { ...(reply.getHeaders() as Record<string, string>), 'content-type': contentType, ...headers, 'content-length': body.length };
        reply.hijack();
        reply.raw.writeHead(status, all).end(body);
      });
    });
    const path = /^\/v2\/models\/[^/]{1,100}\/infer$/;
    if (lane) trial.connections.answerPlain({ routes: (asked) => (path.test(asked) ? handler : undefined), bodyBytesMax, failed: (error) => trial.failures.push(error) });
    await server.listen({ host: '127.0.0.1', port: 0 });
    return trial;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  get listening(): boolean {
    return this.server.server.listening;
  }

  /** A client whose connection may not have been accepted yet. */
  dial(): RawClient {
    return new RawClient(this.connect());
  }

  private connect(): Socket {
    return connect({ host: '127.0.0.1', port: this.port, noDelay: true, allowHalfOpen: true });
  }

  async open(): Promise<RawConnection> {
    const socket = this.connect();
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('error', reject));
    for (;;) {
      const there = this.accepted.find(({ remotePort }) => remotePort === socket.localPort);
      if (there !== undefined) return new RawConnection(socket, there);
      await turn();
    }
  }

  /**
   * All that comes back until the server ends the connection.
   * @param pieces arrive one by one. @param before is asked, and answered, before them.
   */
  async exchange(pieces: readonly string[], { end = false, before = '' } = {}): Promise<string> {
    const connection = await this.open();
    await connection.send(before);
    while (before !== '' && connection.text === '') await turn();
    for (const piece of pieces) await connection.send(piece);
    if (end) connection.socket.end();
    while (!connection.over) await turn();
    connection.socket.destroy();
    return connection.text;
  }

  async stop(): Promise<void> {
    for (const socket of this.accepted) socket.destroy();
    await this.server.close();
  }
}

/** The client’s end of a connection. */
class RawClient {
  text = '';
  /** The server has ended or cut it. */
  over = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (piece: Buffer) => (this.text += piece.toString('latin1')));
    socket.on('end', () => (this.over = true)).on('close', () => (this.over = true)).on('error', () => undefined);
  }
}

/** Both ends of a connection. */
export class RawConnection extends RawClient {
  private sent = 0;

  constructor(
    socket: Socket,
    /** The server’s. */
    readonly there: Socket,
  ) {
    super(socket);
  }

  /** Resolves when the server has read these bytes, or is gone: what is sent next comes by itself. */
  async send(piece: string | Buffer): Promise<void> {
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
    this.sent += bytes.length;
    this.socket.write(bytes);
    while (!this.over && !this.there.destroyed && this.there.bytesRead < this.sent) await turn();
  }
}
