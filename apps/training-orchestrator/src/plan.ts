import type { ModelSignature, ModelSpec } from '@millrace/contracts';
import type { DatasetManifest } from '@millrace/core/dataset';
import type { RetrainingReason } from '@millrace/core/retraining';

/** The event whose fold asked the question, or the person who did. */
export type Cause =
  | { readonly via: 'event'; readonly topic: string; readonly partition: number; readonly offset: number }
  | { readonly via: 'http'; readonly by: string; readonly reason: string }
  | { readonly via: 'start' };

/** Everything a run may need to know, decided once. A run has no choices left. */
export interface Plan {
  readonly planId: string;
  readonly runId: string;
  readonly model: string;
  readonly specRevision: number;
  readonly spec: ModelSpec['spec'];
  readonly trigger: string;
  readonly reasons: readonly RetrainingReason[];
  readonly cause: Cause;
  /** ISO 8601, stream clock. */
  readonly streamTime: string;
  readonly datasetVersion: string;
  readonly manifest: DatasetManifest;
  readonly seed: number;
  readonly champion: Champion | null;
}

export interface Champion {
  readonly version: string;
  readonly artifactSha256: string;
  readonly signature: ModelSignature;
}
