import type { PredictionServed } from '@millrace/contracts';

/** Where answers are written before they are given. */
export interface AnswerLog {
  /** False: nothing is kept, and no record need be made. */
  readonly keeps: boolean;
  /** `done` is called once the records are kept, or counted as dropped; it must not throw. */
  append(predictions: readonly PredictionServed[], traceparent: string | undefined, done: () => void): void;
}

/** A server that stands alone has nobody to tell. */
export const noAnswerLog: AnswerLog = { keeps: false, append: (_predictions, _traceparent, done) => done() };
