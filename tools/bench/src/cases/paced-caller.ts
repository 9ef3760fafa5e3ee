import { Connection } from '../load/connection.js';
import { inTurn } from '../load/request-turns.js';

/** One request of a slow, careful caller who remembers everything. Times by performance.now(). */
export interface Call {
  readonly sentMs: number;
  readonly doneMs: number;
  readonly status: number;
  readonly body: string;
}

/** Calls at a fixed, moderate rate (some hundreds a second) and keeps every answer, to hold it against what was done meanwhile. */
export class PacedCaller {
  readonly calls: Call[] = [];
  readonly lost: string[] = [];
  private readonly idle: Connection[] = [];
  private readonly connections = new Set<Connection>();
  private readonly timer: NodeJS.Timeout;
  private readonly startMs = performance.now();
  private sent = 0;
  private over = false;

  constructor(
    private readonly address: { readonly host: string; readonly port: number },
    requests: readonly Uint8Array[],
    perSecond: number,
  ) {
    const next = inTurn(requests);
    for (let count = 0; count < 16; count += 1) this.dial();
    this.timer = setInterval(() => {
      const due = ((performance.now() - this.startMs) * perSecond) / 1_000;
      for (; this.sent < due; this.sent += 1) {
        const connection = this.idle.pop();
        if (connection === undefined) this.dial();
        else connection.send(next(), performance.now());
      }
    }, 2);
  }

  /** Stops calling and waits for the answers on the way, at most 5 s. */
  async finish(): Promise<void> {
    clearInterval(this.timer);
    const deadlineMs = performance.now() + 5_000;
    while ([...this.connections].some(({ busy }) => busy) && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 20));
    this.over = true;
    for (const connection of this.connections) {
      if (connection.busy) this.lost.push('no answer within 5 s');
      connection.close();
    }
  }

  private dial(): void {
    const connection = new Connection(
      this.address,
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
