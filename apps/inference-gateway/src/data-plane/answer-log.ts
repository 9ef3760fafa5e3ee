import type { PredictionExplained, PredictionFailed, PredictionServed } from '@millrace/contracts';

/** One prediction’s event whose data (`PredictionServed`) is written already; the others stand in it too. */
export interface ServedJson {
  readonly recordId: string;
  readonly predictionId: string;
  readonly servedAt: string;
  /** UTF-8. Read before the call returns. */
  readonly json: Uint8Array;
}

/** Where answers are written before they are given. */
export interface AnswerLog {
  /** False: nothing is kept, and no record need be made. */
  readonly keeps: boolean;
  /** `done` is called once the records are kept, or counted as dropped; it must not throw. */
  append(predictions: readonly PredictionServed[], traceparent: string | undefined, done: () => void): void;
  /** As `append`, for one event that was written as JSON: what most answers cost. `whenKept` tells when it is kept. */
  appendJson(prediction: ServedJson, traceparent: string | undefined): void;
  /** Called as `done` of `append`, for all that was appended before. */
  whenKept(done: () => void): void;
  /** Requests that a version did not answer; kept like answers. `done` as in `append`; unset: nobody waits for it. */
  fail(failures: readonly PredictionFailed[], traceparent: string | undefined, done?: () => void): void;
  /** Answers that were explained since; kept like answers, and nobody waits for it. */
  explain(explained: readonly PredictionExplained[], traceparent: string | undefined): void;
}

/** A server that stands alone has nobody to tell. */
export const noAnswerLog: AnswerLog = { keeps: false, append: (_predictions, _traceparent, done) => done(), appendJson: () => undefined, whenKept: (done) => done(), fail: (_failures, _traceparent, done) => done?.(), explain: () => undefined };
