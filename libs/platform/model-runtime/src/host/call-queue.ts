import type { Tensors } from '@millrace/contracts';
import type { RunTimeEstimate } from './run-time-estimate.js';

/** One request that waits for its model. */
export interface Call {
  readonly feeds: Tensors;
  /** Calls with equal keys may share a run; null: runs alone. */
  readonly key: string | null;
  readonly rows: number;
  /** 1 is served first; `lowestPriority` when none was given. */
  readonly priority: number;
  /** On the clock of performance.now(); Infinity: none. */
  readonly deadlineMs: number;
  readonly enqueuedMs: number;
  /** Answered at its deadline while its run had not ended. */
  settled: boolean;
  readonly resolve: (outputs: Tensors) => void;
  readonly reject: (error: unknown) => void;
}

export const lowestPriority = Number.MAX_SAFE_INTEGER;

/** What a batch must keep to. */
export interface BatchRoom {
  readonly rowsMax: number;
  readonly nowMs: number;
  /** Milliseconds until the worker can begin. */
  readonly aheadMs: number;
  readonly estimate: RunTimeEstimate;
  /** Nothing else waits or runs: the first call is tried even if it is expected to be late, or a wrong estimate would never be set right. */
  readonly idle: boolean;
}

export interface Taken {
  readonly batch: Call[];
  readonly rows: number;
  readonly deadlineMs: number;
  /** Calls whose time is over, or would be before their run ended. */
  readonly expired: Call[];
}

/** The calls of one model, higher priority first, otherwise in order of arrival. Holds no clock. */
export class CallQueue {
  /** What stands before #head is gone. */
  #calls: (Call | undefined)[] = [];
  #head = 0;
  #rows = 0;
  #withDeadline = 0;

  get length(): number { return this.#calls.length - this.#head; }
  get rows(): number { return this.#rows; }
  get first(): Call | undefined { return this.#calls[this.#head]; }

  push(call: Call): void {
    let at = this.#calls.length;
    while (at > this.#head && (this.#calls[at - 1]?.priority ?? 0) > call.priority) at -= 1;
    if (at === this.#calls.length) this.#calls.push(call);
    else this.#calls.splice(at, 0, call);
    this.#count(call, 1);
  }

  /** Puts calls that were taken before all others again, in their order. */
  putBack(calls: readonly Call[]): void {
    this.#calls = [...calls, ...this.#waiting()];
    this.#head = 0;
    for (const call of calls) this.#count(call, 1);
  }

  /** Rows that would be served before a new call of this priority. */
  rowsBefore(priority: number): number {
    if (priority === lowestPriority) return this.#rows;
    let rows = 0;
    for (let at = this.#head; at < this.#calls.length; at += 1) {
      const call = this.#calls[at];
      if (call === undefined || call.priority > priority) break;
      rows += call.rows;
    }
    return rows;
  }

  /** Takes the next calls that may share a run and will be done in time together. Calls are never split. */
  take(room: BatchRoom): Taken {
    const [batch, expired, passedOver]: [Call[], Call[], Call[]] = [[], [], []];
    const startMs = room.nowMs + room.aheadMs;
    let [rows, deadlineMs, at] = [0, Infinity, this.#head];
    for (; at < this.#calls.length; at += 1) {
      const call = this.#calls[at];
      if (call === undefined || batch[0]?.key === null) break;
      const inTime = room.idle && batch.length === 0 ? room.nowMs <= call.deadlineMs : startMs + room.estimate.runMs(call.rows) <= call.deadlineMs;
      if (!inTime) {
        expired.push(call);
      } else if (batch.length > 0 && call.key !== batch[0]?.key) {
        passedOver.push(call);
      } else if (batch.length > 0 && (rows + call.rows > room.rowsMax || startMs + room.estimate.runMs(rows + call.rows) > Math.min(deadlineMs, call.deadlineMs))) {
        break;
      } else {
        batch.push(call);
        rows += call.rows;
        deadlineMs = Math.min(deadlineMs, call.deadlineMs);
      }
    }
    this.#leave(at, passedOver);
    for (const call of batch) this.#count(call, -1);
    for (const call of expired) this.#count(call, -1);
    return { batch, rows, deadlineMs, expired };
  }

  /** Takes the calls whose deadline has passed. */
  takeExpired(nowMs: number): Call[] {
    if (this.#withDeadline === 0) return [];
    const waiting = this.#waiting();
    const expired = waiting.filter(({ deadlineMs }) => deadlineMs < nowMs);
    if (expired.length === 0) return [];
    this.#calls = waiting.filter(({ deadlineMs }) => deadlineMs >= nowMs);
    this.#head = 0;
    for (const call of expired) this.#count(call, -1);
    return expired;
  }

  takeAll(): Call[] {
    const all = this.#waiting();
    this.#calls = [];
    this.#head = 0;
    for (const call of all) this.#count(call, -1);
    return all;
  }

  #waiting(): Call[] {
    return this.#calls.slice(this.#head).filter((call) => call !== undefined);
  }

  /** Everything before `at` was taken, but for those passed over. */
  #leave(at: number, passedOver: readonly Call[]): void {
    const from = this.#head;
    this.#head = at - passedOver.length;
    for (const [index, call] of passedOver.entries()) this.#calls[this.#head + index] = call;
    // A call leads to all that its request has made: left in the list, a thousand of them would live until there is another list.
    this.#calls.fill(undefined, from, this.#head);
    if (this.#head === this.#calls.length) this.#calls = [];
    else if (this.#head > 1024 && this.#head * 2 > this.#calls.length) this.#calls = this.#calls.slice(this.#head);
    else return;
    this.#head = 0;
  }

  #count(call: Call, sign: 1 | -1): void {
    this.#rows += sign * call.rows;
    if (call.deadlineMs !== Infinity) this.#withDeadline += sign;
  }
}
