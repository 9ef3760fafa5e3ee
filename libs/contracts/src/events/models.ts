import { Type } from '@sinclair/typebox';
import { defineEvent, type DataOf } from '../event.js';
import { Count, Instant, Literals, Name, Nullable, Offset, OffsetRange, RecordValue, Sha256, Share } from '../scalars.js';
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

/** Shares of attribution of explained rows: per feature, rows by their share in five-hundredths. */
export const AttributionCounts = Type.Object({ rows: Count, shares: Type.Record(Type.String(), Type.Record(Type.String(), Count)) });
export type AttributionCounts = DataOf<{ type: 'registry.version-registered.v1'; schema: typeof AttributionCounts }>;

/** What monitoring compares with: per feature and for the output `{ v: 2, kind, counts }`, the counts of libs/core/statistics in base64; v 1 (fixed bins) is of releases before. */
export const ReferenceProfile = Type.Object({
  rows: Count,
  features: Type.Record(Type.String(), RecordValue),
  output: Nullable(RecordValue),
  sample: Type.Optional(Type.String({ description: 'some of the rows, in the form of libs/core/drift, base64' })),
  parts: Type.Optional(Type.String({ description: 'counts of the rows of each segment and season, where the spec asks for them, in the form of libs/core/drift, base64' })),
  metrics: Type.Array(Metric),
  calibration: Type.Optional(Type.Object({ positives: Type.Array(Count), negatives: Type.Array(Count) }, { description: 'binary: test rows by score, in equal bins of [0, 1], by what the label said' })),
  errors: Type.Optional(Type.Object({ wrong: Count, rows: Count, tolerance: Nullable(Type.Number({ description: 'regression: off by more is wrong' })) }, { description: 'wrong answers on the test rows' })),
  attributions: Type.Optional(Type.Object({ ...AttributionCounts.properties }, { description: 'of explained test rows; where the spec asked for explanations when the version was trained' })),
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

const routeShare = {
  share: Share(),
  mirror: Type.Boolean(),
  from: Type.Optional(Share({ description: 'where its units begin on [0, 1): it answers those from here on, as many as its share; absent: 0' })),
};

/** `previous`: who answered before the champion; `share`: part of the units that the candidate answers; `mirror`: the candidate also sees, unheard, what the champion answers; with a share of 1, the champion sees what the candidate answers. */
export const routeChanged = defineEvent(
  'rollout.route-changed.v1',
  Type.Object({
    model: Name,
    revision: Count,
    rolloutId: Nullable(Type.String()),
    phase: Literals(['full', 'shadow', 'canary', 'ab']),
    step: Type.Optional(Type.String({ description: 'name of the roll-out’s step in its plan; a plan may have several of one phase' })),
    salt: Type.String(),
    champion: RouteTarget,
    previous: Type.Optional(Nullable(RouteTarget)),
    candidate: Nullable(Type.Intersect([RouteTarget, Type.Object(routeShare)])),
    beside: Type.Optional(
      Type.Array(Type.Intersect([RouteTarget, Type.Object({ ...routeShare, rolloutId: Type.String(), step: Type.String() })]), {
        description: 'A/B/n: further candidates that are tried at the same time, each by a roll-out of its own; nobody’s units overlap, and the champion answers the rest',
      }),
    ),
    reason: Type.String(),
    changedAt: Instant,
    streamTime: Nullable(Instant),
  }),
);
export type RouteChanged = DataOf<typeof routeChanged>;

/**
 * The guard that took the candidate back. Fed with the requests of its batches, in their order, the guards’ state before them
 * leads to the state with the hash `stateSha256`, and to this breach.
 */
const GuardInputs = Type.Object({
  guard: Type.String(),
  reason: Type.String(),
  batches: Type.Optional(Type.Object({ from: Type.Integer({ minimum: 1 }), to: Type.Integer({ minimum: 1 }) }, { description: 'first and last of those that are kept: stretches of the log, in the order in which the guards took them in' })),
  basisSha256: Type.Optional(Nullable(Sha256)),
  stateSha256: Type.Optional(Sha256),
  offsets: Type.Optional(Type.Array(OffsetRange, { description: 'all that the batches span' })),
});

/**
 * From what a step was decided, so that it can be decided again: fed in the order of the roll-out’s readings up to
 * `reading`, the outcomes of `offsets` lead to the state with this hash and to this step.
 */
const StepInputs = Type.Object({
  spec: Type.Object({ revision: Count, sha256: Nullable(Sha256) }),
  policy: RecordValue,
  artifacts: Type.Object({ champion: Nullable(Sha256), candidate: Sha256 }),
  routeRevision: Type.Integer({ minimum: 0, description: 'in force before the step' }),
  lookEveryOutcomes: Type.Integer({ minimum: 1, description: 'a look that changes nothing is told once per so many outcomes' }),
  reading: Nullable(Type.Object({ number: Type.Integer({ minimum: 1 }), toOffset: Offset }, { description: 'the last reading of the roll-out, and how far it had come' })),
  offsets: Type.Array(OffsetRange),
  command: Type.Optional(Type.Object({ command: Type.String(), by: Type.String(), reason: Type.String() })),
  guard: Type.Optional(GuardInputs),
  beside: Type.Optional(
    Type.Object(
      { cause: Literals(['shares', 'chosen', 'superseded']), others: Share({ description: 'part of the units that the other candidates answer' }), reason: Type.String() },
      { description: 'what other candidates of the model do: their shares as the roll-out begins and whenever they change; that this one was chosen among them, or another was' },
    ),
  ),
  routable: Type.Optional(Type.Boolean({ description: 'told with a revision: whether the old champion could have been routed again' })),
  stateSha256: Nullable(Sha256),
});
export type StepInputs = DataOf<{ type: 'rollout.step-decided.v1'; schema: typeof StepInputs }>;

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
      guard: Type.Optional(Type.String({ description: 'the guard whose figures these are: candidate − champion in its unit; absent: the difference of mean losses' })),
      candidates: Type.Optional(Type.Integer({ minimum: 2, description: 'A/B/n: so many candidates may be tried at once, and the errors are corrected for it' })),
      slices: Type.Optional(
        Type.Array(
          Type.Object({ slice: Type.String({ description: 'feature=value' }), verdict: Literals(['worse', 'not-enough-evidence', 'not-worse', 'better']), n: Count, mean: Nullable(Type.Number()), low: Nullable(Type.Number()), high: Nullable(Type.Number()), alpha: Type.Number() }),
          { description: 'each slice that is guarded, with its part of the error' },
        ),
      ),
    }),
    decidedAt: Instant,
    streamTime: Nullable(Instant),
    inputs: Type.Optional(StepInputs),
    revises: Type.Optional(Type.Integer({ minimum: 0, description: 'sequence of an earlier step whose verdict late labels have changed; both stay told' })),
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
