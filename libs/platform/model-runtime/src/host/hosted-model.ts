import { MillraceError, type Tensors, type TensorSpec } from '@millrace/contracts';
import { validateFeeds } from '../validate-feeds.js';
import { frameKinds, tensorFrame, type Frame, type JoinedTensor } from '../wire/frame.js';
import { CallQueue, lowestPriority, type Call, type Taken } from './call-queue.js';
import type { Lane, LaneUser } from './lane.js';
import { StatisticsBook, type ModelStatistics } from './model-statistics.js';
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
const late = (): MillraceError => new MillraceError('DEADLINE_EXCEEDED', 'the request’s time was over, or would have been before its run ended; it was not run');

/** The queue in front of one model, and what goes to and comes from its worker. */
export class HostedModel implements ServedModel, LaneUser {
  readonly #queue = new CallQueue();
  readonly #estimate = new RunTimeEstimate();
  readonly #book: StatisticsBook;
  /** Shapes are fixed but for the rows: every two calls fit together. */
  readonly #uniform: boolean;
  #batchable: boolean;
  #runningRows = 0;
  #seat: Seat | null = null;
  #state: ServedModel['state'] = 'replacing';
  #reason: string | null = 'it is being loaded';
  #window: NodeJS.Timeout | null = null;
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
    // Rows may share a run only where the model declares dimension 0 of everything as free: it is then the row.
    this.#batchable = limits.rowsMax > 1 && inputs.length > 0 && [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
    this.#uniform = inputs.every(({ shape }) => !shape.slice(1).includes(-1));
  }

  get state(): ServedModel['state'] { return this.#state; }
  get reason(): string | null { return this.#reason; }
  get seat(): Seat | null { return this.#seat; }
  get statistics(): ModelStatistics { return this.#book.read(this.#queue.rows + this.#runningRows); }

  run(feeds: Tensors, options: RunOptions = {}): Promise<Tensors> {
    let call: Omit<Call, 'resolve' | 'reject'>;
    try {
      validateFeeds(this.inputs, feeds);
      call = this.#admitted(feeds, options);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...call, resolve, reject });
      this.#wake();
    });
  }

  close(): Promise<void> {
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
  }

  sendBatch(lane: Lane): boolean {
    const seat = this.#seat;
    if (seat === null || seat.lane !== lane || !this.#windowOver()) return false;
    const nowMs = performance.now();
    const aheadMs = lane.worker.busyMs(nowMs);
    const taken = this.#queue.take({ rowsMax: this.#batchRows(), nowMs, aheadMs, estimate: this.#estimate, idle: lane.worker.exchanges === 0 });
    this.#expire(taken.expired);
    if (taken.batch.length > 0) this.#send(seat, taken, nowMs);
    return this.#queue.length > 0;
  }

  #admitted(feeds: Tensors, { deadlineMs = Infinity, priority = 0 }: RunOptions): Omit<Call, 'resolve' | 'reject'> {
    if (this.#closed !== null) throw new MillraceError('MODEL_NOT_READY', 'the model was closed; ask the version that is routed now');
    if (this.#state === 'failed') throw lost(this.#reason ?? 'it cannot be kept up');
    const first = this.inputs[0];
    const rows = first === undefined ? 1 : (feeds[first.name]?.shape[0] ?? 1);
    const { queuedRowsMax } = this.limits;
    if (rows > queuedRowsMax) throw new MillraceError('TENSOR_INVALID', `${rows} rows in one call; this model takes at most ${queuedRowsMax}`);
    const call = { feeds, rows, key: this.#keyOf(feeds, rows), priority: priority === 0 ? lowestPriority : priority, deadlineMs, enqueuedMs: performance.now() };
    const refusal = this.#refusalOf(call);
    if (refusal === null) return call;
    this.#book.refused += 1;
    throw new MillraceError('MODEL_OVERLOADED', refusal);
  }

  #keyOf(feeds: Tensors, rows: number): string | null {
    if (!this.#batchable) return null;
    let key = '';
    for (const { name } of this.inputs) {
      const shape = feeds[name]?.shape ?? [];
      if (shape[0] !== rows) return null;
      if (!this.#uniform) key += `${shape.slice(1).join(',')};`;
    }
    return key;
  }

  /** A call that cannot be answered in time is refused while its client can still ask elsewhere. */
  #refusalOf({ rows, priority, deadlineMs, enqueuedMs }: { rows: number; priority: number; deadlineMs: number; enqueuedMs: number }): string | null {
    const queuedRows = this.#queue.rows + this.#runningRows;
    if (queuedRows === 0) return null;
    if (queuedRows + rows > this.limits.queuedRowsMax) return `${queuedRows} rows are waiting for this model; its limit is ${this.limits.queuedRowsMax}`;
    const waitMs = (this.#seat?.lane.worker.busyMs(enqueuedMs) ?? 0) + this.#estimate.waitMs(this.#queue.rowsBefore(priority), this.#batchRows());
    if (waitMs > this.limits.queuedMsMax) return `the wait for this model is about ${Math.round(waitMs)} ms; its limit is ${this.limits.queuedMsMax}`;
    if (enqueuedMs + waitMs + this.#estimate.runMs(rows) <= deadlineMs) return null;
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
    if (windowMs === 0 || first === undefined || this.#closed !== null) return true;
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
    this.#runningRows += rows;
    try {
      seat.lane.worker.ask({
        slot: seat.slot,
        expectedMs: this.#estimate.runMs(rows),
        limitMs: this.limits.runMsMax,
        onAnswer: (frame) => this.#answer(frame, taken, nowMs),
        onLost: (reason, started) => {
          if (started) seat.lane.guilty = this;
          this.#afterLoss(taken, reason, started);
        },
      }, (exchange) => tensorFrame({ exchange, slot: seat.slot, kind: frameKinds.run, first: deadlineMs + monotonicOffsetMs }, this.#joined(batch, rows)));
    } catch (error) {
      this.#runningRows -= rows;
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

  #answer(frame: Frame, taken: Taken, sentMs: number): void {
    const { batch, rows } = taken;
    this.#runningRows -= rows;
    const refusal = refusalIn(frame);
    if (frame.kind === frameKinds.expired) this.#queue.putBack(batch);
    else if (refusal === null) this.#answerWith(frame, taken, sentMs);
    else if (batch.length > 1) this.#runAlone(batch);
    else this.#rejectAll(batch, new MillraceError('MODEL_RUN_FAILED', `the runtime failed on inputs that fit the model's declaration: ${refusal}. Look at the model's operators and limits.`));
    if (this.#queue.length > 0) this.#wake();
    else if (this.#runningRows === 0) this.#onDrained?.();
  }

  #answerWith(frame: Frame, { batch, rows }: Taken, sentMs: number): void {
    const tensors = frame.tensors();
    const names = this.outputs.map(({ name }) => name);
    const answers = batch.length === 1 ? [namedOutputs(names, tensors)] : splitOutputs(names, tensors, batch);
    const workerMs = frame.first + frame.second + frame.third;
    this.#estimate.add(rows, workerMs);
    if (answers === null) {
      // It declares a row per row and gives something else: joined runs say nothing about whose answer is whose.
      this.#batchable = false;
      return this.#runAlone(batch);
    }
    const nowMs = performance.now();
    let [totalMs, queueMs] = [0, 0];
    for (const [index, call] of batch.entries()) {
      totalMs += nowMs - call.enqueuedMs;
      queueMs += sentMs - call.enqueuedMs;
      const answer = answers[index];
      if (answer !== undefined) call.resolve(answer);
    }
    this.#book.answered({ requests: batch.length, rows, totalMs, queueMs, inputMs: frame.first, inferMs: frame.second, outputMs: frame.third });
    this.events.onRun(this, frame.second);
  }

  #afterLoss({ batch, rows }: Taken, reason: string, started: boolean): void {
    this.#runningRows -= rows;
    if (started) this.#rejectAll(batch, lost(reason));
    else this.#queue.putBack(batch);
    if (this.#queue.length === 0 && this.#runningRows === 0) this.#onDrained?.();
  }

  /** A shared run failed: each call is run again by itself, and only the guilty one fails. */
  #runAlone(batch: readonly Call[]): void {
    this.#queue.putBack(batch.map((call) => ({ ...call, key: null })));
  }

  #rejectAll(calls: readonly Call[], error: MillraceError): void {
    if (calls.length === 0) return;
    const nowMs = performance.now();
    this.#book.failed(calls.length, calls.reduce((sum, { enqueuedMs }) => sum + nowMs - enqueuedMs, 0));
    for (const { reject } of calls) reject(error);
    if (this.#queue.length === 0 && this.#runningRows === 0) this.#onDrained?.();
  }

  #expire(calls: readonly Call[]): void {
    this.#book.expired += calls.length;
    for (const { reject } of calls) reject(late());
    if (this.#queue.length === 0 && this.#runningRows === 0) this.#onDrained?.();
  }

  async #drainAndLeave(): Promise<void> {
    if (this.#queue.length > 0 || this.#runningRows > 0) {
      this.#wake();
      await new Promise<void>((resolve) => (this.#onDrained = resolve));
    }
    if (this.#window !== null) clearTimeout(this.#window);
    await this.events.onClose(this);
  }
}
