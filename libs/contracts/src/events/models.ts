import { Type } from '@sinclair/typebox';
import { defineEvent, type DataOf } from '../event.js';
import { Count, Instant, Literals, Name, Nullable, RecordValue, Sha256, Share } from '../scalars.js';
import { readModelSpec, type ModelSpec } from '../spec/model-spec.js';

const TensorDescription = Type.Object({ name: Type.String(), datatype: Type.String(), shape: Type.Array(Type.Integer({ minimum: -1 })) });

/** What a model file takes and gives; `classes` are in the order of the probability columns. */
export const ModelSignature = Type.Object({
  inputs: Type.Array(TensorDescription),
  outputs: Type.Array(TensorDescription),
  task: Literals(['binary', 'multiclass', 'regression']),
  classes: Type.Array(Type.String()),
  positiveIndex: Nullable(Type.Integer({ minimum: 0 })),
});
export type ModelSignature = DataOf<{ type: 'registry.version-registered.v1'; schema: typeof ModelSignature }>;

export const Artifact = Type.Object({ sha256: Sha256, sizeBytes: Count });

/** One measured figure: `slice` is `overall` or `field=value`; `low` and `high` bound it at 95 %, where known. */
export const Metric = Type.Object({
  name: Type.String(),
  slice: Type.String(),
  value: Type.Number(),
  n: Count,
  low: Nullable(Type.Number()),
  high: Nullable(Type.Number()),
});
export type Metric = DataOf<{ type: 'registry.version-registered.v1'; schema: typeof Metric }>;

export const GateResult = Type.Object({
  outcome: Literals(['passed', 'failed', 'inconclusive', 'errored']),
  checks: Type.Array(
    Type.Object({
      rule: Type.String(),
      slice: Type.String(),
      outcome: Literals(['passed', 'failed', 'inconclusive', 'errored']),
      value: Nullable(Type.Number()),
      threshold: Nullable(Type.Number()),
      n: Count,
      reason: Type.String(),
    }),
  ),
});
export type GateResult = DataOf<{ type: 'registry.version-registered.v1'; schema: typeof GateResult }>;

/** What monitoring compares with: one profile per feature and for the output, as libs/core/statistics writes them. */
export const ReferenceProfile = Type.Object({
  rows: Count,
  features: Type.Record(Type.String(), RecordValue),
  output: Nullable(RecordValue),
  metrics: Type.Array(Metric),
});
export type ReferenceProfile = DataOf<{ type: 'registry.version-registered.v1'; schema: typeof ReferenceProfile }>;

const candidate = {
  artifact: Artifact,
  signature: ModelSignature,
  metrics: Type.Array(Metric),
  gate: GateResult,
  reference: Nullable(ReferenceProfile),
};

export const runCompleted = defineEvent(
  'training.run-completed.v1',
  Type.Object({
    model: Name,
    runId: Type.String(),
    planId: Type.String(),
    specRevision: Count,
    outcome: Literals(['succeeded', 'rejected', 'failed']),
    reason: Type.String(),
    trigger: Type.String(),
    datasetVersion: Nullable(Sha256),
    seed: Type.Integer(),
    trainer: Nullable(Type.Object({ name: Type.String(), sha256: Sha256 })),
    candidate: Nullable(Type.Object(candidate)),
    completedAt: Instant,
    streamTime: Instant,
  }),
);
export type RunCompleted = DataOf<typeof runCompleted>;

export const contractChanged = defineEvent(
  'registry.contract-changed.v1',
  Type.Object({ stream: Name, version: Type.String(), sha256: Sha256, document: RecordValue, changedAt: Instant }),
);
export type ContractChanged = DataOf<typeof contractChanged>;

/**
 * A spec in the log outlives the release that wrote it, so the event takes any object, and each reader brings it to the
 * form that it knows: defaults for what the writer did not know yet, nothing of what the reader does not know.
 */
export const specChanged = defineEvent(
  'registry.spec-changed.v1',
  Type.Object({ model: Name, revision: Count, sha256: Sha256, spec: Type.Unsafe<ModelSpec>(Type.Record(Type.String(), Type.Unknown())), changedAt: Instant }),
  (data) => ({ ...data, spec: readModelSpec(data.spec) }),
);
export type SpecChanged = DataOf<typeof specChanged>;

export const versionRegistered = defineEvent(
  'registry.version-registered.v1',
  Type.Object({
    model: Name,
    version: Type.String(),
    source: Literals(['pipeline', 'manual']),
    runId: Nullable(Type.String()),
    datasetVersion: Nullable(Sha256),
    specRevision: Count,
    ...candidate,
    registeredAt: Instant,
  }),
);
export type VersionRegistered = DataOf<typeof versionRegistered>;

export const aliasMoved = defineEvent(
  'registry.alias-moved.v1',
  Type.Object({
    model: Name,
    alias: Name,
    from: Nullable(Type.String()),
    to: Nullable(Type.String()),
    reason: Type.String(),
    routeRevision: Nullable(Count),
    movedAt: Instant,
  }),
);
export type AliasMoved = DataOf<typeof aliasMoved>;

const RouteTarget = Type.Object({ version: Type.String(), artifact: Artifact, signature: ModelSignature });
export type RouteTarget = DataOf<{ type: 'rollout.route-changed.v1'; schema: typeof RouteTarget }>;

/** `previous`: who answered before the champion; `share`: part of the units that the candidate answers; `mirror`: the candidate also sees, unanswered, what the champion answers. */
export const routeChanged = defineEvent(
  'rollout.route-changed.v1',
  Type.Object({
    model: Name,
    revision: Count,
    rolloutId: Nullable(Type.String()),
    phase: Literals(['full', 'shadow', 'canary', 'ab']),
    salt: Type.String(),
    champion: RouteTarget,
    previous: Type.Optional(Nullable(RouteTarget)),
    candidate: Nullable(Type.Intersect([RouteTarget, Type.Object({ share: Share(), mirror: Type.Boolean() })])),
    reason: Type.String(),
    changedAt: Instant,
    streamTime: Nullable(Instant),
  }),
);
export type RouteChanged = DataOf<typeof routeChanged>;

export const stepDecided = defineEvent(
  'rollout.step-decided.v1',
  Type.Object({
    model: Name,
    rolloutId: Type.String(),
    candidateVersion: Type.String(),
    championVersion: Nullable(Type.String()),
    sequence: Count,
    from: Type.String(),
    to: Type.String(),
    verdict: Literals(['better', 'not-worse', 'worse', 'not-enough-evidence', 'by-hand', 'gate']),
    reason: Type.String(),
    evidence: Type.Object({
      n: Count,
      mean: Nullable(Type.Number()),
      low: Nullable(Type.Number()),
      high: Nullable(Type.Number()),
      margin: Nullable(Type.Number()),
      alpha: Nullable(Type.Number()),
    }),
    decidedAt: Instant,
    streamTime: Nullable(Instant),
  }),
);
export type StepDecided = DataOf<typeof stepDecided>;

export const eventRefused = defineEvent(
  'messaging.event-refused.v1',
  Type.Object({
    service: Type.String(),
    group: Type.String(),
    code: Type.String(),
    reason: Type.String(),
    topic: Type.String(),
    partition: Type.Integer({ minimum: 0 }),
    offset: Type.Integer({ minimum: 0 }),
    headers: Type.Record(Type.String(), Type.String()),
    payloadBase64: Type.String(),
    refusedAt: Instant,
  }),
);
export type EventRefused = DataOf<typeof eventRefused>;
