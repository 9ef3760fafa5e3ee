export type GateOutcome = 'passed' | 'failed' | 'inconclusive' | 'errored';

export interface DriftFinding {
  /** A feature, `output`, `volume`, `freshness`, a segment (`field=value`), or a metric. */
  readonly subject: string;
  /** What the effect was measured by. */
  readonly detector: string;
  readonly outcome: GateOutcome;
  /** The effect; null when nothing could be measured. */
  readonly statistic: number | null;
  /** Effects up to this do not matter. */
  readonly threshold: number | null;
  readonly pValue: number | null;
  readonly pAdjusted: number | null;
  readonly referenceRows: number;
  readonly currentRows: number;
  /** For a person who has never seen the code. */
  readonly reason: string;
  /** The true effect is at least this, but for this subject’s part of the window’s false alarms. Above `threshold` it fails. */
  readonly lowerBound?: number;
  /** Everything that alarmed on this subject, such as `nulls` beside `distribution`. */
  readonly reasons?: readonly string[];
  readonly newCategories?: readonly string[];
  /** Of a segment: what drifted in it and not as a whole, worst first. */
  readonly features?: readonly string[];
}

export const hasOutcome = (findings: readonly { readonly outcome: GateOutcome }[], outcome: GateOutcome): boolean => findings.some((finding) => finding.outcome === outcome);

/** Of several findings: what is worst for whoever waits for a pass, but a proven failure before all. Nothing found is `empty`. */
export function outcomeOf(findings: readonly { readonly outcome: GateOutcome }[], empty: GateOutcome): GateOutcome {
  if (findings.length === 0) return empty;
  return (['failed', 'errored', 'inconclusive'] as const).find((outcome) => hasOutcome(findings, outcome)) ?? 'passed';
}
