/** Count of requests, and their time together. */
export interface Duration {
  readonly count: number;
  readonly ns: number;
}

/**
 * Since the model was loaded, for the statistics extension of the inference protocol. A request that shares a run counts
 * with the whole run's time. Refused requests (nothing was run) and expired ones (not answered by their deadline) are
 * neither success nor failure.
 */
export interface ModelStatistics {
  /** Rows answered. */
  readonly inferenceCount: number;
  /** Runs of the model; rows / runs is the mean batch size. */
  readonly executionCount: number;
  readonly success: Duration;
  readonly fail: Duration;
  readonly queue: Duration;
  readonly computeInput: Duration;
  readonly computeInfer: Duration;
  readonly computeOutput: Duration;
  /** Runs by size. Sizes over the largest batch (single large requests) are counted at the next power of two. */
  readonly batches: readonly { readonly rows: number; readonly count: number; readonly ns: number }[];
  readonly refused: number;
  readonly expired: number;
  readonly queuedRows: number;
  /** Milliseconds since 1970; 0: none yet. */
  readonly lastInferenceMs: number;
  /** How often its worker was lost and replaced. */
  readonly replacements: number;
  /** What loading the model added to its worker's resident memory. */
  readonly memoryBytes: number;
}

/** One run that was answered; times in milliseconds. */
export interface AnsweredRun {
  readonly requests: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly queueMs: number;
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

const ns = (ms: number): number => Math.round(ms * 1e6);

/** Counters of one model. */
export class StatisticsBook {
  #rows = 0;
  #runs = 0;
  #requests = 0;
  #failures = 0;
  #lastInferenceMs = 0;
  readonly #ms = { total: 0, fail: 0, queue: 0, input: 0, infer: 0, output: 0 };
  readonly #batches = new Map<number, { count: number; ms: number }>();
  refused = 0;
  expired = 0;
  replacements = 0;
  memoryBytes = 0;

  constructor(private readonly rowsMax: number) {}

  answered(run: AnsweredRun): void {
    this.#rows += run.rows;
    this.#runs += 1;
    this.#requests += run.requests;
    this.#lastInferenceMs = Date.now();
    this.#ms.total += run.totalMs;
    this.#ms.queue += run.queueMs;
    this.#ms.input += run.inputMs * run.requests;
    this.#ms.infer += run.inferMs * run.requests;
    this.#ms.output += run.outputMs * run.requests;
    const size = run.rows <= this.rowsMax ? run.rows : 2 ** Math.ceil(Math.log2(run.rows));
    const batch = this.#batches.get(size) ?? { count: 0, ms: 0 };
    batch.count += 1;
    batch.ms += run.inferMs;
    this.#batches.set(size, batch);
  }

  failed(requests: number, totalMs: number): void {
    this.#failures += requests;
    this.#ms.fail += totalMs;
  }

  read(queuedRows: number): ModelStatistics {
    const requests = (ms: number): Duration => ({ count: this.#requests, ns: ns(ms) });
    return {
      inferenceCount: this.#rows,
      executionCount: this.#runs,
      success: requests(this.#ms.total),
      fail: { count: this.#failures, ns: ns(this.#ms.fail) },
      queue: requests(this.#ms.queue),
      computeInput: requests(this.#ms.input),
      computeInfer: requests(this.#ms.infer),
      computeOutput: requests(this.#ms.output),
      batches: [...this.#batches].sort(([a], [b]) => a - b).map(([rows, { count, ms }]) => ({ rows, count, ns: ns(ms) })),
      refused: this.refused,
      expired: this.expired,
      queuedRows,
      lastInferenceMs: this.#lastInferenceMs,
      replacements: this.replacements,
      memoryBytes: this.memoryBytes,
    };
  }
}
