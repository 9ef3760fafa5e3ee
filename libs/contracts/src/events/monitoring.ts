import { Type } from '@sinclair/typebox';
import { defineEvent, type DataOf } from '../event.js';
import { Count, Instant, Literals, Name, Nullable, Offset, OffsetRange, RecordValue, Sha256, Share } from '../scalars.js';

/** One detector's answer on one subject (a feature, the output, a segment, or a metric) in one window. */
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
  lowerBound: Type.Optional(Type.Number({ description: 'the true effect is at least this, but for the false alarms granted; it fails above the threshold' })),
  reasons: Type.Optional(Type.Array(Type.String(), { description: 'all that alarmed: distribution, nulls, new-category, range, unit, constant, type, volume, freshness' })),
  newCategories: Type.Optional(Type.Array(Type.String())),
  features: Type.Optional(Type.Array(Type.String(), { description: 'of a segment, whose subject is field=value: the features that drifted in it and not as a whole, worst first' })),
});
export type Finding = DataOf<{ type: 'monitoring.verdict-issued.v1'; schema: typeof Finding }>;

/** Where the shift of one subject sits: segments by how much of it is gone without their rows, and rows to look at. */
export const RootCause = Type.Object({
  subject: Type.String(),
  share: Share({ description: 'part of all the shift' }),
  segments: Type.Array(Type.Object({ segment: Type.String({ description: 'field=value, or two of them with &' }), explained: Share(), rows: Count })),
  examples: Type.Array(Type.Object({ recordId: Type.String(), partition: Count, offset: Offset, value: Nullable(Type.Union([Type.Number(), Type.String()])) })),
});

/** From what a verdict was made, so that it can be made again: with these, the rows of `offsets` lead to the same bytes. */
const VerdictInputs = Type.Object({
  spec: Type.Object({ revision: Count, sha256: Sha256 }),
  referenceSha256: Nullable(Sha256),
  policy: RecordValue,
  history: Type.Record(Type.String(), Type.Unknown(), { description: 'what stood outside the rows: windows before, budget spent, labels known' }),
  stateSha256: Type.String({ format: 'sha256', description: 'of everything that was counted in the window' }),
});

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
    revision: Type.Optional(Type.Integer({ minimum: 1, description: 'from 2 on: late rows have amended the verdict with this id' })),
    budget: Type.Optional(Type.Object({ allowed: Type.Number(), per: Type.String(), spent: Type.Number({ description: 'part of the false incidents allowed that the period up to this window has used' }) })),
    causes: Type.Optional(Type.Array(RootCause)),
    inputs: Type.Optional(VerdictInputs),
  }),
);
export type VerdictIssued = DataOf<typeof verdictIssued>;
