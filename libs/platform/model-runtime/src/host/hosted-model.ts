import { MillraceError, type Tensors, type TensorSpec } from '@millrace/contracts';
import { validateFeeds } from '../validate-feeds.js';
import { frameKinds, tensorFrame, type Frame, type JoinedTensor } from '../wire/frame.js';
import { CallQueue, lowestPriority, type Call, type Taken } from './call-queue.js';
import type { Lane, LaneUser } from './lane.js';
import { StatisticsBook, type ModelStatistics } from './model-statistics.js';
import { RowKeys } from './row-keys.js';
import { RunTimeEstimate } from './run-time-estimate.js';
import type { FullLimits, RunOptions, ServedModel } from './served-model.js';
import { namedOutputs, splitOutputs } from './split-outputs.js';
import { refusalIn } from './worker-process.js';

/** Where a model lives: a lane, and its number there. */
export interface Seat {
  readonly lane: Lane;
  readonly slot: number;
}

export interface HostedModelEvents {
  /** A run of this model took so long; told for every run. */
  onRun(model: HostedModel, ms: number): void;
  onClose(model: HostedModel): Promise<void>;
}

// From this process's clock to the machine's monotonic one, which host and workers share.
const monotonicOffsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

const lost = (reason: string): MillraceError => new MillraceError('MODEL_WORKER_LOST', `the model's worker was lost: ${reason}. The request may have been the cause; others are not affected.`);
const late = (): MillraceError => new MillraceError('DEADLINE_EXCEEDED', 'the request’s time was over before it could be answered');

const unsettled = (calls: readonly Call[]): Call[] => calls.filter(({ settled }) => !settled);

/** A request is taken on if it is expected to be answered within this share of its time: the rest is for what nobody expects. */
const promisedShare = 0.8;

/** A second batch may wait inside the worker while the first takes less than this: it hides the way there and back. */
const shortRunMs = 0.5;

/** The queue in front of one model, and what goes to and comes from its worker. */
export class HostedModel implements ServedModel, LaneUser {
  readonly #queue = new CallQueue();
  readonly #estimate = new RunTimeEstimate();
  readonly #book: StatisticsBook;
  readonly #keys: RowKeys;
  #runningRows = 0;
  /** A list: see Lane. */
  readonly #flights: Taken[] = [];
  #seat: Seat | null = null;
  #state: ServedModel['state'] = 'replacing';
  #reason: string | null = 'it is being loaded';
  #window: NodeJS.Timeout | null = null;
  #closing = false;
  #closed: Promise<void> | null = null;
  #onDrained: (() => void) | null = null;

  constructor(
    readonly name: string,
    readonly inputs: readonly TensorSpec[],
    readonly outputs: readonly TensorSpec[],
    readonly limits: FullLimits,
    private readonly events: HostedModelEvents,
  ) {
    this.#book = new StatisticsBook(limits.rowsMax);
    this.#keys = new RowKeys(inputs, outputs, limits.rowsMax);
  }

