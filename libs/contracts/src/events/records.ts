import { Type } from '@sinclair/typebox';
import { defineEvent, type DataOf } from '../event.js';
import { Count, Instant, Literals, Name, Nullable, Offset, OffsetRange, Position, RecordValue, Sha256, Share } from '../scalars.js';

export const RecordKind = Literals(['record', 'label']);

/** Where a record entered: a producer's topic, or a request to ingestion's HTTP edge. */
export const Origin = Type.Union([
  Type.Object({ via: Type.Literal('kafka'), topic: Type.String(), partition: Type.Integer({ minimum: 0 }), offset: Offset, eventId: Type.Optional(Type.String()) }),
  Type.Object({ via: Type.Literal('http'), requestId: Type.String(), index: Type.Integer({ minimum: 0 }) }),
]);

const identity = { stream: Name, kind: RecordKind, recordId: Type.String({ minLength: 1 }), eventTime: Instant };

export const recordAccepted = defineEvent(
  'ingestion.record-accepted.v1',
  Type.Object({ ...identity, receivedAt: Instant, value: RecordValue, origin: Origin }),
);
export type RecordAccepted = DataOf<typeof recordAccepted>;

export const recordRefused = defineEvent(
  'ingestion.record-refused.v1',
  Type.Object({
    stream: Name,
    kind: RecordKind,
    code: Type.String(),
    reason: Type.String(),
    payloadBase64: Type.String({ description: 'the bytes as they came' }),
    origin: Origin,
    refusedAt: Instant,
  }),
);
export type RecordRefused = DataOf<typeof recordRefused>;

const Replay = Type.Object({ quarantineId: Type.String(), fixSha256: Nullable(Sha256) });
const admitted = Type.Object({
  ...identity,
  contractVersion: Type.String(),
  value: RecordValue,
  origin: Origin,
  replay: Nullable(Replay),
});
export const recordAdmitted = defineEvent('validation.record-admitted.v1', admitted);
export const labelAdmitted = defineEvent('validation.label-admitted.v1', admitted);
export type RecordAdmitted = DataOf<typeof recordAdmitted>;
export type LabelAdmitted = DataOf<typeof labelAdmitted>;

export const Violation = Type.Object({
  rule: Type.String({ description: 'the contract rule that was broken, such as required or maximum' }),
  field: Type.String(),
  value: Type.Unknown(),
  message: Type.String(),
});
export const recordQuarantined = defineEvent(
  'validation.record-quarantined.v1',
  Type.Object({
    ...identity,
    contractVersion: Type.String(),
    violations: Type.Array(Violation, { minItems: 1 }),
    value: RecordValue,
    origin: Origin,
    accepted: Position,
    quarantinedAt: Instant,
  }),
);
export type RecordQuarantined = DataOf<typeof recordQuarantined>;

const RuleCount = Type.Object({ rule: Type.String(), field: Type.String(), count: Count });
export type RuleCount = { rule: string; field: string; count: number };

/** Published in the transaction that admits and quarantines the batch, so that both counts of a share are of the same records. */
export const batchJudged = defineEvent(
  'validation.batch-judged.v1',
  Type.Object({
    stream: Name,
    kind: RecordKind,
    contractVersion: Type.String(),
    offsets: OffsetRange,
    days: Type.Array(
      Type.Object({
        day: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d$', description: 'UTC day of the event times' }),
        judged: Count,
        quarantined: Count,
        eventTimeMin: Instant,
        eventTimeMax: Instant,
        rules: Type.Array(RuleCount),
      }),
      { minItems: 1 },
    ),
  }),
);
export type BatchJudged = DataOf<typeof batchJudged>;

export const contractBroken = defineEvent(
  'validation.contract-broken.v1',
  Type.Object({
    stream: Name,
    contractVersion: Type.String(),
    judged: Count,
    quarantined: Count,
    shareQuarantined: Share(),
    shareQuarantinedMax: Share(),
    eventTimeFrom: Instant,
    eventTimeTo: Instant,
    rules: Type.Array(RuleCount),
    offsets: Type.Array(OffsetRange),
  }),
);
export type ContractBroken = DataOf<typeof contractBroken>;

/** The archived range is [fromOffset, toOffset); `rows` may be smaller because transaction markers take offsets too. */
export const segmentSealed = defineEvent(
  'validation.segment-sealed.v1',
  Type.Object({
    stream: Name,
    kind: RecordKind,
    topic: Type.String(),
    partition: Type.Integer({ minimum: 0 }),
    fromOffset: Offset,
    toOffset: Offset,
    rows: Count,
    sha256: Sha256,
    objectKey: Type.String(),
    contractVersion: Type.String(),
    eventTimeMin: Instant,
    eventTimeMax: Instant,
    sealedAt: Instant,
  }),
);
export type SegmentSealed = DataOf<typeof segmentSealed>;
