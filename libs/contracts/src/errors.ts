/**
 * The closed catalogue of error codes. A code is never reused or given a second meaning.
 * `http` is the status an HTTP edge answers with; `retryable` tells whether the same call may succeed later unchanged.
 * docs/errors.md is generated from this table.
 */
export const errorCatalogue = {
  // artifacts and storage
  ARTIFACT_CORRUPT: { http: 500, retryable: false, meaning: 'An artifact’s bytes do not match its SHA-256; it is never loaded.' },
  ARTIFACT_MISSING: { http: 404, retryable: false, meaning: 'No artifact is stored under this SHA-256.' },
  OBJECT_CONFLICT: { http: 409, retryable: false, meaning: 'An object exists under this key with other bytes.' },
  OBJECT_KEY_INVALID: { http: 400, retryable: false, meaning: 'An object key would leave its store or holds characters that are not allowed.' },
  OBJECT_MISSING: { http: 404, retryable: false, meaning: 'No object is stored under this key.' },
  STORAGE_UNAVAILABLE: { http: 503, retryable: true, meaning: 'The artifact store cannot be reached.' },
  // configuration and start-up
  CONFIG_INVALID: { http: 500, retryable: false, meaning: 'The process was started with settings that cannot be used; all mistakes are listed.' },
  DEPENDENCY_UNAVAILABLE: { http: 503, retryable: true, meaning: 'Kafka, PostgreSQL or another service cannot be reached.' },
  PORT_IN_USE: { http: 500, retryable: false, meaning: 'A port that the local stack needs is taken by another process.' },
  STACK_FAILED: { http: 500, retryable: false, meaning: 'A part of the local stack cannot start or does not get ready; the end of its log is attached.' },
  STACK_RUNNING: { http: 500, retryable: false, meaning: 'Another local stack runs in this folder.' },
  // contracts and specs
  CONTRACT_INVALID: { http: 422, retryable: false, meaning: 'A data contract has mistakes; all are listed with their place.' },
  CONTRACT_UNKNOWN: { http: 404, retryable: false, meaning: 'No contract is registered for this stream.' },
  FIX_INVALID: { http: 422, retryable: false, meaning: 'A quarantine fix has mistakes; all are listed with their place.' },
  SPEC_INVALID: { http: 422, retryable: false, meaning: 'A model spec has mistakes; all are listed with their place.' },
  SPEC_UNKNOWN: { http: 404, retryable: false, meaning: 'The model has no spec of this revision.' },
  // events
  EVENT_INVALID: { http: 500, retryable: false, meaning: 'An event does not match its schema; its reader set it aside on the refused topic.' },
  OFFSETS_UNAVAILABLE: { http: 410, retryable: false, meaning: 'The topic does not hold these offsets: retention has deleted them, or it is another log.' },
  // inference
  DEADLINE_EXCEEDED: { http: 503, retryable: true, meaning: 'The request’s time was over before it was answered.' },
  EXPLANATION_INEXACT: { http: 500, retryable: false, meaning: 'The contributions do not add up to what the model itself answers; no explanation is given.' },
  EXPLANATION_UNAVAILABLE: { http: 422, retryable: false, meaning: 'This model cannot be explained as asked; the message says what is missing, such as background rows.' },
  FEATURE_MISSING: { http: 400, retryable: false, meaning: 'An instance lacks a feature that the model needs (send null for an unknown value).' },
  FEATURE_NOT_FINITE: { http: 400, retryable: false, meaning: 'A numeric feature is NaN or infinite (send null for an unknown value).' },
  FEATURE_TYPE: { http: 400, retryable: false, meaning: 'A feature has the wrong type.' },
  FEATURE_UNKNOWN: { http: 400, retryable: false, meaning: 'An instance carries a feature that the model does not know.' },
  MODEL_LOAD_FAILED: { http: 503, retryable: false, meaning: 'The runtime cannot load the model file.' },
  MODEL_NOT_READY: { http: 503, retryable: true, meaning: 'The model is known but has no routed version yet.' },
  MODEL_OVERLOADED: { http: 503, retryable: true, meaning: 'The model’s queue is full; try again later.' },
  MODEL_RUN_FAILED: { http: 500, retryable: false, meaning: 'The runtime failed while running the model.' },
  MODEL_UNKNOWN: { http: 404, retryable: false, meaning: 'No model has this name.' },
  MODEL_WORKER_LOST: { http: 503, retryable: true, meaning: 'The process that held the model crashed, hung or outgrew its memory; it is being replaced.' },
  REPOSITORY_NOT_CONTROLLED: { http: 501, retryable: false, meaning: 'This server does not load and unload models by call.' },
  TENSOR_INVALID: { http: 400, retryable: false, meaning: 'A tensor’s name, datatype, shape or data do not fit.' },
  // records
  RECORD_EVENT_TIME_INVALID: { http: 422, retryable: false, meaning: 'A record’s event time is missing or is no ISO 8601 time.' },
  RECORD_KEY_MISSING: { http: 422, retryable: false, meaning: 'A record lacks the key that its contract names.' },
  RECORD_TOO_LARGE: { http: 413, retryable: false, meaning: 'A record is larger than the ingestion limit.' },
  RECORD_UNPARSABLE: { http: 400, retryable: false, meaning: 'A record is no JSON object.' },
  STREAM_UNKNOWN: { http: 404, retryable: false, meaning: 'No contract names this stream.' },
  // registry and roll-out
  ALIAS_UNKNOWN: { http: 404, retryable: false, meaning: 'The model has no such alias.' },
  OVERLAP_POOR: { http: 422, retryable: false, meaning: 'A log tells too little of another policy for an honest value; the reason says what is missing.' },
  ROLLOUT_COMMAND_REFUSED: { http: 409, retryable: false, meaning: 'The roll-out is in a state that does not allow this command.' },
  ROLLOUT_UNKNOWN: { http: 404, retryable: false, meaning: 'No roll-out has this id.' },
  VERIFICATION_UNKNOWN: { http: 404, retryable: false, meaning: 'No verification of a training run has this id.' },
  VERSION_UNKNOWN: { http: 404, retryable: false, meaning: 'The model has no such version.' },
  // training
  DATASET_EMPTY: { http: 422, retryable: false, meaning: 'No labelled rows lie in the dataset’s window.' },
  DATASET_LEAKAGE: { http: 422, retryable: false, meaning: 'Records are younger than their labels; a model trained on them would know the outcome.' },
  DATASET_UNKNOWN: { http: 404, retryable: false, meaning: 'No dataset version has this id.' },
  PREDICTION_UNKNOWN: { http: 404, retryable: false, meaning: 'No prediction has this id, or it has passed its retention.' },
  RUN_UNKNOWN: { http: 404, retryable: false, meaning: 'No training run has this id.' },
  TRAINER_FAILED: { http: 500, retryable: true, meaning: 'The trainer ended with a failure; its reason is attached.' },
  TRAINER_REFUSED: { http: 422, retryable: false, meaning: 'The trainer refused its parameters or data; trying again cannot help.' },
  // verdicts
  INPUTS_MISSING: { http: 409, retryable: false, meaning: 'A verdict or step was told before its inputs were kept; it cannot be made again.' },
  VERDICT_UNKNOWN: { http: 404, retryable: false, meaning: 'No verdict has this id.' },
  // generic edges
  INTERNAL: { http: 500, retryable: false, meaning: 'An unexpected failure; the log line with this request id tells more.' },
  REQUEST_INVALID: { http: 400, retryable: false, meaning: 'The request does not match its schema; all mistakes are listed.' },
  REQUEST_TOO_LARGE: { http: 413, retryable: false, meaning: 'The request is larger than BODY_LIMIT_MB allows.' },
} as const satisfies Record<string, { readonly http: number; readonly retryable: boolean; readonly meaning: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

/** One mistake at one place: `path` is a JSON pointer into what was sent, or a name such as an environment variable. */
export interface Mistake {
  readonly path: string;
  readonly message: string;
}

/** The only error class that crosses a room's border: a code of the catalogue, a sentence for a stranger, and details. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: { readonly mistakes?: readonly Mistake[]; readonly cause?: unknown; readonly [key: string]: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable;
  }

  get httpStatus(): number {
    return errorCatalogue[this.code].http;
  }

  /** The body that every HTTP edge answers with. */
  toBody(): { error: string; code: ErrorCode; mistakes?: readonly Mistake[] } {
    const mistakes = this.details.mistakes;
    return mistakes === undefined ? { error: this.message, code: this.code } : { error: this.message, code: this.code, mistakes };
  }
}