  get state(): ServedModel['state'] { return this.#state; }
  get reason(): string | null { return this.#reason; }
  get seat(): Seat | null { return this.#seat; }
  get statistics(): ModelStatistics { return this.#book.read(this.#queue.rows + this.#runningRows); }

  run(feeds: Tensors, options: RunOptions = {}): Promise<Tensors> {
    // What is thrown here rejects the promise.
    return new Promise((resolve, reject) => {
      validateFeeds(this.inputs, feeds);
      this.#queue.push(this.#admitted(feeds, options, resolve, reject));
      this.#wake();
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#closed ??= this.#drainAndLeave();
    return this.#closed;
  }

  /** From now on the model's calls go there; runs in flight elsewhere are still answered. */
  sit(seat: Seat, addedBytes: number): void {
    this.#seat = seat;
    this.#state = 'ready';
    this.#reason = null;
    this.#book.memoryBytes = addedBytes;
    seat.lane.users.add(this);
    this.#wake();
  }

  /** The worker is gone; calls wait for the next seat. */
  standUp(reason: string): void {
    this.#seat?.lane.forget(this);
    this.#seat = null;
    this.#state = 'replacing';
    this.#reason = reason;
    this.#book.replacements += 1;
  }

  /** There will be no seat for a while: what waits fails, and so does what comes. */
  fail(reason: string): void {
    this.#state = 'failed';
    this.#reason = reason;
    this.#rejectAll(this.#queue.takeAll(), lost(reason));
  }

  /** Answers calls whose time is over, without waiting for their turn. */
  sweep(nowMs: number): void {
    this.#expire(this.#queue.takeExpired(nowMs));
    for (const { batch, deadlineMs } of this.#flights) {
      if (deadlineMs < nowMs) this.#expire(batch.filter((call) => call.deadlineMs < nowMs && !call.settled));
    }
  }

  /** What a trial run took, before the first request. */
  expect(runMs: number): void {
    if (runMs > 0) this.#estimate.add(1, runMs);
  }

  sendBatch(lane: Lane): boolean {
    const seat = this.#seat;
    if (seat === null || seat.lane !== lane || !this.#windowOver()) return false;
    const nowMs = performance.now();
    const aheadMs = lane.worker.busyMs(nowMs);
    const taken = this.#queue.take({ rowsMax: this.#batchRows(), nowMs, aheadMs, estimate: this.#estimate, idle: lane.worker.exchanges === 0 });
    if (taken.batch.length > 0) this.#send(seat, taken, nowMs);
    this.#expire(taken.expired);
    return this.#queue.length > 0;
  }

  #admitted(feeds: Tensors, { deadlineMs = Infinity, priority = 0 }: RunOptions, resolve: Call['resolve'], reject: Call['reject']): Call {
    if (this.#closing) throw new MillraceError('MODEL_NOT_READY', 'the model was closed; ask the version that is routed now');
    if (this.#state === 'failed') throw lost(this.#reason ?? 'it cannot be kept up');
    const rows = this.#keys.rowsOf(feeds);
    const { queuedRowsMax } = this.limits;
    if (rows > queuedRowsMax) throw new MillraceError('TENSOR_INVALID', `${rows} rows in one call; this model takes at most ${queuedRowsMax}`);
    const call: Call = { feeds, rows, key: this.#keys.keyOf(feeds, rows), priority: priority === 0 ? lowestPriority : priority, deadlineMs, enqueuedMs: performance.now(), settled: false, resolve, reject };
    const refusal = this.#refusalOf(call);
    if (refusal === null) return call;
    this.#book.refused += 1;
    throw new MillraceError('MODEL_OVERLOADED', refusal);
  }

  /** A call that cannot be answered in time is refused while its client can still ask elsewhere. */
  #refusalOf({ rows, priority, deadlineMs, enqueuedMs }: { rows: number; priority: number; deadlineMs: number; enqueuedMs: number }): string | null {
    const queuedRows = this.#queue.rows + this.#runningRows;
    if (queuedRows === 0) return null;
    if (queuedRows + rows > this.limits.queuedRowsMax) return `${queuedRows} rows are waiting for this model; its limit is ${this.limits.queuedRowsMax}`;
    const waitMs = (this.#seat?.lane.worker.busyMs(enqueuedMs) ?? 0) + this.#estimate.waitMs(this.#queue.rowsBefore(priority), this.#batchRows());
    if (waitMs > this.limits.queuedMsMax) return `the wait for this model is about ${Math.round(waitMs)} ms; its limit is ${this.limits.queuedMsMax}`;
    if (waitMs + this.#estimate.runMs(rows) <= (deadlineMs - enqueuedMs) * promisedShare) return null;
    return `the wait for this model is about ${Math.round(waitMs)} ms, longer than this request has`;
  }

  #batchRows(): number {
    return Math.max(1, Math.min(this.limits.rowsMax, this.#estimate.usefulRows));
  }

  #wake(): void {
    if (this.#seat === null || this.#queue.length === 0) return;
    if (this.#windowOver()) this.#seat.lane.want(this);
  }

  /** Whether the waiting calls need not wait for others any longer; sets the clock for when they need not. */
  #windowOver(): boolean {
    const { windowMs, preferredRows } = this.limits;
    const first = this.#queue.first;
    if (windowMs === 0 || first === undefined || this.#closing) return true;
    const enough = Math.min(this.#batchRows(), ...preferredRows);
    const restMs = Math.min(first.enqueuedMs + windowMs, first.deadlineMs - this.#estimate.runMs(first.rows)) - performance.now();
    if (this.#queue.rows >= enough || restMs <= 0) return true;
    this.#window ??= setTimeout(() => {
      this.#window = null;
      this.#wake();
    }, restMs);
    return false;
  }

  #send(seat: Seat, taken: Taken, nowMs: number): void {
    const { batch, rows, deadlineMs } = taken;
    this.#takeOff(taken);
    try {
      seat.lane.worker.ask({
        slot: seat.slot,
        expectedMs: this.#estimate.runMs(rows),
        short: this.#estimate.known && this.#estimate.runMs(rows) < shortRunMs,
        limitMs: this.limits.runMsMax,
        onAnswer: (frame, tookMs) => this.#answer(frame, taken, nowMs, tookMs),
        onLost: (reason, started) => {
          if (started) seat.lane.guilty = this;
          this.#afterLoss(taken, reason, started);
        },
      }, (exchange) => tensorFrame({ exchange, slot: seat.slot, kind: frameKinds.run, first: deadlineMs + monotonicOffsetMs }, this.#joined(batch, rows)));
    } catch (error) {
      this.#land(taken);
      if (batch.length > 1) this.#runAlone(batch);
      else this.#rejectAll(batch, new MillraceError('TENSOR_INVALID', error instanceof Error ? error.message : String(error)));
    }
  }

  #joined(batch: readonly Call[], rows: number): JoinedTensor[] {
    return this.inputs.map(({ name, datatype }) => {
      const parts = batch.flatMap(({ feeds }) => feeds[name] ?? []);
      const shape = parts[0]?.shape ?? [];
      return { datatype, shape: batch.length === 1 ? shape : [rows, ...shape.slice(1)], parts };
    });
  }

  #answer(frame: Frame, taken: Taken, sentMs: number, tookMs: number): void {
    const { batch } = taken;
    this.#land(taken);
    const refusal = refusalIn(frame);
    if (frame.kind === frameKinds.expired) this.#queue.putBack(unsettled(batch));
    else if (refusal === null) this.#answerWith(frame, taken, sentMs, tookMs);
    else if (batch.length > 1) this.#runAlone(batch);
    else this.#rejectAll(batch, new MillraceError('MODEL_RUN_FAILED', `the runtime failed on inputs that fit the model's declaration: ${refusal}. Look at the model's operators and limits.`));
    this.#wake();
    this.#tellIfDrained();
  }

  #takeOff(taken: Taken): void {
    this.#flights.push(taken);
    this.#runningRows += taken.rows;
  }

  #land(taken: Taken): void {
    this.#flights.splice(this.#flights.indexOf(taken), 1);
    this.#runningRows -= taken.rows;
  }

  #tellIfDrained(): void {
    if (this.#queue.length === 0 && this.#flights.length === 0) this.#onDrained?.();
  }

  #answerWith(frame: Frame, { batch, rows }: Taken, sentMs: number, tookMs: number): void {
    const tensors = frame.tensors();
    const names = this.outputs.map(({ name }) => name);
    const answers = batch.length === 1 ? [namedOutputs(names, tensors)] : splitOutputs(names, tensors, batch);
    this.#estimate.add(rows, tookMs);
    if (answers === null) {
      this.#keys.stopJoining();
      return this.#runAlone(batch);
    }
    const nowMs = performance.now();
    let [requests, totalMs, queueMs] = [0, 0, 0];
    for (const [index, call] of batch.entries()) {
      if (call.settled) continue;
      requests += 1;
      totalMs += nowMs - call.enqueuedMs;
      queueMs += sentMs - call.enqueuedMs;
      const answer = answers[index];
      if (answer !== undefined) call.resolve(answer);
    }
    this.#book.answered({ requests, rows, totalMs, queueMs, inputMs: frame.first, inferMs: frame.second, outputMs: frame.third });
    this.events.onRun(this, frame.second);
  }

  #afterLoss(taken: Taken, reason: string, started: boolean): void {
    this.#land(taken);
    if (started) this.#rejectAll(taken.batch, lost(reason));
    else this.#queue.putBack(unsettled(taken.batch));
    this.#tellIfDrained();
  }

  /** A shared run failed: each call is run again by itself, and only the guilty one fails. */
  #runAlone(batch: readonly Call[]): void {
    this.#queue.putBack(unsettled(batch).map((call) => ({ ...call, key: null })));
  }

  #rejectAll(calls: readonly Call[], error: MillraceError): void {
    const nowMs = performance.now();
    const open = unsettled(calls);
    this.#book.failed(open.length, open.reduce((sum, { enqueuedMs }) => sum + nowMs - enqueuedMs, 0));
    this.#settle(open, error);
  }

  #expire(calls: readonly Call[]): void {
    if (calls.length === 0) return;
    this.#book.expired += calls.length;
    this.#settle(calls, late());
  }

  #settle(calls: readonly Call[], error: MillraceError): void {
    for (const call of calls) {
      call.settled = true;
      call.reject(error);
    }
    this.#tellIfDrained();
  }

  async #drainAndLeave(): Promise<void> {
    if (this.#queue.length > 0 || this.#flights.length > 0) {
      this.#wake();
      await new Promise<void>((resolve) => (this.#onDrained = resolve));
    }
    if (this.#window !== null) clearTimeout(this.#window);
    await this.events.onClose(this);
  }
}
