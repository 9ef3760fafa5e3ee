import { Type } from '@sinclair/typebox';
import { defineEvent, type DataOf } from '../event.js';
import { Count, Instant, Literals, Name, Nullable, OffsetRange } from '../scalars.js';

/** One detector's answer on one subject (a feature, the output, or a metric) in one window. */
export const Finding = Type.Object({
  subject: Type.String(),
  detector: Type.String(),
  outcome: Literals(['passed', 'failed', 'inconclusive', 'errored']),
  statistic: Nullable(Type.Number()),
  threshold: Nullable(Type.Number()),
  pValue: Nullable(Type.Number()),
  pAdjusted: Nullable(Type.Number()),
  reference: Nullable(Type.Number({ description: 'the reference value, for metrics' })),
  low: Nullable(Type.Number()),
  high: Nullable(Type.Number()),
  referenceRows: Count,
  currentRows: Count,
  reason: Type.String(),
});
export type Finding = DataOf<{ type: 'monitoring.verdict-issued.v1'; schema: typeof Finding }>;

/** `passed`: nothing found; `failed`: drift, or performance below its threshold; `inconclusive`: too little data to tell. */
export const verdictIssued = defineEvent(
  'monitoring.verdict-issued.v1',
  Type.Object({
    verdictId: Type.String(),
    model: Name,
    version: Type.String(),
    kind: Literals(['drift', 'performance']),
    window: Type.Object({ from: Instant, to: Instant }),
    watermark: Instant,
    outcome: Literals(['passed', 'failed', 'inconclusive', 'errored']),
    rows: Count,
    findings: Type.Array(Finding),
    offsets: Type.Array(OffsetRange),
  }),
);
export type VerdictIssued = DataOf<typeof verdictIssued>;
