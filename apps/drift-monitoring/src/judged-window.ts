import type { VerdictIssued } from '@millrace/contracts';
import type { MeasuredMetric } from '@millrace/core/statistics';
import type { PaneKey } from '@millrace/core/verdicts';

/** A verdict, and beside it what the event does not carry: every metric that was measured, and the window’s merged state. */
export interface JudgedWindow extends PaneKey {
  readonly verdict: VerdictIssued;
  readonly metrics: readonly MeasuredMetric[];
  readonly state: unknown;
  /** What the verdict has spent of the false alarms allowed; absent: nothing that is accounted for. */
  readonly level?: number;
}
