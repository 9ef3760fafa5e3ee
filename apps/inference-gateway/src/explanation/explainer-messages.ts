import type { ErrorCode, Mistake } from '@millrace/contracts';
import type { ExplainedSignature } from '@millrace/core/explanation';
import type { Features } from '@millrace/core/inference';

/** One version against one background, as the thread knows it. */
export interface ExplainedFile {
  /** For the names of its worker process. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly signature: ExplainedSignature;
  readonly featureNames?: readonly string[];
  readonly background?: readonly Features[];
  readonly evaluationsMax?: number;
}

export type ToExplainer =
  | { readonly kind: 'open'; readonly key: string; readonly file: ExplainedFile }
  | { readonly kind: 'explain'; readonly key: string; readonly budgetMs: number; readonly rows: readonly Features[]; readonly target: string | undefined; readonly model: string; readonly version: string }
  /** No answer comes. */
  | { readonly kind: 'close'; readonly key: string }
  | { readonly kind: 'stop' };

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly mistakes?: readonly Mistake[];
}

/** Answers come in the order of `open` and `explain`. `body`: the whole answer to the caller, as JSON. */
export type FromExplainer = { readonly kind: 'opened' } | { readonly kind: 'explained'; readonly body: Uint8Array<ArrayBuffer> } | { readonly kind: 'failed'; readonly failure: Failure };
