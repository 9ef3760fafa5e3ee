import { Connection } from './connection.js';
import type { LoadJob, LoadResult } from './job.js';
import { inTurn } from './request-turns.js';
import { Tally } from './tally.js';

/** Sleeping so briefly keeps requests punctual to a tenth of a millisecond without taking a core from the server. */
const napMs = 0.1;
/** What has not been answered so long after the window is counted as lost. */
const graceMs = 5_000;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Requests are due at fixed instants and latency counts from then, also while a request waits for a free connection: a
 * server that stalls cannot slow down its own examination (no coordinated omission).
 */
class OpenLoop {
  private readonly tally: Tally;
  private readonly next: () => Uint8Array;
  private readonly free: Connection[] = [];
  private readonly every = new Set<Connection>();
  /** Due, and waiting for a connection. */
  private readonly backlog: number[] = [];
  private backlogStart = 0;
  private readonly startMs = performance.now() + 50;
  private readonly windowStartMs: number;
  private readonly windowEndMs: number;
  private sent = 0;
  /** Requests of the window without an answer yet. */
  private awaited = 0;

  constructor(
    private readonly job: LoadJob,
    private readonly perSecond: number,
    private readonly done: (result: LoadResult) => void,
  ) {
    this.tally = new Tally(job);
    this.next = inTurn(job.requests);
    this.windowStartMs = this.startMs + job.warmUpMs;
    this.windowEndMs = this.windowStartMs + job.windowMs;
    for (let count = 0; count < job.connections; count += 1) this.dial();
    setTimeout(() => this.tally.open(), this.windowStartMs - performance.now());
    setTimeout(() => this.tally.close(), this.windowEndMs - performance.now());
    this.tick();
  }

  private inWindow(dueMs: number): boolean {
    return dueMs >= this.windowStartMs && dueMs < this.windowEndMs;
  }

  private dial(): void {
    const connection = new Connection(
      this.job,
      (ready) => this.release(ready),
      (from, status, head, body) => {
        if (this.inWindow(from.dueMs)) {
          this.tally.answer(status, head, body, performance.now() - from.dueMs);
          this.awaited -= 1;
        }
        this.release(from);
      },
      (from, reason) => this.replace(from, reason),
    );
    this.every.add(connection);
  }

  private replace(connection: Connection, reason: string): void {
    this.every.delete(connection);
    if (connection.busy && this.inWindow(connection.dueMs)) {
      this.tally.lose(reason);
      this.awaited -= 1;
    }
    if (performance.now() < this.windowEndMs + graceMs) setTimeout(() => this.dial(), 20);
  }

  private release(connection: Connection): void {
    if (this.backlogStart < this.backlog.length) {
      const dueMs = this.backlog[this.backlogStart] ?? 0;
      this.backlogStart += 1;
      this.send(connection, dueMs);
    } else this.free.push(connection);
  }

  private send(connection: Connection, dueMs: number): void {
    if (this.inWindow(dueMs)) this.tally.late(performance.now() - dueMs);
    connection.send(this.next(), dueMs);
  }

  private due(dueMs: number): void {
    if (this.inWindow(dueMs)) this.awaited += 1;
    let connection = this.free.pop();
    while (connection?.lost === true) connection = this.free.pop();
    if (connection !== undefined) this.send(connection, dueMs);
    else {
      this.backlog.push(dueMs);
      if (this.every.size < (this.job.connectionsMax ?? this.job.connections)) this.dial();
    }
  }

  private readonly tick = (): void => {
    const nowMs = performance.now();
    let dueMs = this.startMs + (this.sent * 1_000) / this.perSecond;
    while (dueMs <= nowMs && dueMs < this.windowEndMs) {
      this.due(dueMs);
      this.sent += 1;
      dueMs = this.startMs + (this.sent * 1_000) / this.perSecond;
    }
    if (dueMs >= this.windowEndMs && (this.awaited === 0 || nowMs > this.windowEndMs + graceMs) && nowMs > this.windowEndMs + 20) return this.finish();
    if (this.backlogStart < this.backlog.length) {
      // Nothing can be sent before an answer comes, and answers wake us: polling would only take time from the server.
      setTimeout(this.tick, 1);
      return;
    }
    const waitMs = dueMs >= this.windowEndMs ? napMs : Math.min(napMs, dueMs - performance.now());
    if (waitMs > 0.01) Atomics.wait(sleeper, 0, 0, waitMs);
    setImmediate(this.tick);
  };

  private finish(): void {
    for (let count = 0; count < this.awaited; count += 1) this.tally.lose(`no answer within ${graceMs / 1_000} s`);
    for (const connection of this.every) connection.close();
    this.done(this.tally.result());
  }
}

export function runOpenLoop(job: LoadJob, perSecond: number): Promise<LoadResult> {
  return new Promise((resolve) => new OpenLoop(job, perSecond, resolve));
}
