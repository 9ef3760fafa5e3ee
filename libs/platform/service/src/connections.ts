import type { IncomingMessage, Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { HttpPlainLane, type PlainLaneOptions } from './plain-http/plain-lane.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A drain takes at most so many times its grace, and then what requests in flight take. */
export const drainGraces = 3;
/** Connections that the kernel keeps for a server that has not accepted them: what Node asks for. */
const backlogMax = 511;
/** How often a server that drains looks at its connections. */
const lookMs = 20;
/** Who has asked within this time before the drain began is expected to ask again, and to hear that it shall go elsewhere. */
const inUseMs = 10_000;
/** How long clients have to end connections that were ended on our side. */
const lingerMs = 2_000;

/** A connection that is node:http’s. */
interface Carried {
  requests: number;
  /** By Date.now(): when the last answer was given. */
  answeredMs: number;
}

/**
 * The connections of an HTTP server: on which lane each of them is, whether it waits for an answer (Node’s own count of idle
 * ones misses those that never asked), and how all of them end without a lost answer.
 */
export class Connections {
  draining = false;
  private readonly open = new Map<Socket, Carried>();
  private accepted = 0;
  private lane: HttpPlainLane | undefined;

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.accepted += 1;
      this.open.set(socket, { requests: 0, answeredMs: -Infinity });
      socket.once('close', () => this.open.delete(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response) => {
      const carried = this.open.get(socket);
      if (carried === undefined) return;
      carried.requests += 1;
      response.once('close', () => {
        carried.requests -= 1;
        carried.answeredMs = Date.now();
      });
    });
  }

  /** From now on new connections begin on the lane for plain requests; node:http gets what the lane hands over. */
  answerPlain(options: PlainLaneOptions): void {
    const [toNodeHttp] = this.server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
    if (toNodeHttp === undefined || this.lane !== undefined) throw new RangeError('a server has one lane, in front of node:http');
    const lane = (this.lane = new HttpPlainLane(this.server, toNodeHttp, options, () => this.draining));
    this.server.off('connection', toNodeHttp);
    this.server.prependListener('connection', (socket: Socket) => lane.accept(socket));
  }

  /**
   * Answers on for `graceMs`, with a word to come back on another connection; stops listening; waits, `drainGraces` times as long
   * in all, for those who asked lately and have not heard it; then ends what is idle. A request that crosses the end of its connection is lost, and HTTP/1.1 has no
   * other word to prevent it than the one in an answer. Resolves when no connection is left: requests in flight are waited for.
   */
  async drain(graceMs: number): Promise<void> {
    const inUseSinceMs = Date.now() - inUseMs;
    this.draining = true;
    await pause(graceMs);
    await this.emptyBacklog();
    // Not http.Server’s own close, which cuts connections whose requests have come and were not read yet.
    NetServer.prototype.close.call(this.server);
    const heardMs = performance.now() + (drainGraces - 1) * graceMs;
    while (performance.now() < heardMs && [...this.open].some(([socket, carried]) => this.expectedBack(socket, carried, inUseSinceMs))) await pause(lookMs);
    await turn();
    const cutMs = performance.now() + lingerMs;
    for (;;) {
      this.endIdle(performance.now() > cutMs);
      if (this.open.size === 0) return;
      await pause(lookMs);
    }
  }

  /** Until a turn of the loop has accepted nobody: connections that the kernel has made and nobody has accepted would be reset. One turn accepts one. */
  private async emptyBacklog(): Promise<void> {
    for (let turns = 0, before = -1; before !== this.accepted && turns < backlogMax; turns += 1) {
      before = this.accepted;
      await turn();
    }
  }

  private expectedBack(socket: Socket, carried: Carried, sinceMs: number): boolean {
    const plain = this.lane?.of(socket);
    return plain === undefined ? carried.answeredMs > sinceMs : plain.phase !== 'ending' && plain.answeredMs > sinceMs;
  }

  /** Ends those that wait for nothing; the others end with their answers. @param cut without waiting for the other side’s end. */
  private endIdle(cut: boolean): void {
    for (const [socket, { requests }] of this.open) {
      const plain = this.lane?.of(socket);
      if (plain === undefined ? requests > 0 : plain.busy) continue;
      if (cut) socket.destroy();
      else if (plain === undefined) socket.end();
      else plain.end();
    }
  }
}
