/** The parts of the services’ answers that the story reads. */
export interface StreamCounts {
  readonly admitted: number;
  readonly quarantined: number;
  readonly replayed: number;
  readonly refused: number;
}
export interface StreamAccounting {
  readonly record: StreamCounts;
  readonly label: StreamCounts;
}
export interface OutcomeAccounting {
  readonly predictionsLogged: number;
  readonly recordsLogged: number;
  readonly shadowLogged: number;
  readonly joined: number;
  readonly expired: number;
  readonly waiting: number;
  readonly streamTime: string | null;
}
export interface QuarantineAnswer {
  readonly total: number;
  readonly byRule: { readonly rule: string; readonly field: string; readonly count: number }[];
}
export interface ReplayAnswer {
  readonly matched: number;
  readonly admitted: number;
  readonly stillBrokenCount: number;
}
export interface MetricAnswer {
  readonly name: string;
  readonly slice: string;
  readonly value: number;
  readonly n: number;
  readonly low: number | null;
  readonly high: number | null;
}
export interface VersionAnswer {
  readonly version: string;
  readonly runId: string | null;
  readonly datasetVersion: string | null;
  readonly artifact: { readonly sha256: string; readonly sizeBytes: number };
  readonly metrics: MetricAnswer[];
  readonly gate: { readonly outcome: string; readonly checks: { readonly rule: string; readonly slice: string; readonly outcome: string; readonly reason: string }[] };
  readonly signature: unknown;
}
export interface RunAnswer {
  readonly runId: string;
  readonly state: 'running' | 'succeeded' | 'rejected' | 'failed';
  readonly trigger: string;
  readonly reason: string;
  readonly datasetVersion: string;
  readonly streamTime: string;
}
export interface EvaluationAnswer {
  readonly decision: string;
  readonly times: number;
  readonly evidence: { readonly streamTimeMs: number };
  readonly reasons: { readonly rule: string; readonly outcome: string; readonly reason: string }[];
}
export interface StepAnswer {
  readonly from: string;
  readonly to: string;
  readonly verdict: string;
  readonly reason: string;
  readonly streamTime: string | null;
  readonly evidence: { readonly n: number; readonly mean: number | null; readonly low: number | null; readonly high: number | null; readonly margin: number | null };
}
export interface RolloutAnswer {
  readonly rolloutId: string;
  readonly candidateVersion: string;
  readonly championVersion: string | null;
  readonly phase: string;
  readonly steps: StepAnswer[];
}
export interface VerdictAnswer {
  readonly version: string;
  readonly kind: string;
  readonly outcome: string;
  readonly rows: number;
  readonly window: { readonly from: string; readonly to: string };
  readonly revision?: number;
  readonly findings: { readonly subject: string; readonly outcome: string; readonly statistic: number | null; readonly reference: number | null; readonly low: number | null; readonly high: number | null; readonly reason: string }[];
}
export interface AliasAnswer {
  readonly version: string | null;
}
