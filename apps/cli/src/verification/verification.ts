import type { VerdictIssued } from '@millrace/contracts';
import type { Difference } from './differences.js';

/** What became of making a verdict, or a roll-out’s steps, again. */
export interface Verification {
  readonly id: string;
  readonly same: boolean;
  /** Of the canonical bytes. */
  readonly recordedSha256: string;
  readonly recomputedSha256: string;
  readonly differences: readonly Difference[];
  /** What could only be taken as recorded, one sentence each; empty: all of it was made again. */
  readonly unchecked: readonly string[];
  /** Events that it was made from. */
  readonly rows: number;
  readonly offsets: VerdictIssued['offsets'];
}
