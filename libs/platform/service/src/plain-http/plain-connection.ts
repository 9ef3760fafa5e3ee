import type { Socket } from 'node:net';
import { answerPieces, type HttpAnswer } from './plain-answer.js';
import { bodyUnder, readPlainHead, type PlainBody, type PlainHead, type PlainHeaders } from './plain-head.js';

/** Answers the body of a request; never rejects for what a client has done. */
export type PlainHandler = (headers: PlainHeaders, body: Buffer) => Promise<HttpAnswer>;

/** What a connection needs of the lane that it is on. */
export interface PlainLane {
  handlerOf(path: string): PlainHandler | undefined;
  readonly bodyBytesMax: number;
  /** Whether the client shall come back on another connection. */
  readonly closing: boolean;
  headEnd(nowMs: number, close: boolean): string;
  /** The socket, with the bytes that nobody has taken, is node:http’s from now on. */
  handOver(connection: PlainConnection, unread: Buffer): void;
  /** A request that cannot be completed, as node:http tells of it. */
  clientError(error: Error & { code: string }, socket: Socket): void;
  failed(error: unknown): void;
}

/**
 * fresh: nothing has come yet. idle: between requests. partial: a head, and a part of its body. answering: one request is with
 * its handler. blocked: the client does not read. ending: our last answer is given; what comes is dropped.
 */
type Phase = 'fresh' | 'idle' | 'partial' | 'answering' | 'blocked' | 'ending';

const noBytes = Buffer.alloc(0);
/** Bytes that may come after our last answer, until the connection is cut. */
const drop = (): void => undefined;

/**
 * One connection while its requests are plain: one request in flight, an answer in one write. What comes meanwhile stays with the
 * socket, which is paused; at most one piece of it (64 KiB) is held here.
 */
export class PlainConnection {
  phase: Phase = 'fresh';
  /** Turns of the lane’s clock since the phase began. */
  age = 0;
  /** By Date.now(): when the last answer was given. */
  answeredMs = -Infinity;
  private unread: Buffer = noBytes;
  /** While `partial`: what has come, and how many bytes are worth looking at. */
  private pieces: Buffer[] = [];
  private gathered = 0;
  private needed = 0;
  /** The request before: clients of a connection repeat their head but for the length. */
  private memo: PlainHead | null = null;
  private handler: PlainHandler | undefined;
  private ended = false;

  constructor(
    readonly socket: Socket,
    private readonly lane: PlainLane,
  ) {
    socket.on('data', this.onData).on('end', this.onEnd).on('drain', this.onDrain).on('error', drop);
  }

  /** Whether a request waits for its answer, or an answer for being read. */
  get busy(): boolean {
    return this.phase === 'answering' || this.phase === 'blocked' || this.phase === 'partial';
  }

  /** No more answers: ends the connection when it is idle, otherwise with its answer. What still comes is read and dropped, so that no reset overtakes an answer. */
  end(): void {
    if (this.phase === 'answering' || this.phase === 'blocked') return;
    this.enter('ending');
    this.socket.end();
    this.socket.resume();
  }

  /** To node:http, with all that was not answered. */
  leave(): void {
    const bytes = this.phase === 'partial' ? this.taken() : this.unread;
    this.socket.off('data', this.onData).off('end', this.onEnd).off('drain', this.onDrain).off('error', drop);
    this.lane.handOver(this, bytes);
  }

  private readonly onData = (piece: Buffer): void => {
    if (this.phase === 'ending') return;
    if (this.phase === 'answering' || this.phase === 'blocked') {
      this.unread = this.unread.length === 0 ? piece : Buffer.concat([this.unread, piece]);
      this.socket.pause();
    } else if (this.phase === 'partial') {
      this.pieces.push(piece);
      this.gathered += piece.length;
      if (this.gathered >= this.needed) this.take(this.taken());
    } else {
      this.take(piece);
    }
  };

  private readonly onEnd = (): void => {
    this.ended = true;
    if (this.phase === 'partial') this.breakOff();
    else this.end();
  };

  /** Half a request, and then no more: as node:http has it. */
  private breakOff(): void {
    this.enter('ending');
    this.lane.clientError(Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_EOF_STATE' }), this.socket);
  }

  private readonly onDrain = (): void => {
    if (this.phase === 'blocked') this.next();
  };

  /** @param bytes from the beginning of a request on. */
  private take(bytes: Buffer): void {
    const known = this.memo === null ? null : bodyUnder(this.memo, bytes);
    const body = known ?? this.read(bytes);
    if (body === null || this.handler === undefined || body.length > this.lane.bodyBytesMax) {
      this.unread = bytes;
      this.enter('idle');
      // Nobody can be handed a socket whose end was seen; node:http would have dropped what was in flight at that end, too.
      if (this.ended) this.end();
      else this.leave();
      return;
    }
    const end = body.from + body.length;
    if (bytes.length < end) {
      this.pieces = [bytes];
      this.gathered = bytes.length;
      this.needed = end;
      this.enter('partial');
      return;
    }
    this.unread = bytes.length === end ? noBytes : bytes.subarray(end);
    this.enter('answering');
    this.handler(this.memo?.headers ?? {}, bytes.subarray(body.from, end)).then(this.give, this.fail);
  }

  private read(bytes: Buffer): PlainBody | null {
    const head = readPlainHead(bytes);
    if (head === null) return null;
    this.memo = head;
    this.handler = this.lane.handlerOf(head.path);
    return bodyUnder(head, bytes);
  }

  private readonly give = (answer: HttpAnswer): void => {
    if (this.socket.destroyed) return;
    const close = this.lane.closing || (this.ended && this.unread.length === 0);
    this.answeredMs = Date.now();
    const pieces = answerPieces(answer, this.lane.headEnd(this.answeredMs, close));
    let flushed: boolean;
    if (pieces.length === 1) {
      flushed = this.socket.write(pieces[0], 'latin1');
    } else {
      this.socket.cork();
      this.socket.write(pieces[0], 'latin1');
      flushed = this.socket.write(pieces[1]);
      this.socket.uncork();
    }
    if (close) {
      this.enter('idle');
      this.end();
    } else if (flushed) {
      this.next();
    } else {
      this.enter('blocked');
    }
  };

  private readonly fail = (error: unknown): void => {
    this.lane.failed(error);
    this.socket.destroy();
  };

  private next(): void {
    this.enter('idle');
    const { unread } = this;
    if (unread.length > 0) {
      this.unread = noBytes;
      this.take(unread);
    }
    if (this.phase !== 'idle' && this.phase !== 'partial') return;
    if (this.ended) this.onEnd();
    else if (this.socket.isPaused()) this.socket.resume();
  }

  private taken(): Buffer {
    const [first = noBytes] = this.pieces;
    const all = this.pieces.length === 1 ? first : Buffer.concat(this.pieces, this.gathered);
    this.pieces = [];
    return all;
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.age = 0;
  }
}
