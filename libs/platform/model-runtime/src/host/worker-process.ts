import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { frameKinds, type Frame } from '../wire/frame.js';
import { FrameStream } from '../wire/frame-stream.js';
import { residentBytesOf } from './resident-bytes.js';

// From src as from dist: specs run the TypeScript of the host, and the worker is the built file all the same.
const entry = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url));

// A worker's own heap only holds a batch in passing; what counts is the sessions' native memory.
const flags = ['--max-semi-space-size=1', '--v8-pool-size=1'];
// One arena, and freed blocks from 64 KiB on go back to the system at once: a loaded file leaves no hole behind.
const lean = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' };
const stderrCharactersMax = 2000;

/** What the host waits for from a worker. Answers come in the order of the questions. */
export interface Exchange {
  readonly slot: number;
  /** Estimated milliseconds of the worker's time. */
  readonly expectedMs: number;
  /** Known to be over before the next could be on its way: that one may be sent already. */
  readonly short?: boolean;
  /** When it takes longer, from the moment it is first in line, the worker is killed. */
  readonly limitMs: number;
  /** @param tookMs from when it was first in line. */
  readonly onAnswer: (frame: Frame, tookMs: number) => void;
  /** The worker is gone. `started`: this exchange was the one being worked on. */
  readonly onLost: (reason: string, started: boolean) => void;
}

interface Waiting {
  readonly exchange: Exchange;
  readonly id: number;
  firstInLineMs: number;
  suspect: boolean;
}

export interface WorkerEvents {
  /** After every exchange of the lost worker has been told. Not called after `end`. */
  onLost(worker: WorkerProcess, reason: string): void;
  /** An answer has come, so that there is room for the next question. */
  onRoom(worker: WorkerProcess): void;
  onStarted(pid: number): void;
  onGone(pid: number): void;
}

/** One child process and the stream to it. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #stream: Socket;
  readonly #waiting: Waiting[] = [];
  readonly gone: Promise<void>;
  #ids = 0;
  #slots = 0;
  #ending = false;
  #lost: string | null = null;
  #stderr = '';

  constructor(private readonly events: WorkerEvents) {
    const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...environment } = process.env;
    // Detached: a Ctrl-C at the terminal ends the host, which then drains; it must not end the workers first.
    this.#child = spawn(process.execPath, [...flags, entry], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], detached: true, env: { ...lean, ...environment } });
    const stream = this.#child.stdio[3];
    if (!(stream instanceof Socket)) throw new Error('the system gave a worker no stream');
    this.#stream = stream;
    const frames = new FrameStream((frame) => this.#take(frame));
    stream.on('data', (piece: Buffer) => frames.take(piece));
    stream.on('error', () => undefined); // a broken stream is the end of the process, told by 'close'
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-stderrCharactersMax)));
    if (this.#child.pid !== undefined) events.onStarted(this.#child.pid);
    this.gone = new Promise((resolve) => this.#child.once('close', (code, signal) => {
      if (this.#child.pid !== undefined) events.onGone(this.#child.pid);
      this.#lose(this.#endOf(code, signal));
      resolve();
    }));
    this.#child.once('error', ({ message }) => this.#lose(`it could not be started: ${message}`));
  }

  get pid(): number { return this.#child.pid ?? 0; }
  get alive(): boolean { return this.#lost === null && !this.#ending; }
  get exchanges(): number { return this.#waiting.length; }
  get onShort(): boolean { return this.#waiting[0]?.exchange.short === true; }
  get residentBytes(): number | null { return this.#child.pid === undefined ? null : residentBytesOf(this.#child.pid); }

  /** A number for a model in this worker, never given twice. */
  nextSlot(): number {
    return (this.#slots += 1);
  }

  /** Estimated milliseconds until what has been asked is answered. */
  busyMs(nowMs: number): number {
    let sum = 0;
    for (const [index, { exchange, firstInLineMs }] of this.#waiting.entries()) sum += index === 0 ? Math.max(0, exchange.expectedMs - (nowMs - firstInLineMs)) : exchange.expectedMs;
    return sum;
  }

  /** @param write makes the frame for the exchange's number; its memory is the stream's from then on. */
  ask(exchange: Exchange, write: (id: number) => Uint8Array): void {
    if (this.#lost !== null) return exchange.onLost(this.#lost, false);
    this.#ids = (this.#ids + 1) >>> 0;
    const frame = write(this.#ids);
    this.#waiting.push({ exchange, id: this.#ids, firstInLineMs: performance.now(), suspect: false });
    this.#stream.write(frame);
  }

  /** Kills a worker whose first exchange is past its limit at two looks, between which an answer lying in the stream had time to be read. */
  checkLimits(nowMs: number): void {
    const first = this.#waiting[0];
    if (first === undefined || nowMs - first.firstInLineMs <= first.exchange.limitMs) return;
    if (first.suspect) this.kill(`it worked on one call for more than ${first.exchange.limitMs} ms`);
    first.suspect = true;
  }

  /** Ends the process as a failure: everything asked is lost, at once. */
  kill(reason: string): void {
    this.#child.kill('SIGKILL');
    this.#lose(`it was stopped: ${reason}`);
  }

  /** Ends the process without a word; nothing may be waiting. */
  end(): void {
    this.#ending = true;
    this.#child.kill('SIGKILL');
  }

  #take(frame: Frame): void {
    const first = this.#waiting.shift();
    if (this.#lost !== null || first === undefined) return;
    if (first.id !== frame.exchange) return this.kill('its answers are out of order');
    const nowMs = performance.now();
    const next = this.#waiting[0];
    if (next !== undefined) next.firstInLineMs = nowMs;
    first.exchange.onAnswer(frame, nowMs - first.firstInLineMs);
    this.events.onRoom(this);
  }

  #lose(reason: string): void {
    if (this.#lost !== null) return;
    this.#lost = reason;
    for (const [index, { exchange }] of this.#waiting.splice(0).entries()) exchange.onLost(reason, index === 0);
    if (!this.#ending) this.events.onLost(this, reason);
  }

  #endOf(code: number | null, signal: NodeJS.Signals | null): string {
    const last = this.#stderr.trim().split('\n').slice(-3).join(' | ');
    return `${signal === null ? `it ended with code ${code ?? 'unknown'}` : `it died of ${signal}`}${last === '' ? '' : ` (its last words: ${last})`}`;
  }
}

export const refusalIn = (frame: Frame): string | null => {
  if (frame.kind !== frameKinds.failed) return null;
  const content = frame.json();
  return typeof content === 'object' && content !== null && 'reason' in content ? String(content.reason) : 'it gave no reason';
};
