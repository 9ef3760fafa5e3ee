import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { HeadEnds } from './plain-answer.js';
import { PlainConnection, type PlainHandler, type PlainLane } from './plain-connection.js';

/** Which paths are answered on the lane, and how; looked up when a connection asks with a new head. */
export type PlainRoutes = (path: string) => PlainHandler | undefined;

export interface PlainLaneOptions {
  readonly routes: PlainRoutes;
  /** Larger bodies are node:http’s. */
  readonly bodyBytesMax: number;
  readonly failed: (error: unknown) => void;
}

/** Beyond it a body is not plain: it is read in many pieces, and what the lane saves does not count. */
const plainBodyBytesMax = 1_048_576;
const turnMs = 1_000;
/** A half request waits this many turns, then node:http goes on waiting, with its own limits; after our last answer a client has as many to go. */
const turnsMax = 2;

type ConnectionListener = (this: Server, socket: Socket) => void;

/**
 * The way past node:http for requests that are certainly plain, on the same port: Node’s parser costs more than a prediction.
 * The socket of anything else is handed over, with its bytes, for the rest of its life; the lane itself refuses nothing.
 */
export class HttpPlainLane implements PlainLane {
  readonly bodyBytesMax: number;
  private readonly connections = new Map<Socket, PlainConnection>();
  private readonly headEnds: HeadEnds;

  /** @param toNodeHttp the server’s own listener for connections, which node:http has put there. */
  constructor(
    private readonly server: Server,
    private readonly toNodeHttp: ConnectionListener,
    private readonly options: PlainLaneOptions,
    private readonly isDraining: () => boolean,
  ) {
    this.bodyBytesMax = Math.min(plainBodyBytesMax, options.bodyBytesMax);
    this.headEnds = new HeadEnds(server.keepAliveTimeout);
    const clock = setInterval(() => this.turn(), turnMs).unref();
    server.once('close', () => clearInterval(clock));
  }

  accept(socket: Socket): void {
    this.connections.set(socket, new PlainConnection(socket, this));
    socket.once('close', () => this.connections.delete(socket));
  }

  of(socket: Socket): PlainConnection | undefined {
    return this.connections.get(socket);
  }

  get closing(): boolean {
    return this.isDraining();
  }

  handlerOf(path: string): PlainHandler | undefined {
    return this.options.routes(path);
  }

  headEnd(nowMs: number, close: boolean): string {
    return this.headEnds.of(nowMs, close);
  }

  handOver({ socket }: PlainConnection, unread: Buffer): void {
    this.connections.delete(socket);
    socket.pause();
    if (unread.length > 0) socket.unshift(unread);
    this.toNodeHttp.call(this.server, socket);
    socket.resume();
  }

  clientError(error: Error & { code: string }, socket: Socket): void {
    if (!this.server.emit('clientError', error, socket)) socket.destroy();
  }

  failed(error: unknown): void {
    this.options.failed(error);
  }

  private turn(): void {
    const { headersTimeout, keepAliveTimeout } = this.server;
    for (const [socket, connection] of this.connections) {
      connection.age += 1;
      const ageMs = (connection.age - 1) * turnMs;
      if (connection.phase === 'partial' && connection.age > turnsMax) connection.leave();
      else if (connection.phase === 'ending' && connection.age > turnsMax) socket.destroy();
      else if ((connection.phase === 'idle' || connection.phase === 'blocked') && keepAliveTimeout > 0 && ageMs > keepAliveTimeout) socket.destroy();
      else if (connection.phase === 'fresh' && headersTimeout > 0 && ageMs > headersTimeout) this.expire(connection);
    }
  }

  private expire({ socket }: PlainConnection): void {
    this.connections.delete(socket);
    this.clientError(Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  }
}
