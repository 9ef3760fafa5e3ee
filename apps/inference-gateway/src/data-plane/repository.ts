import type { V2RepositoryEntry } from '@millrace/core/inference';

export type RepositoryEntry = V2RepositoryEntry;

/** The models that could be served here, whether they are or not: the repository extension of the Open Inference Protocol. */
export interface Repository {
  index(): readonly RepositoryEntry[];
  /** False: models come and go by other means, and `load` and `unload` are refused. */
  readonly controlled: boolean;
  /** Looks at the model’s files again and puts its versions into service. @throws MillraceError MODEL_UNKNOWN, MODEL_LOAD_FAILED, REQUEST_INVALID */
  load(model: string, parameters: Readonly<Record<string, unknown>>): Promise<void>;
  /** Takes the model out of service after its work in flight. @throws MillraceError MODEL_UNKNOWN */
  unload(model: string): Promise<void>;
}
