import type { SparseCounts } from '../measure/histogram.js';

/** What a load process is told to do. */
export interface LoadJob {
  readonly host: string;
  readonly port: number;
  /** Requests as they go over the wire; sent in turn, again and again. */
  readonly requests: readonly Uint8Array[];
  /**
   * closed: each connection sends its next request when it has its answer. open: requests are due at fixed instants,
   * whatever the server does, and wait for a free connection from then on.
   */
  readonly pace: { readonly kind: 'closed' } | { readonly kind: 'open'; readonly perSecond: number };
  readonly connections: number;
  /** Open loop: opens more while none is free. */
  readonly connectionsMax?: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** Whose processor time is measured over the window, with all that descend from it. */
  readonly serverPid?: number;
}

export interface LoadResult {
  readonly windowMs: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests without an answer, by reason. */
  readonly lost: Readonly<Record<string, number>>;
  /** Answers of status 200: from the instant the request was due to the answer, µs. */
  readonly answered: SparseCounts;
  /** All other answers. */
  readonly refused: SparseCounts;
  /** Refusals by 429 or 503 that did not say when to come again. */
  readonly refusedWithoutRetryAfter: number;
  /** Open loop: how much later than due requests were sent, µs; the generator’s own tardiness and waiting for a connection. */
  readonly sentLate: SparseCounts;
  /** Of the server and its children, ms; null when it was not asked for or the system does not tell. */
  readonly serverCpuMs: number | null;
  readonly generatorCpuMs: number;
  /** The first answer that was no 200, to be shown. */
  readonly firstRefusal: string | null;
}
