import type { PredictionFailed, PredictionServed } from '@millrace/contracts';

/** One prediction’s event as text: `json` is its data (`PredictionServed`), and the others stand in it too. */
export interface ServedText {
  readonly recordId: string;
  readonly predictionId: string;
  readonly servedAt: string;
  readonly json: string;
}

/** Where answers are written before they are given. */
export interface AnswerLog {
  /** False: nothing is kept, and no record need be made. */
  readonly keeps: boolean;
  /** `done` is called once the records are kept, or counted as dropped; it must not throw. */
  append(predictions: readonly PredictionServed[], traceparent: string | undefined, done: () => void): void;
  /** As `append`, for events that were made as text: what most answers cost. */
  appendTexts(predictions: readonly ServedText[], traceparent: string | undefined, done: () => void): void;
  /** Requests that a version did not answer; kept like answers. `done` as in `append`; unset: nobody waits for it. */
  fail(failures: readonly PredictionFailed[], traceparent: string | undefined, done?: () => void): void;
}

/** A server that stands alone has nobody to tell. */
export const noAnswerLog: AnswerLog = { keeps: false, append: (_predictions, _traceparent, done) => done(), appendTexts: (_predictions, _traceparent, done) => done(), fail: (_failures, _traceparent, done) => done?.() };
