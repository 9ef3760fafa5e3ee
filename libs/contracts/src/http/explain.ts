import { Type, type Static } from '@sinclair/typebox';

const Features = Type.Record(Type.String(), Type.Unknown());

/**
 * `POST /v1/models/{name}/explain`: which features made the answer, and how much each. Nothing is logged: an explanation is
 * no prediction. `background` is what rows are compared with, for models that carry no training counts.
 */
export const ExplainRequest = Type.Object({
  instances: Type.Array(Type.Object({ id: Type.Optional(Type.String({ maxLength: 256 })), features: Features }), { minItems: 1, maxItems: 1_000 }),
  class: Type.Optional(Type.String({ description: 'whose score is explained; default: the positive class, or the likeliest of several' })),
  version: Type.Optional(Type.String({ description: 'a version in service; default: the champion' })),
  background: Type.Optional(Type.Array(Type.Object({ features: Features }), { minItems: 1, maxItems: 1_000 })),
  timeoutMs: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 300_000, description: 'default 30,000' })),
});
export type ExplainRequest = Static<typeof ExplainRequest>;

const Contribution = Type.Object({
  feature: Type.String(),
  value: Type.Union([Type.Number(), Type.String(), Type.Null()]),
  contribution: Type.Number(),
  standardError: Type.Optional(Type.Number({ description: 'only where the contribution was sampled' })),
});

export const ExplainResponse = Type.Object({
  model: Type.String(),
  version: Type.String(),
  method: Type.Union([Type.Literal('tree-path-dependent'), Type.Literal('tree-interventional'), Type.Literal('permutation')]),
  against: Type.String({ description: 'what a row is compared with' }),
  because: Type.Union([Type.String(), Type.Null()], { description: 'why the model was not taken apart as trees; null where it was' }),
  explanations: Type.Array(
    Type.Object({
      output: Type.Number(),
      base: Type.Number({ description: 'base + Σ contributions = output' }),
      unit: Type.String(),
      class: Type.Optional(Type.String()),
      contributions: Type.Array(Contribution),
      additivityError: Type.Number(),
      runtimeDifference: Type.Number(),
    }),
    { description: 'one per instance, in order' },
  ),
});
export type ExplainResponse = Static<typeof ExplainResponse>;
