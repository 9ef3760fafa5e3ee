// The statistics extension: cumulative counts and times of one model version since it was put into service.
// inference_count / execution_count is the mean number of rows per run: it shows what batching does.

/** A number of occurrences and their total time. */
export interface DurationTotal {
  readonly count: number;
  /** ns; an integer */
  readonly ns: number;
}

export interface BatchTotals {
  /** Rows that ran together. */
  readonly rows: number;
  readonly computeInput: DurationTotal;
  readonly computeInfer: DurationTotal;
  readonly computeOutput: DurationTotal;
}

/** What a runtime counts. Requests are counted in `success`, `fail` and `queue`, requests that ran in `compute…`. */
export interface InferenceTotals {
  /** Time of the last request, ms since the epoch; 0: none yet. */
  readonly lastInferenceMs: number;
  /** Rows that were answered. */
  readonly inferenceCount: number;
  /** Runs that answered them. */
  readonly executionCount: number;
  readonly success: DurationTotal;
  readonly fail: DurationTotal;
  readonly queue: DurationTotal;
  readonly computeInput: DurationTotal;
  readonly computeInfer: DurationTotal;
  readonly computeOutput: DurationTotal;
  /** One entry per number of rows, in any order. */
  readonly batches: readonly BatchTotals[];
  readonly memoryBytes?: number | undefined;
}

interface V2Duration {
  readonly count: number;
  readonly ns: number;
}

export interface V2ModelStatistics {
  readonly name: string;
  readonly version: string;
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss', V2Duration>>;
  readonly response_stats: Readonly<Record<string, never>>;
  readonly batch_stats: readonly { readonly batch_size: number; readonly compute_input: V2Duration; readonly compute_infer: V2Duration; readonly compute_output: V2Duration }[];
  readonly memory_usage: readonly { readonly type: string; readonly id: number; readonly byte_size: number }[];
}

/** There is no cache of answers here, so that it is neither hit nor missed. */
const never: V2Duration = { count: 0, ns: 0 };
const plain = ({ count, ns }: DurationTotal): V2Duration => ({ count, ns });

/** One entry of `model_stats`. */
export function modelStatistics(name: string, version: string, totals: InferenceTotals): V2ModelStatistics {
  const { success, fail, queue, computeInput, computeInfer, computeOutput, batches, memoryBytes } = totals;
  return {
    name,
    version,
    last_inference: totals.lastInferenceMs,
    inference_count: totals.inferenceCount,
    execution_count: totals.executionCount,
    inference_stats: {
      success: plain(success), fail: plain(fail), queue: plain(queue),
      compute_input: plain(computeInput), compute_infer: plain(computeInfer), compute_output: plain(computeOutput),
      cache_hit: never, cache_miss: never,
    },
    response_stats: {},
    batch_stats: [...batches].sort((a, b) => a.rows - b.rows).map((batch) => ({
      batch_size: batch.rows, compute_input: plain(batch.computeInput), compute_infer: plain(batch.computeInfer), compute_output: plain(batch.computeOutput),
    })),
    memory_usage: memoryBytes === undefined ? [] : [{ type: 'CPU', id: 0, byte_size: memoryBytes }],
  };
}
