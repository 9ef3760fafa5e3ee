import { MillraceError } from '@millrace/contracts';
import { joinRows, splitRows } from './join-rows.js';
import type { LoadedModel } from './model-runtime.js';
import type { Tensors } from '@millrace/contracts';
import { validateFeeds } from './validate-feeds.js';

export interface BatchLimits {
  /** Rows of one run; calls are never split, so one larger call makes one larger run. Default 1,024. */
  readonly rowsMax?: number;
  /** Rows waiting or running; past it calls are refused at once. Default 16,384. */
  readonly queuedRowsMax?: number;
}

/** Since construction. rows / runs is the mean batch size. */
export interface BatchCounts {
  readonly calls: number;
  readonly rows: number;
  readonly runs: number;
  readonly refused: number;
  readonly queuedRows: number;
}

interface Call {
  readonly feeds: Tensors;
  /** Calls with equal keys may share a run; null: runs alone. */
  readonly key: string | null;
  readonly rows: number;
  readonly resolve: (outputs: Tensors) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Micro-batching without waiting: calls that arrive in one turn of the event loop share one run of the model, and what
 * arrives during a run makes the next one. Every call is judged before it joins; when a shared run fails all the same,
 * its calls are run one by one, so that only the guilty one fails.
 */
export class BatchedModel implements LoadedModel {
  readonly inputs;
  readonly outputs;
  readonly #rowsMax: number;
  readonly #queuedRowsMax: number;
  readonly #batchable: boolean;
  #waiting: Call[] = [];
  #draining: Promise<void> | null = null;
  #closed: Promise<void> | null = null;
  #counts = { calls: 0, rows: 0, runs: 0, refused: 0, queuedRows: 0 };

  constructor(private readonly model: LoadedModel, limits: BatchLimits = {}) {
    this.inputs = model.inputs;
    this.outputs = model.outputs;
    this.#rowsMax = limits.rowsMax ?? 1024;
    this.#queuedRowsMax = limits.queuedRowsMax ?? 16_384;
    // Rows may share a run only where the model declares dimension 0 of everything as free: it is then the row.
    this.#batchable = [...model.inputs, ...model.outputs].every(({ shape }) => shape[0] === -1);
  }

  get counts(): BatchCounts {
    return { ...this.#counts };
  }

  /** As LoadedModel.run. @throws MillraceError MODEL_OVERLOADED when the queue is full (nothing was run; try again later). */
  async run(feeds: Tensors): Promise<Tensors> {
    validateFeeds(this.inputs, feeds);
    if (this.#closed !== null) throw new MillraceError('MODEL_NOT_READY', 'the model was closed; ask the version that is routed now');
    const { rows, key } = this.#shapeOf(feeds);
    this.#admit(rows);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ feeds, key, rows, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Answers what was accepted, then closes the model. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#draining;
      await this.model.close();
    })();
    return this.#closed;
  }

  #shapeOf(feeds: Tensors): { rows: number; key: string | null } {
    const shapes = this.inputs.map(({ name }) => feeds[name]?.shape ?? []);
    const rows = shapes[0]?.[0] ?? 1;
    const alone = !this.#batchable || shapes.some((shape) => shape[0] !== rows);
    return { rows, key: alone ? null : shapes.map((shape) => shape.slice(1).join(',')).join(';') };
  }

  #admit(rows: number): void {
    const counts = this.#counts;
    if (rows > this.#queuedRowsMax) throw new MillraceError('TENSOR_INVALID', `${rows} rows in one call; this model takes at most ${this.#queuedRowsMax}`);
    if (counts.queuedRows + rows > this.#queuedRowsMax) {
      counts.refused += 1;
      throw new MillraceError('MODEL_OVERLOADED', `${counts.queuedRows} rows are waiting for this model; its limit is ${this.#queuedRowsMax}`);
    }
    counts.calls += 1;
    counts.rows += rows;
    counts.queuedRows += rows;
  }

  async #drain(): Promise<void> {
    // One turn: every request that the current poll of the sockets brings in gets here before the check phase.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const calls = this.#waiting;
      this.#waiting = [];
      for (const batch of this.#batches(calls)) await this.#answer(batch);
    }
    this.#draining = null;
  }

  /** Calls that may share a run, in order of arrival, at most rowsMax rows each unless a single call is larger. */
  #batches(calls: readonly Call[]): Call[][] {
    const batches: Call[][] = [];
    const open = new Map<string, { batch: Call[]; rows: number }>();
    for (const call of calls) {
      const current = call.key === null ? undefined : open.get(call.key);
      if (current !== undefined && current.rows + call.rows <= this.#rowsMax) {
        current.batch.push(call);
        current.rows += call.rows;
        continue;
      }
      const batch = [call];
      batches.push(batch);
      if (call.key !== null) open.set(call.key, { batch, rows: call.rows });
    }
    return batches;
  }

  async #answer(batch: readonly Call[]): Promise<void> {
    const together = batch.length > 1 ? await this.#runTogether(batch) : null;
    for (const [index, call] of batch.entries()) {
      const own = together?.[index];
      if (own === undefined) await this.#runAlone(call);
      else call.resolve(own);
      this.#counts.queuedRows -= call.rows;
    }
  }

  async #runTogether(batch: readonly Call[]): Promise<Tensors[] | null> {
    const feeds = joinRows(this.inputs.map(({ name }) => name), batch.map((call) => call.feeds));
    this.#counts.runs += 1;
    try {
      return splitRows(await this.model.run(feeds), batch.map(({ rows }) => rows));
    } catch {
      return null; // each call is run again alone, and the guilty one gets the error
    }
  }

  async #runAlone(call: Call): Promise<void> {
    this.#counts.runs += 1;
    try {
      call.resolve(await this.model.run(call.feeds));
    } catch (error) {
      call.reject(error);
    }
  }
}
