import { Type, type Static } from '@sinclair/typebox';
import { PredictionOutput } from '../events/inference.js';
import { Instant } from '../scalars.js';

/**
 * `POST /v1/models/{name}/predict`. `id` names the record, so that the label that comes later finds the prediction; an
 * instance without one is given one in the answer. `timeoutMs`: the answer is of no use later; it is never run then.
 */
export const PredictRequest = Type.Object({
  instances: Type.Array(
    Type.Object({
      id: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
      unit: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'whom assignment is sticky on; default: the id' })),
      eventTime: Type.Optional(Instant),
      features: Type.Record(Type.String(), Type.Unknown()),
    }),
    { minItems: 1, maxItems: 10_000 },
  ),
  timeoutMs: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3_600_000 })),
});
export type PredictRequest = Static<typeof PredictRequest>;

export const PredictResponse = Type.Object({
  model: Type.String(),
  predictions: Type.Array(
    Type.Intersect([Type.Object({ id: Type.String(), predictionId: Type.String(), version: Type.String(), fallback: Type.Optional(Type.String()) }), PredictionOutput]),
  ),
});
export type PredictResponse = Static<typeof PredictResponse>;
