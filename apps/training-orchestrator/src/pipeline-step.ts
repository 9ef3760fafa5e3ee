import type { Claim } from './step.store.js';
import type { ProcessIdentity } from './process-identity.js';

export interface StepContext extends Claim {
  /** Aborted when the process drains or the lease is lost: stop what was started, then throw. */
  readonly signal: AbortSignal;
  /** Shown to who asks for the run; the latest wins. */
  report(progress: object): void;
  /** Before anything is left to a child process, so that a successor can end it. */
  rememberProcess(process: ProcessIdentity): Promise<void>;
}

/** One step of the pipeline. It may be run again after a crash, so it must come to the same result from the same inputs. */
export interface PipelineStep {
  /** What it returns is kept as JSON and handed to later steps. @throws StepError, or MillraceError that is not retryable, to end the run. */
  execute(context: StepContext): Promise<object>;
}

/** A failure that knows whether another attempt may help. */
export class StepError extends Error {
  override readonly name = 'StepError';

  constructor(
    readonly code: string,
    message: string,
    /** `never`: the run fails; `cancelled`: another attempt that costs nothing; `budget`: another attempt while the budget lasts. */
    readonly retry: 'never' | 'budget' | 'cancelled',
  ) {
    super(message);
  }
}
