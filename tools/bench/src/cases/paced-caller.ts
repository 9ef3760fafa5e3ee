import { Connection } from '../load/connection.js';
import { inTurn } from '../load/request-turns.js';
import { pause } from '../pause.js';

/** One request of a slow, careful caller who remembers everything. Times by performance.now(). */
export interface Call {
  readonly sentMs: number;
  readonly doneMs: number;
  readonly status: number;
  readonly body: string;
}

/** The smallest time, ms, that at least the part `share` of the calls did not exceed; null for none. */
export function waitOf(calls: readonly Call[], share: number): number | null {
  const waits = calls.map(({ sentMs, doneMs }) => doneMs - sentMs).sort((a, b) => a - b);
  return waits[Math.max(1, Math.ceil(waits.length * share)) - 1] ?? null;
}

const connectionsMax = 16;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Calls at a fixed, moderate rate (some hundreds a second) and keeps every answer, to hold it against what was done
 * meanwhile. Connections are dealt out to the addresses in turn; an answer that says `connection: close` is obeyed.
 */
export class PacedCaller {
  readonly calls: Call[] = [];
  readonly lost: string[] = [];
  private readonly idle: Connection[] = [];
  private readonly connections = new Set<Connection>();
  private readonly timer: NodeJS.Timeout;
  private readonly startMs = performance.now();
  private sent = 0;
  private dialled = 0;
  private over = false;

  constructor(
    private readonly addresses: readonly [Address, ...Address[]],
    requests: readonly Uint8Array[],
    perSecond: number,
  ) {
    const next = inTurn(requests);
    for (let count = 0; count < connectionsMax; count += 1) this.dial();
    this.timer = setInterval(() => {
      const due = ((performance.now() - this.startMs) * perSecond) / 1_000;
      for (; this.sent < due; this.sent += 1) {
        const connection = this.idle.pop();
        if (connection === undefined) return; // all are waiting; what is due is sent as soon as one is free
        connection.send(next(), performance.now());
      }
    }, 2);
  }

  /** Stops calling and waits for the answers on the way, at most 5 s. */
  async finish(): Promise<void> {
    clearInterval(this.timer);
    const deadlineMs = performance.now() + 5_000;
    while ([...this.connections].some(({ busy }) => busy) && performance.now() < deadlineMs) await pause(20);
    this.over = true;
    for (const connection of this.connections) {
      if (connection.busy) this.lost.push('no answer within 5 s');
      connection.close();
    }
  }

  private dial(): void {
    const address = this.addresses[this.dialled % this.addresses.length] ?? this.addresses[0];
    this.dialled += 1;
    const connection = new Connection(
      address,
      (ready) => this.idle.push(ready),
      (from, status, head, body) => {
        this.calls.push({ sentMs: from.dueMs, doneMs: performance.now(), status, body: body.toString('utf8') });
        // A server that drains asks to come back on another connection.
        if (/\r\nconnection: *close/iu.test(head)) this.leave(from);
        else this.idle.push(from);
      },
      (from, reason) => {
        this.forget(from);
        if (from.busy) this.lost.push(reason);
        if (!this.over) setTimeout(() => this.over || this.dial(), 10);
      },
    );
    this.connections.add(connection);
  }

  private leave(connection: Connection): void {
    this.forget(connection);
    connection.close();
    if (!this.over) this.dial();
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection);
    const place = this.idle.indexOf(connection);
    if (place !== -1) this.idle.splice(place, 1);
  }
}
