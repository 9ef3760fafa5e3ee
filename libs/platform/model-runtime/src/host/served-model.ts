import type { Tensors } from '@millrace/contracts';
import type { LoadedModel } from '../model-runtime.js';
import type { ModelStatistics } from './model-statistics.js';

/** A model file. Exactly one of the two. */
export interface ModelSource {
  /** The host keeps them in a file of its own until the model is closed, and not in memory. */
  readonly bytes?: Uint8Array;
  /** Must stay as it is while the model is loaded; external data beside it is found. */
  readonly path?: string;
}

/** What one model may take. */
export interface ModelLimits {
  /** Rows of one run; requests are never split, so one larger request makes one larger run. 1: nothing is joined. Default 1,024. */
  readonly rowsMax?: number;
  /** Milliseconds that a request may wait for others to join it. Default 0: one turn of the event loop. */
  readonly windowMs?: number;
  /** A window ends early when as many rows wait as one of these says. Default: none. */
  readonly preferredRows?: readonly number[];
  /** Rows waiting or running; past it requests are refused at once. Default 16,384. */
  readonly queuedRowsMax?: number;
  /** A request that would wait longer than this is refused at once. Default 5,000. */
  readonly queuedMsMax?: number;
  /** A run that takes longer has hung: its worker is killed and replaced. Default 30,000. */
  readonly runMsMax?: number;
  /** Resident size of the model's worker, which it then has to itself. Default: none. */
  readonly memoryMbMax?: number;
  /** Threads that one operator may use. Default 1. */
  readonly threads?: number;
}

export const limitDefaults = { rowsMax: 1024, windowMs: 0, preferredRows: [] as readonly number[], queuedRowsMax: 16_384, queuedMsMax: 5000, runMsMax: 30_000, memoryMbMax: Infinity, threads: 1 };
export type FullLimits = Required<ModelLimits>;

export interface RunOptions {
  /** On the clock of performance.now(). The request is not run after it. */
  readonly deadlineMs?: number;
  /** 1 is served first; 0 (default): after all that have one. */
  readonly priority?: number;
}

/** A model in a worker process. */
export interface ServedModel extends LoadedModel {
  /**
   * As LoadedModel.run; requests that come together share a run.
   * @throws MillraceError also MODEL_OVERLOADED (refused at once, nothing was run), DEADLINE_EXCEEDED (not run),
   *   MODEL_WORKER_LOST (the worker died, hung or outgrew its limit on this request's run, or the model cannot be kept up).
   */
  run(feeds: Tensors, options?: RunOptions): Promise<Tensors>;
  readonly statistics: ModelStatistics;
  /** replacing: requests wait for a new worker. failed: they are refused until a later attempt succeeds. */
  readonly state: 'ready' | 'replacing' | 'failed';
  /** Why the model is not ready; null when it is. */
  readonly reason: string | null;
}
