import { Type } from '@sinclair/typebox';
import { defineEvent, type DataOf } from '../event.js';
import { Count, Instant, Literals, Name, Position, Share } from '../scalars.js';

export const PredictionRole = Literals(['primary', 'shadow']);
export const FeatureValue = Type.Union([Type.Number(), Type.String(), Type.Null()]);
export const LabelValue = Type.Union([Type.Boolean(), Type.Number(), Type.String()]);

/**
 * What a model said. Binary: `label` and `probability` of the positive class. Multi-class: `label` and `probabilities`.
 * Regression: `value`.
 */
export const PredictionOutput = Type.Object({
  label: Type.Optional(LabelValue),
  probability: Type.Optional(Share()),
  probabilities: Type.Optional(Type.Record(Type.String(), Share())),
  value: Type.Optional(Type.Number()),
});
export type PredictionOutput = { label?: boolean | number | string; probability?: number; probabilities?: Record<string, number>; value?: number };

const served = {
  predictionId: Type.String({ minLength: 1 }),
  requestId: Type.String({ minLength: 1, description: 'one per instance asked; its primary and shadow predictions share it' }),
  version: Type.String(),
  role: PredictionRole,
  arm: Literals(['champion', 'candidate']),
  unit: Type.String({ description: 'what assignment is sticky on; the record id when the caller gave none' }),
  eventTime: Instant,
  routeRevision: Count,
  output: PredictionOutput,
  fallback: Type.Optional(Type.String({ description: 'who answered in place of `version`, because that one failed: a version, model@version, or constant; such an answer says nothing about `version`' })),
};

export const predictionServed = defineEvent(
  'inference.prediction-served.v1',
  Type.Object({
    model: Name,
    recordId: Type.String({ minLength: 1 }),
    ...served,
    armProbability: Share({ description: 'probability with which this unit was given this arm' }),
    servedAt: Instant,
    features: Type.Record(Type.String(), FeatureValue),
    latencyMs: Type.Number({ minimum: 0 }),
    compared: Type.Optional(Type.Object({ champion: PredictionOutput, again: PredictionOutput }, { description: 'shadow, for some of the requests: what the champion answered, and what it says when it is asked the same again; what it differs from itself is no difference of the candidate' })),
    runRows: Type.Optional(Type.Integer({ minimum: 1, description: 'shadow: requests that shared the run; the latency of one that ran alone compares with that of an answer' })),
  }),
);
export type PredictionServed = DataOf<typeof predictionServed>;

/**
 * A routed version was asked and did not answer: an error, a crash, a missed deadline, an output that has no meaning. Also told
 * when a fallback answered in its place, and of shadow runs. Not told: mistakes of the caller, and requests refused at
 * once because the version’s queue was full (they were never taken on; overload is no fault of a version).
 */
export const predictionFailed = defineEvent(
  'inference.prediction-failed.v1',
  Type.Object({
    model: Name,
    recordId: Type.String({ minLength: 1 }),
    requestId: Type.String({ minLength: 1, description: 'one per instance asked; the answer of a fallback, or the primary of a shadow, has the same' }),
    version: Type.String(),
    role: PredictionRole,
    arm: Literals(['champion', 'candidate']),
    unit: Type.String(),
    eventTime: Instant,
    routeRevision: Count,
    armProbability: Share({ description: 'probability with which this unit was given this arm' }),
    code: Type.String({ description: 'of the catalogue of errors' }),
    reason: Type.String({ maxLength: 500 }),
    latencyMs: Type.Number({ minimum: 0, description: 'until it was known to have failed' }),
    attempt: Type.Optional(Type.Integer({ minimum: 1, description: 'of a stream’s records: failures so far of requests that began at the same record, as this process counts them; a record that fails alone too often is set aside' })),
    servedAt: Instant,
  }),
);
export type PredictionFailed = DataOf<typeof predictionFailed>;

/**
 * Why a version answered as it did: base + Σ contributions = output, in units of its score. Of a sample of the answers that
 * somebody was given, explained afterwards; an answer that came to be told twice may be explained twice, under one prediction id.
 */
export const predictionExplained = defineEvent(
  'inference.prediction-explained.v1',
  Type.Object({
    model: Name,
    recordId: Type.String({ minLength: 1 }),
    predictionId: Type.String({ minLength: 1, description: 'of the answer that is explained' }),
    version: Type.String(),
    eventTime: Instant,
    method: Literals(['tree-path-dependent', 'tree-interventional', 'permutation']),
    unit: Type.String(),
    class: Type.Optional(Type.String({ description: 'whose score is explained; absent for a regression' })),
    base: Type.Number({ description: 'the score when nothing of the row is known' }),
    output: Type.Number(),
    contributions: Type.Record(Type.String(), Type.Number(), { description: 'by feature' }),
    explainedAt: Instant,
  }),
);
export type PredictionExplained = DataOf<typeof predictionExplained>;

export const outcomeObserved = defineEvent(
  'outcomes.outcome-observed.v1',
  Type.Object({
    model: Name,
    recordId: Type.String({ minLength: 1 }),
    label: LabelValue,
    labelEventTime: Instant,
    labelPosition: Position,
    measures: Type.Optional(Type.Record(Type.String(), Type.Number(), { description: 'numbers of the label’s record that the spec’s business guard names' })),
    predictions: Type.Array(Type.Object({ ...served, position: Position, groups: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'values of the features that the spec’s fairness rules and roll-out slices name, as the prediction saw them' })) }), {
      minItems: 1,
      description: 'every prediction of this record that had come when the outcome was observed: primary and shadow of one request stand together',
    }),
  }),
);
export type OutcomeObserved = DataOf<typeof outcomeObserved>;
export type ServedPrediction = OutcomeObserved['predictions'][number];

