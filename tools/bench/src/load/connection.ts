import { connect, type Socket } from 'node:net';
import { ResponseParser, type OnResponse } from './response-parser.js';

/** One keep-alive connection with at most one request in flight. Lost connections are told once and not opened again. */
export class Connection {
  /** By performance.now(): when the request in flight was due. */
  dueMs = 0;
  busy = false;
  lost = false;
  private readonly socket: Socket;

  constructor(address: { readonly host: string; readonly port: number }, onReady: (self: Connection) => void, onResponse: (self: Connection, ...answer: Parameters<OnResponse>) => void, onLost: (self: Connection, reason: string) => void) {
    const parser = new ResponseParser((status, head, body) => {
      this.busy = false;
      onResponse(this, status, head, body);
    });
    const lose = (reason: string): void => {
      if (this.lost) return;
      this.lost = true;
      this.socket.destroy();
      onLost(this, reason);
    };
    this.socket = connect({ ...address, noDelay: true });
    this.socket.on('connect', () => onReady(this));
    this.socket.on('data', (piece: Buffer) => {
      try {
        parser.feed(piece);
      } catch (error) {
        lose(error instanceof Error ? error.message : String(error));
      }
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => lose(error.code ?? error.message));
    this.socket.on('close', () => lose('closed by the server'));
  }

  send(bytes: Uint8Array, dueMs: number): void {
    this.busy = true;
    this.dueMs = dueMs;
    this.socket.write(bytes);
  }

  close(): void {
    this.lost = true;
    this.socket.destroy();
  }
}
