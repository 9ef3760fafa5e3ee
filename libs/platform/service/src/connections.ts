import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Open connections and how many requests each has in flight: Node’s own count of idle ones misses those that never asked. */
export class Connections {
  private readonly inFlight = new Map<Socket, number>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.inFlight.set(socket, 0);
      socket.once('close', () => this.inFlight.delete(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response) => {
      this.add(socket, 1);
      response.once('close', () => this.add(socket, -1));
    });
  }

  /** Ends those that wait for nothing; the others end with their answers. */
  endIdle(): void {
    for (const [socket, requests] of this.inFlight) if (requests === 0) socket.destroy();
  }

  private add(socket: Socket, requests: number): void {
    const known = this.inFlight.get(socket);
    if (known !== undefined) this.inFlight.set(socket, known + requests);
  }
}
